import { checkChoice } from '../shape'
import type { Operand } from './call'
import type { Unary, UnaryBackward } from './elementwise'
import { elu, eluBackward } from './elu'
import { gelu, geluBackward } from './gelu'
import { hardSigmoid, hardSigmoidBackward } from './hardSigmoid'
import { hardSwish, hardSwishBackward } from './hardSwish'
import { leakyRelu, leakyReluBackward } from './leakyRelu'
import { linearThreshold, linearThresholdBackward } from './linearThreshold'
import { logSoftmax, logSoftmaxBackward } from './logSoftmax'
import { mish, mishBackward } from './mish'
import type { OpOptions } from './options'
import { relu, reluBackward } from './relu'
import { selu, seluBackward } from './selu'
import { sigmoid, sigmoidBackward } from './sigmoid'
import { silu, siluBackward } from './silu'
import { softmax, softmaxBackward } from './softmax'
import { softplus, softplusBackward } from './softplus'
import { softsign, softsignBackward } from './softsign'
import { tanh, tanhBackward } from './tanh'

/**
 * A function applied to a layer's result, with the defaults of the op of that name. `'relu6'` is `linearThreshold` with a maximum of 6, `'geluTanh'` is
 * `gelu` approximated by tanh.
 */
export type Activation =
  | 'linear'
  | 'relu'
  | 'sigmoid'
  | 'tanh'
  | 'softmax'
  | 'leakyRelu'
  | 'relu6'
  | 'elu'
  | 'selu'
  | 'gelu'
  | 'geluTanh'
  | 'silu'
  | 'mish'
  | 'softplus'
  | 'softsign'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'logSoftmax'

const functions: Readonly<Record<Exclude<Activation, 'linear'>, readonly [Unary, UnaryBackward, options?: object]>> = {
  relu: [relu, reluBackward],
  sigmoid: [sigmoid, sigmoidBackward],
  tanh: [tanh, tanhBackward],
  softmax: [softmax, softmaxBackward],
  leakyRelu: [leakyRelu, leakyReluBackward],
  relu6: [linearThreshold, linearThresholdBackward, { max: 6 }],
  elu: [elu, eluBackward],
  selu: [selu, seluBackward],
  gelu: [gelu, geluBackward],
  geluTanh: [gelu, geluBackward, { approximate: 'tanh' }],
  silu: [silu, siluBackward],
  mish: [mish, mishBackward],
  softplus: [softplus, softplusBackward],
  softsign: [softsign, softsignBackward],
  hardSigmoid: [hardSigmoid, hardSigmoidBackward],
  hardSwish: [hardSwish, hardSwishBackward],
  logSoftmax: [logSoftmax, logSoftmaxBackward],
}

/** All there are. */
const names = ['linear', ...Object.keys(functions)] as Activation[]

/** `undefined` is `'linear'`. Throws `INVALID_ARGUMENT` for another word. */
export function checkActivation(value: unknown, label: string): Activation {
  return checkChoice(value ?? 'linear', names, label, 'activation')
}

/** Applies an activation by name, as an op of its own: in a graph the compiler fuses it where it can. */
export function activate(x: Operand, activation: Activation, { runtime, name }: OpOptions): Operand {
  if (activation === 'linear') return x
  const [run, , options] = functions[activation]
  return (run as (x: Operand, options: OpOptions) => Operand)(x, { ...options, runtime, name })
}

/** The gradient through an activation whose input is `x`. */
export function activateBackward(dy: Operand, x: Operand, activation: Activation, { runtime, name }: OpOptions): Operand {
  if (activation === 'linear') return dy
  const [, run, options] = functions[activation]
  return (run as (dy: Operand, x: Operand, options: OpOptions) => { dx: Operand })(dy, x, { ...options, runtime, name }).dx
}
