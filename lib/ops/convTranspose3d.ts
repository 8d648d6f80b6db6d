import type { Value } from '../graph/value'
import type { Padding3d, Triple } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { conv3dOps } from './conv3d'
import { type TransposedOptions, transposedBackward, transposedConvolution, transposedOps } from './transposedConvolution'

export const convTranspose3dOps = transposedOps(conv3dOps)

/** Options of {@link convTranspose3d}. */
export interface ConvTranspose3dOptions<T = Tensor> extends TransposedOptions<T, number | Triple, Padding3d> {}

/**
 * Transposed convolution, the gradient of `conv3d` by its input taken as a function: `x [N, D, H, W, C]` with filters `w [KD, KH, KW, OC/groups, C]` →
 * `[N, OD, OH, OW, OC]`, where OD = (D − 1) · stride − front − back + dilation · (KD − 1) + 1 + outputPadding, OH and OW alike.
 * Filters are laid out as in Keras: those of the convolution that leads from the result back to `x`. Sizes are PyTorch's; padding `'same'` is
 * Keras', a result of stride times the input.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or nothing is left, `INVALID_ARGUMENT` for a bad option, an outputPadding not below stride or dilation among them,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function convTranspose3d(x: Tensor, w: Tensor, options?: ConvTranspose3dOptions): Tensor
export function convTranspose3d(x: Value, w: Value, options?: ConvTranspose3dOptions<Value>): Value
export function convTranspose3d(x: Operand, w: Operand, options?: ConvTranspose3dOptions<Operand>): Operand {
  return transposedConvolution(convTranspose3dOps, x, w, options)
}

/**
 * Gradients of `convTranspose3d(x, w, options)` by `x`, `w` and the bias, given that of its result: a convolution of `dy [N, OD, OH, OW, OC]`, the weight
 * gradient of that convolution, and sums. Throws as `convTranspose3d` does.
 */
export function convTranspose3dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  options?: ConvTranspose3dOptions,
): { dx: Tensor; dw: Tensor; db: Tensor }
export function convTranspose3dBackward(
  dy: Value,
  x: Value,
  w: Value,
  options?: ConvTranspose3dOptions<Value>,
): { dx: Value; dw: Value; db: Value }
export function convTranspose3dBackward(dy: Operand, x: Operand, w: Operand, options?: ConvTranspose3dOptions<Operand>) {
  return transposedBackward(convTranspose3dOps, dy, x, w, options)
}
