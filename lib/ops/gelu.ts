import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkChoice } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { activationOp } from './elementwise'
import { checkOptions, type OpOptions } from './options'

const exact = activationOp('gelu', true, { fromInput: true })
const byTanh = activationOp('geluTanh', true, { fromInput: true })
export const geluOp = exact.forward
export const geluBackwardOp = exact.backward
export const geluTanhOp = byTanh.forward
export const geluTanhBackwardOp = byTanh.backward

export interface GeluOptions extends OpOptions {
  /** `'tanh'`: x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))). Default `'none'` (Keras, PyTorch): by the normal distribution. */
  readonly approximate?: 'none' | 'tanh' | undefined
}

function choose({ approximate = 'none', ...rest }: GeluOptions, options: GeluOptions, label: string) {
  checkOptions(options, ['approximate'], label)
  return { op: checkChoice(approximate, ['none', 'tanh'], label, 'approximate') === 'none' ? exact : byTanh, rest }
}

/** x · Φ(x), Φ being the standard normal distribution function: x/2 · (1 + erf(x/√2)), element by element. Any shape. Throws `INVALID_ARGUMENT`, and for a bad tensor. */
export function gelu(x: Tensor, options?: GeluOptions): Tensor
export function gelu(x: Value, options?: GeluOptions): Value
export function gelu(x: Operand, options: GeluOptions = {}): Operand {
  const { op, rest } = choose(options ?? {}, options, labelOf('gelu', options?.name))
  return op.call(x as Value, rest)
}

/** `{ dx }`, the gradient of gelu at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ, `INVALID_ARGUMENT`. */
export function geluBackward(dy: Tensor, x: Tensor, options?: GeluOptions): { dx: Tensor }
export function geluBackward(dy: Value, x: Value, options?: GeluOptions): { dx: Value }
export function geluBackward(dy: Operand, x: Operand, options: GeluOptions = {}): { dx: Operand } {
  const { op, rest } = choose(options ?? {}, options, labelOf('geluBackward', options?.name))
  return op.callBackward(dy as Value, x as Value, rest)
}
