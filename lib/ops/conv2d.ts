import type { Value } from '../graph/value'
import type { Padding, Pair } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { type ConvolutionOptions, convolution, convolutionBackward, convolutionOps } from './convolution'

export const conv2dOps = convolutionOps(2)

/** Options of {@link conv2d}. */
export interface Conv2dOptions<T = Tensor> extends ConvolutionOptions<T, number | Pair, Padding> {}

/**
 * Convolution as every framework means it (a cross-correlation): `x [N, H, W, C]` with filters `w [KH, KW, C/groups, OC]` → `[N, OH, OW, OC]`, where
 * OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1, and OW alike.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or a filter is larger than the padded input, `INVALID_ARGUMENT` for a bad option,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function conv2d(x: Tensor, w: Tensor, options?: Conv2dOptions): Tensor
export function conv2d(x: Value, w: Value, options?: Conv2dOptions<Value>): Value
export function conv2d(x: Operand, w: Operand, options?: Conv2dOptions<Operand>): Operand {
  return convolution(conv2dOps, x, w, options)
}

/**
 * Gradients of `conv2d(x, w, options)` by `x`, `w` and the bias, given that of its result, `dy [N, OH, OW, OC]`. With an activation in the options it
 * is gone back through too, which computes the convolution again. Throws as `conv2d` does.
 */
export function conv2dBackward(dy: Tensor, x: Tensor, w: Tensor, options?: Conv2dOptions): { dx: Tensor; dw: Tensor; db: Tensor }
export function conv2dBackward(dy: Value, x: Value, w: Value, options?: Conv2dOptions<Value>): { dx: Value; dw: Value; db: Value }
export function conv2dBackward(dy: Operand, x: Operand, w: Operand, options?: Conv2dOptions<Operand>) {
  return convolutionBackward(conv2dOps, dy, x, w, options)
}
