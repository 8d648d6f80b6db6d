import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const multiplyOp: OpDefinition = {
  name: 'multiply',
  inputs: ['a', 'b'],
  outputs: ['y'],
  inPlace: true,
  infer([a, b], _, label) {
    checkSameShape(a!, b!, label, ['a', 'b'])
    return [a!]
  },
  gradient({ inputs: [a, b] }, [dy], wanted) {
    return [wanted[0] ? multiply(dy!, b!) : undefined, wanted[1] ? multiply(dy!, a!) : undefined]
  },
}

/** a · b, element by element, for two tensors of one shape. Throws `INVALID_SHAPE` when the shapes differ. */
export function multiply(a: Tensor, b: Tensor, options?: OpOptions): Tensor
export function multiply(a: Value, b: Value, options?: OpOptions): Value
export function multiply(a: Operand, b: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('multiply', options?.name)
  checkOptions(options, [], label)
  typeOf(a, label, 'a')
  typeOf(b, label, 'b')
  return call(multiplyOp, [a, b], {}, options)[0]!
}
