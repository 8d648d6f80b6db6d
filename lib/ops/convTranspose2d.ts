import type { Value } from '../graph/value'
import type { Padding, Pair } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { conv2dOps } from './conv2d'
import { type TransposedOptions, transposedBackward, transposedConvolution, transposedOps } from './transposedConvolution'

export const convTranspose2dOps = transposedOps(conv2dOps)

/** Options of {@link convTranspose2d}. */
export interface ConvTranspose2dOptions<T = Tensor> extends TransposedOptions<T, number | Pair, Padding> {}

/**
 * Transposed convolution, the gradient of `conv2d` by its input taken as a function: `x [N, H, W, C]` with filters `w [KH, KW, OC/groups, C]` →
 * `[N, OH, OW, OC]`, where OH = (H − 1) · stride − top − bottom + dilation · (KH − 1) + 1 + outputPadding, and OW alike.
 * Filters are laid out as in Keras: those of the convolution that leads from the result back to `x`. Sizes are PyTorch's; padding `'same'` is
 * Keras', a result of stride times the input.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or nothing is left, `INVALID_ARGUMENT` for a bad option, an outputPadding not below stride or dilation among them,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function convTranspose2d(x: Tensor, w: Tensor, options?: ConvTranspose2dOptions): Tensor
export function convTranspose2d(x: Value, w: Value, options?: ConvTranspose2dOptions<Value>): Value
export function convTranspose2d(x: Operand, w: Operand, options?: ConvTranspose2dOptions<Operand>): Operand {
  return transposedConvolution(convTranspose2dOps, x, w, options)
}

/**
 * Gradients of `convTranspose2d(x, w, options)` by `x`, `w` and the bias, given that of its result: a convolution of `dy [N, OH, OW, OC]`, the weight
 * gradient of that convolution, and sums. Throws as `convTranspose2d` does.
 */
export function convTranspose2dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  options?: ConvTranspose2dOptions,
): { dx: Tensor; dw: Tensor; db: Tensor }
export function convTranspose2dBackward(
  dy: Value,
  x: Value,
  w: Value,
  options?: ConvTranspose2dOptions<Value>,
): { dx: Value; dw: Value; db: Value }
export function convTranspose2dBackward(dy: Operand, x: Operand, w: Operand, options?: ConvTranspose2dOptions<Operand>) {
  return transposedBackward(convTranspose2dOps, dy, x, w, options)
}
