import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Tensor } from '../tensor'
import { broadcastShapes, checkOperands, sumTo } from './broadcast'
import { call, type Operand } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

const names = ['condition', 'a', 'b']

export const whereOp: OpDefinition = {
  name: 'where',
  inputs: names,
  outputs: ['y'],
  inPlace: true,
  infer: (inputs, _, label) => [
    {
      shape: broadcastShapes(
        inputs.map((input) => input!),
        label,
        names,
      ),
      dtype: 'float32',
    },
  ],
  gradient({ inputs: [condition, a, b] }, [dy], wanted) {
    return [
      undefined,
      wanted[1] ? sumTo(where(condition!, dy!, 0), a!.shape) : undefined,
      wanted[2] ? sumTo(where(condition!, 0, dy!), b!.shape) : undefined,
    ]
  },
}

/**
 * a where the condition isn't 0 (NaN isn't), else b; all three are broadcast as numpy does, and a and b may be numbers. What is not taken has no influence,
 * NaN included, and a gradient of 0; the condition has none. Throws `INVALID_SHAPE` for shapes that cannot be broadcast.
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number, options?: OpOptions): Tensor
export function where(condition: Value, a: Value | number, b: Value | number, options?: OpOptions): Value
export function where(condition: Operand, a: Operand | number, b: Operand | number, options: OpOptions = {}): Operand {
  const label = labelOf('where', options?.name)
  checkOptions(options, [], label)
  return call(whereOp, checkOperands([condition, a, b], label, names), {}, options)[0]!
}
