import type { Value } from '../graph/value'
import type { Padding1d } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { type ConvolutionOptions, convolution, convolutionBackward, convolutionOps } from './convolution'

export const conv1dOps = convolutionOps(1)

/** Options of {@link conv1d}. */
export interface Conv1dOptions<T = Tensor> extends ConvolutionOptions<T, number | readonly [number], Padding1d> {}

/**
 * Convolution as every framework means it (a cross-correlation): `x [N, L, C]` with filters `w [K, C/groups, OC]` → `[N, OL, OC]`, where
 * OL = ⌊(L + before + after − dilation · (K − 1) − 1) / stride⌋ + 1. `padding: 'causal'` sets dilation · (K − 1) before: no output sees what comes later in time.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or a filter is larger than the padded input, `INVALID_ARGUMENT` for a bad option,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function conv1d(x: Tensor, w: Tensor, options?: Conv1dOptions): Tensor
export function conv1d(x: Value, w: Value, options?: Conv1dOptions<Value>): Value
export function conv1d(x: Operand, w: Operand, options?: Conv1dOptions<Operand>): Operand {
  return convolution(conv1dOps, x, w, options)
}

/**
 * Gradients of `conv1d(x, w, options)` by `x`, `w` and the bias, given that of its result, `dy [N, OL, OC]`. With an activation in the options it
 * is gone back through too, which computes the convolution again. Throws as `conv1d` does.
 */
export function conv1dBackward(dy: Tensor, x: Tensor, w: Tensor, options?: Conv1dOptions): { dx: Tensor; dw: Tensor; db: Tensor }
export function conv1dBackward(dy: Value, x: Value, w: Value, options?: Conv1dOptions<Value>): { dx: Value; dw: Value; db: Value }
export function conv1dBackward(dy: Operand, x: Operand, w: Operand, options?: Conv1dOptions<Operand>) {
  return convolutionBackward(conv1dOps, dy, x, w, options)
}
