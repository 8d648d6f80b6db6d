import type { Value } from '../graph/value'
import type { Padding3d, Triple } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { type MaxPoolBackwardOptions, maxPool, maxPoolBackward, maxPoolOps, maxPoolWithPositions, type Positions } from './maxPool'
import type { PoolOptions } from './pool'

export const maxPool3dOps = maxPoolOps(3)

export interface Pool3dOptions extends PoolOptions<number | Triple, Padding3d> {}
/** Options of {@link maxPool3dBackward}. */
export interface MaxPool3dBackwardOptions<T = Positions> extends MaxPoolBackwardOptions<T, number | Triple, Padding3d> {}

/**
 * The maximum of each window of `size` pixels: `x [N, D, H, W, C]` → `[N, OD, OH, OW, C]`; padding never wins, NaN does.
 * Throws `INVALID_SHAPE` for a window larger than the padded input, `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding
 * among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function maxPool3d(x: Tensor, size: number | Triple, options?: Pool3dOptions): Tensor
export function maxPool3d(x: Value, size: number | Triple, options?: Pool3dOptions): Value
export function maxPool3d(x: Operand, size: number | Triple, options?: Pool3dOptions): Operand {
  return maxPool(maxPool3dOps, x, size, options)
}

/** As `maxPool3d`, with the position of each maximum within its window, `(kd · KH + kh) · KW + kw` (the first in row-major order, where several are alike). */
export function maxPool3dWithPositions(x: Tensor, size: number | Triple, options?: Pool3dOptions): { y: Tensor; positions: Positions }
export function maxPool3dWithPositions(x: Value, size: number | Triple, options?: Pool3dOptions): { y: Value; positions: Value }
export function maxPool3dWithPositions(x: Operand, size: number | Triple, options?: Pool3dOptions): Record<'y' | 'positions', Operand> {
  return maxPoolWithPositions(maxPool3dOps, x, size, options)
}

/** `{ dx }`: the gradient of `maxPool3d(x, size, options)` by `x`: each `dy [N, OD, OH, OW, C]` goes to its window's maximum. Throws as `maxPool3d` does. */
export function maxPool3dBackward(dy: Tensor, x: Tensor, size: number | Triple, options?: MaxPool3dBackwardOptions): { dx: Tensor }
export function maxPool3dBackward(dy: Value, x: Value, size: number | Triple, options?: MaxPool3dBackwardOptions<Value>): { dx: Value }
export function maxPool3dBackward(
  dy: Operand,
  x: Operand,
  size: number | Triple,
  options?: MaxPool3dBackwardOptions<Operand>,
): { dx: Operand } {
  return maxPoolBackward(maxPool3dOps, dy, x, size, options)
}
