import type { Value } from '../graph/value'
import type { Padding3d, Triple } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { type ConvolutionOptions, convolution, convolutionBackward, convolutionOps } from './convolution'

export const conv3dOps = convolutionOps(3)

/** Options of {@link conv3d}. */
export interface Conv3dOptions<T = Tensor> extends ConvolutionOptions<T, number | Triple, Padding3d> {}

/**
 * Convolution as every framework means it (a cross-correlation): `x [N, D, H, W, C]` with filters `w [KD, KH, KW, C/groups, OC]` → `[N, OD, OH, OW, OC]`, where
 * OD = ⌊(D + front + back − dilation · (KD − 1) − 1) / stride⌋ + 1, OH and OW alike.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or a filter is larger than the padded input, `INVALID_ARGUMENT` for a bad option,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function conv3d(x: Tensor, w: Tensor, options?: Conv3dOptions): Tensor
export function conv3d(x: Value, w: Value, options?: Conv3dOptions<Value>): Value
export function conv3d(x: Operand, w: Operand, options?: Conv3dOptions<Operand>): Operand {
  return convolution(conv3dOps, x, w, options)
}

/**
 * Gradients of `conv3d(x, w, options)` by `x`, `w` and the bias, given that of its result, `dy [N, OD, OH, OW, OC]`. With an activation in the options it
 * is gone back through too, which computes the convolution again. Throws as `conv3d` does.
 */
export function conv3dBackward(dy: Tensor, x: Tensor, w: Tensor, options?: Conv3dOptions): { dx: Tensor; dw: Tensor; db: Tensor }
export function conv3dBackward(dy: Value, x: Value, w: Value, options?: Conv3dOptions<Value>): { dx: Value; dw: Value; db: Value }
export function conv3dBackward(dy: Operand, x: Operand, w: Operand, options?: Conv3dOptions<Operand>) {
  return convolutionBackward(conv3dOps, dy, x, w, options)
}
