import type { Value } from '../graph/value'
import type { Padding1d } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { conv1dOps } from './conv1d'
import { type TransposedOptions, transposedBackward, transposedConvolution, transposedOps } from './transposedConvolution'

export const convTranspose1dOps = transposedOps(conv1dOps)

/** Options of {@link convTranspose1d}. */
export interface ConvTranspose1dOptions<T = Tensor>
  extends TransposedOptions<T, number | readonly [number], Exclude<Padding1d, 'causal'>> {}

/**
 * Transposed convolution, the gradient of `conv1d` by its input taken as a function: `x [N, L, C]` with filters `w [K, OC/groups, C]` →
 * `[N, OL, OC]`, where OL = (L − 1) · stride − before − after + dilation · (K − 1) + 1 + outputPadding.
 * Filters are laid out as in Keras: those of the convolution that leads from the result back to `x`. Sizes are PyTorch's; padding `'same'` is
 * Keras', a result of stride times the input.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or nothing is left, `INVALID_ARGUMENT` for a bad option, an outputPadding not below stride or dilation among them,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function convTranspose1d(x: Tensor, w: Tensor, options?: ConvTranspose1dOptions): Tensor
export function convTranspose1d(x: Value, w: Value, options?: ConvTranspose1dOptions<Value>): Value
export function convTranspose1d(x: Operand, w: Operand, options?: ConvTranspose1dOptions<Operand>): Operand {
  return transposedConvolution(convTranspose1dOps, x, w, options)
}

/**
 * Gradients of `convTranspose1d(x, w, options)` by `x`, `w` and the bias, given that of its result: a convolution of `dy [N, OL, OC]`, the weight
 * gradient of that convolution, and sums. Throws as `convTranspose1d` does.
 */
export function convTranspose1dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  options?: ConvTranspose1dOptions,
): { dx: Tensor; dw: Tensor; db: Tensor }
export function convTranspose1dBackward(
  dy: Value,
  x: Value,
  w: Value,
  options?: ConvTranspose1dOptions<Value>,
): { dx: Value; dw: Value; db: Value }
export function convTranspose1dBackward(dy: Operand, x: Operand, w: Operand, options?: ConvTranspose1dOptions<Operand>) {
  return transposedBackward(convTranspose1dOps, dy, x, w, options)
}
