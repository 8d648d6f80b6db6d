import type { Value } from '../graph/value'
import type { Pair } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { type MaxPoolBackwardOptions, maxPool, maxPoolBackward, maxPoolOps, maxPoolWithPositions, type Positions } from './maxPool'
import type { PoolOptions } from './pool'

export const maxPool2dOps = maxPoolOps(2)

/** Options of {@link maxPool2dBackward}. */
export interface MaxPool2dBackwardOptions<T = Positions> extends MaxPoolBackwardOptions<T> {}

/**
 * The maximum of each window of `size` pixels: `x [N, H, W, C]` → `[N, OH, OW, C]`; padding never wins, NaN does.
 * Throws `INVALID_SHAPE` for a window larger than the padded input, `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding
 * among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function maxPool2d(x: Tensor, size: number | Pair, options?: PoolOptions): Tensor
export function maxPool2d(x: Value, size: number | Pair, options?: PoolOptions): Value
export function maxPool2d(x: Operand, size: number | Pair, options?: PoolOptions): Operand {
  return maxPool(maxPool2dOps, x, size, options)
}

/** As `maxPool2d`, with the position of each maximum within its window, `kh · KW + kw` (the first in row-major order, where several are alike). */
export function maxPool2dWithPositions(x: Tensor, size: number | Pair, options?: PoolOptions): { y: Tensor; positions: Positions }
export function maxPool2dWithPositions(x: Value, size: number | Pair, options?: PoolOptions): { y: Value; positions: Value }
export function maxPool2dWithPositions(x: Operand, size: number | Pair, options?: PoolOptions): Record<'y' | 'positions', Operand> {
  return maxPoolWithPositions(maxPool2dOps, x, size, options)
}

/** `{ dx }`: the gradient of `maxPool2d(x, size, options)` by `x`: each `dy [N, OH, OW, C]` goes to its window's maximum. Throws as `maxPool2d` does. */
export function maxPool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: MaxPool2dBackwardOptions): { dx: Tensor }
export function maxPool2dBackward(dy: Value, x: Value, size: number | Pair, options?: MaxPool2dBackwardOptions<Value>): { dx: Value }
export function maxPool2dBackward(
  dy: Operand,
  x: Operand,
  size: number | Pair,
  options?: MaxPool2dBackwardOptions<Operand>,
): { dx: Operand } {
  return maxPoolBackward(maxPool2dOps, dy, x, size, options)
}
