import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Tensor } from '../tensor'
import { type Activation, activate, checkActivation } from './activation'
import { call, type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const addOp: OpDefinition = {
  name: 'add',
  inputs: ['a', 'b'],
  outputs: ['y'],
  inPlace: true,
  infer([a, b], _, label) {
    checkSameShape(a!, b!, label, ['a', 'b'])
    return [a!]
  },
  gradient: (_, [dy]) => [dy, dy],
}

export interface AddOptions extends OpOptions {
  /** Applied to the sum. Default `'linear'`. */
  readonly activation?: Activation | undefined
}

/** a + b, element by element, for two tensors of one shape. Throws `INVALID_SHAPE` when the shapes differ. */
export function add(a: Tensor, b: Tensor, options?: AddOptions): Tensor
export function add(a: Value, b: Value, options?: AddOptions): Value
export function add(a: Operand, b: Operand, options: AddOptions = {}): Operand {
  const label = labelOf('add', options?.name)
  checkOptions(options, ['activation'], label)
  const activation = checkActivation(options.activation, label)
  typeOf(a, label, 'a')
  typeOf(b, label, 'b')
  return activate(call(addOp, [a, b], { activation: 'linear' }, options)[0]!, activation, options)
}
