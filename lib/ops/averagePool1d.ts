import type { Value } from '../graph/value'
import type { Padding1d } from '../shape'
import type { Tensor } from '../tensor'
import { type AveragePoolOptions, averagePool, averagePoolBackward, averagePoolOps } from './averagePool'
import type { Operand } from './call'

export const averagePool1dOps = averagePoolOps(1)

/** Options of {@link averagePool1d}. */
export interface AveragePool1dOptions extends AveragePoolOptions<number | readonly [number], Padding1d> {}

/**
 * The mean of each window of `size` pixels: `x [N, L, C]` → `[N, OL, C]`. Throws `INVALID_SHAPE` for a window larger than the padded input,
 * `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function averagePool1d(x: Tensor, size: number | readonly [number], options?: AveragePool1dOptions): Tensor
export function averagePool1d(x: Value, size: number | readonly [number], options?: AveragePool1dOptions): Value
export function averagePool1d(x: Operand, size: number | readonly [number], options?: AveragePool1dOptions): Operand {
  return averagePool(averagePool1dOps, x, size, options)
}

/** `{ dx }`: the gradient of `averagePool1d(x, size, options)` by `x`: each `dy [N, OL, C]` is shared by its window. Throws as `averagePool1d` does. */
export function averagePool1dBackward(
  dy: Tensor,
  x: Tensor,
  size: number | readonly [number],
  options?: AveragePool1dOptions,
): { dx: Tensor }
export function averagePool1dBackward(dy: Value, x: Value, size: number | readonly [number], options?: AveragePool1dOptions): { dx: Value }
export function averagePool1dBackward(
  dy: Operand,
  x: Operand,
  size: number | readonly [number],
  options?: AveragePool1dOptions,
): { dx: Operand } {
  return averagePoolBackward(averagePool1dOps, dy, x, size, options)
}
