import type { Value } from '../graph/value'
import type { Padding1d } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { conv1dOps } from './conv1d'
import { type DepthwiseOptions, depthwiseBackward, depthwiseConvolution } from './depthwiseConvolution'

/** Options of {@link depthwiseConv1d}: as those of `conv1d`; the channels are the groups. */
export interface DepthwiseConv1dOptions<T = Tensor> extends DepthwiseOptions<T, number | readonly [number], Padding1d> {}

/**
 * Each channel convolved by M filters of its own: `x [N, L, C]` with `w [K, C, M]` (Keras' layout) → `[N, OL, C · M]`, where channel c and
 * filter m give channel c · M + m. A `conv1d` with as many groups as channels. A bias has `[C · M]`. Throws as `conv1d` does.
 */
export function depthwiseConv1d(x: Tensor, w: Tensor, options?: DepthwiseConv1dOptions): Tensor
export function depthwiseConv1d(x: Value, w: Value, options?: DepthwiseConv1dOptions<Value>): Value
export function depthwiseConv1d(x: Operand, w: Operand, options?: DepthwiseConv1dOptions<Operand>): Operand {
  return depthwiseConvolution(conv1dOps, x, w, options)
}

/** Gradients of `depthwiseConv1d(x, w, options)` by `x`, `w` and the bias, given that of its result. Throws as `depthwiseConv1d` does. */
export function depthwiseConv1dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  options?: DepthwiseConv1dOptions,
): { dx: Tensor; dw: Tensor; db: Tensor }
export function depthwiseConv1dBackward(
  dy: Value,
  x: Value,
  w: Value,
  options?: DepthwiseConv1dOptions<Value>,
): { dx: Value; dw: Value; db: Value }
export function depthwiseConv1dBackward(dy: Operand, x: Operand, w: Operand, options?: DepthwiseConv1dOptions<Operand>) {
  return depthwiseBackward(conv1dOps, dy, x, w, options)
}
