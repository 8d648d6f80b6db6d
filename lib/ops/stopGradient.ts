import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { AnyTensor, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** Never a step: the compiler gives the output its input's memory. */
export const stopGradientOp: OpDefinition = {
  name: 'stopGradient',
  inputs: ['x'],
  outputs: ['y'],
  alias: true,
  infer: ([x]) => [x!],
  gradient: () => [undefined],
}

/**
 * The same numbers, as constants for `gradients`: PyTorch's `detach`, TensorFlow's `stop_gradient`. With it a function has the gradient of another one, f forward and g
 * backward: `add(g(x), stopGradient(sub(f(x), g(x))))`. A tensor's data is copied.
 *
 * `checkGradients` compares with differences of what is computed, and so finds fault with such a function.
 */
export function stopGradient(x: Tensor, options?: OpOptions): Tensor
export function stopGradient(x: Value, options?: OpOptions): Value
export function stopGradient(x: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('stopGradient', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  if ('origin' in x) return call(stopGradientOp, [x], {}, options)[0]!
  return { shape: [...(x.shape as readonly number[])], data: (x as AnyTensor).data.slice() }
}
