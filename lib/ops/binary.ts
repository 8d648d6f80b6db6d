import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { type Binary, broadcastShapes, checkOperands, sumTo } from './broadcast'
import { call, type Operand } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** The shape rule of ops of two operands: their shapes broadcast. */
export const inferBinary: OpDefinition['infer'] = ([a, b], _, label) => [
  { shape: broadcastShapes([a!, b!], label, ['a', 'b']), dtype: 'float32' },
]

/** The gradients of both operands before they are summed to the operands' shapes. */
type Partials = (a: Value, b: Value, dy: Value, y: Value) => readonly [da: () => Value, db: () => Value]

/** An op of two operands that are broadcast. */
export function binaryOp(name: string, partials: Partials): OpDefinition {
  return {
    name,
    inputs: ['a', 'b'],
    outputs: ['y'],
    inPlace: true,
    infer: inferBinary,
    gradient({ inputs, outputs }, [dy], wanted) {
      const parts = partials(inputs[0]!, inputs[1]!, dy!, outputs[0]!)
      return parts.map((part, index) => (wanted[index] ? sumTo(part(), inputs[index]!.shape) : undefined))
    },
  }
}

/** The function that users call. `swap`: the op has its operands the other way round (a > b is b < a). */
export function binaryFunction(op: OpDefinition, name = op.name, swap = false): Binary {
  return ((a: Operand | number, b: Operand | number, options: OpOptions = {}) => {
    const label = labelOf(name, options?.name)
    checkOptions(options, [], label)
    const operands = checkOperands([a, b], label, ['a', 'b'])
    if (swap)
      broadcastShapes(
        operands.map(({ shape }) => ({ shape, dtype: 'float32' })),
        label,
        ['a', 'b'],
      )
    return call(op, swap ? operands.reverse() : operands, {}, options)[0]!
  }) as Binary
}
