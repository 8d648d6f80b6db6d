import type { Value } from '../graph/value'
import type { Padding, Pair } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { conv2dOps } from './conv2d'
import { type DepthwiseOptions, depthwiseBackward, depthwiseConvolution } from './depthwiseConvolution'

/** Options of {@link depthwiseConv2d}: as those of `conv2d`; the channels are the groups. */
export interface DepthwiseConv2dOptions<T = Tensor> extends DepthwiseOptions<T, number | Pair, Padding> {}

/**
 * Each channel convolved by M filters of its own: `x [N, H, W, C]` with `w [KH, KW, C, M]` (Keras' layout) → `[N, OH, OW, C · M]`, where channel c and
 * filter m give channel c · M + m. A `conv2d` with as many groups as channels. A bias has `[C · M]`. Throws as `conv2d` does.
 */
export function depthwiseConv2d(x: Tensor, w: Tensor, options?: DepthwiseConv2dOptions): Tensor
export function depthwiseConv2d(x: Value, w: Value, options?: DepthwiseConv2dOptions<Value>): Value
export function depthwiseConv2d(x: Operand, w: Operand, options?: DepthwiseConv2dOptions<Operand>): Operand {
  return depthwiseConvolution(conv2dOps, x, w, options)
}

/** Gradients of `depthwiseConv2d(x, w, options)` by `x`, `w` and the bias, given that of its result. Throws as `depthwiseConv2d` does. */
export function depthwiseConv2dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  options?: DepthwiseConv2dOptions,
): { dx: Tensor; dw: Tensor; db: Tensor }
export function depthwiseConv2dBackward(
  dy: Value,
  x: Value,
  w: Value,
  options?: DepthwiseConv2dOptions<Value>,
): { dx: Value; dw: Value; db: Value }
export function depthwiseConv2dBackward(dy: Operand, x: Operand, w: Operand, options?: DepthwiseConv2dOptions<Operand>) {
  return depthwiseBackward(conv2dOps, dy, x, w, options)
}
