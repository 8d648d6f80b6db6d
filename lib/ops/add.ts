import { labelOf } from '../graph/apply'
import { type Activation, activate, checkActivation } from './activation'
import { inferBinary } from './binary'
import { type Binary, checkOperands, sumTo } from './broadcast'
import { call, type Operand } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const addOp: OpDefinition = {
  name: 'add',
  inputs: ['a', 'b'],
  outputs: ['y'],
  inPlace: true,
  infer: inferBinary,
  gradient: ({ inputs }, [dy], wanted) => inputs.map((input, index) => (wanted[index] ? sumTo(dy!, input!.shape) : undefined)),
}

export interface AddOptions extends OpOptions {
  /** Applied to the sum. Default `'linear'`. */
  readonly activation?: Activation | undefined
}

/**
 * a + b, element by element, broadcast as numpy does; either may be a number. Throws `INVALID_SHAPE` for shapes that cannot be broadcast.
 */
export const add = ((a: Operand | number, b: Operand | number, options: AddOptions = {}): Operand => {
  const label = labelOf('add', options?.name)
  checkOptions(options, ['activation'], label)
  const activation = checkActivation(options.activation, label)
  const operands = checkOperands([a, b], label, ['a', 'b'])
  return activate(call(addOp, operands, { activation: 'linear' }, options)[0]!, activation, options)
}) as Binary<AddOptions>
