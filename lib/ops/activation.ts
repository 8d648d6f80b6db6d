import { checkChoice } from '../shape'
import type { Operand } from './call'
import type { Unary, UnaryBackward } from './elementwise'
import type { OpOptions } from './options'
import { relu, reluBackward } from './relu'
import { sigmoid, sigmoidBackward } from './sigmoid'
import { softmax, softmaxBackward } from './softmax'
import { tanh, tanhBackward } from './tanh'

/** A function applied to a layer's result. */
export type Activation = 'linear' | 'relu' | 'sigmoid' | 'tanh' | 'softmax'

const functions: Readonly<Record<Exclude<Activation, 'linear'>, readonly [Unary, UnaryBackward]>> = {
  relu: [relu, reluBackward],
  sigmoid: [sigmoid, sigmoidBackward],
  tanh: [tanh, tanhBackward],
  softmax: [softmax, softmaxBackward],
}

/** `undefined` is `'linear'`. Throws `INVALID_ARGUMENT` for another word. */
export function checkActivation(value: unknown, label: string): Activation {
  return checkChoice(value ?? 'linear', ['linear', 'relu', 'sigmoid', 'tanh', 'softmax'], label, 'activation')
}

/** Applies an activation by name, as an op of its own: in a graph the compiler fuses it where it can. */
export function activate(x: Operand, activation: Activation, options: OpOptions): Operand {
  if (activation === 'linear') return x
  const run = functions[activation][0] as (x: Operand, options: OpOptions) => Operand
  return run(x, { runtime: options.runtime, name: options.name })
}

/** The gradient through an activation whose input is `x`. */
export function activateBackward(dy: Operand, x: Operand, activation: Activation, options: OpOptions): Operand {
  if (activation === 'linear') return dy
  const run = functions[activation][1] as (dy: Operand, x: Operand, options: OpOptions) => { dx: Operand }
  return run(dy, x, { runtime: options.runtime, name: options.name }).dx
}
