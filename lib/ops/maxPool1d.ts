import type { Value } from '../graph/value'
import type { Padding1d } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { type MaxPoolBackwardOptions, maxPool, maxPoolBackward, maxPoolOps, maxPoolWithPositions, type Positions } from './maxPool'
import type { PoolOptions } from './pool'

export const maxPool1dOps = maxPoolOps(1)

export interface Pool1dOptions extends PoolOptions<number | readonly [number], Padding1d> {}
/** Options of {@link maxPool1dBackward}. */
export interface MaxPool1dBackwardOptions<T = Positions> extends MaxPoolBackwardOptions<T, number | readonly [number], Padding1d> {}

/**
 * The maximum of each window of `size` pixels: `x [N, L, C]` → `[N, OL, C]`; padding never wins, NaN does.
 * Throws `INVALID_SHAPE` for a window larger than the padded input, `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding
 * among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function maxPool1d(x: Tensor, size: number | readonly [number], options?: Pool1dOptions): Tensor
export function maxPool1d(x: Value, size: number | readonly [number], options?: Pool1dOptions): Value
export function maxPool1d(x: Operand, size: number | readonly [number], options?: Pool1dOptions): Operand {
  return maxPool(maxPool1dOps, x, size, options)
}

/** As `maxPool1d`, with the position of each maximum within its window, `k` (the first in row-major order, where several are alike). */
export function maxPool1dWithPositions(
  x: Tensor,
  size: number | readonly [number],
  options?: Pool1dOptions,
): { y: Tensor; positions: Positions }
export function maxPool1dWithPositions(x: Value, size: number | readonly [number], options?: Pool1dOptions): { y: Value; positions: Value }
export function maxPool1dWithPositions(
  x: Operand,
  size: number | readonly [number],
  options?: Pool1dOptions,
): Record<'y' | 'positions', Operand> {
  return maxPoolWithPositions(maxPool1dOps, x, size, options)
}

/** `{ dx }`: the gradient of `maxPool1d(x, size, options)` by `x`: each `dy [N, OL, C]` goes to its window's maximum. Throws as `maxPool1d` does. */
export function maxPool1dBackward(
  dy: Tensor,
  x: Tensor,
  size: number | readonly [number],
  options?: MaxPool1dBackwardOptions,
): { dx: Tensor }
export function maxPool1dBackward(
  dy: Value,
  x: Value,
  size: number | readonly [number],
  options?: MaxPool1dBackwardOptions<Value>,
): { dx: Value }
export function maxPool1dBackward(
  dy: Operand,
  x: Operand,
  size: number | readonly [number],
  options?: MaxPool1dBackwardOptions<Operand>,
): { dx: Operand } {
  return maxPoolBackward(maxPool1dOps, dy, x, size, options)
}
