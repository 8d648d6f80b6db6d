import type { Value } from '../graph/value'
import type { Pair } from '../shape'
import type { Tensor } from '../tensor'
import { type AveragePoolOptions, averagePool, averagePoolBackward, averagePoolOps } from './averagePool'
import type { Operand } from './call'

export const averagePool2dOps = averagePoolOps(2)

/** Options of {@link averagePool2d}. */
export interface AveragePool2dOptions extends AveragePoolOptions {}

/**
 * The mean of each window of `size` pixels: `x [N, H, W, C]` → `[N, OH, OW, C]`. Throws `INVALID_SHAPE` for a window larger than the padded input,
 * `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function averagePool2d(x: Tensor, size: number | Pair, options?: AveragePool2dOptions): Tensor
export function averagePool2d(x: Value, size: number | Pair, options?: AveragePool2dOptions): Value
export function averagePool2d(x: Operand, size: number | Pair, options?: AveragePool2dOptions): Operand {
  return averagePool(averagePool2dOps, x, size, options)
}

/** `{ dx }`: the gradient of `averagePool2d(x, size, options)` by `x`: each `dy [N, OH, OW, C]` is shared by its window. Throws as `averagePool2d` does. */
export function averagePool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: AveragePool2dOptions): { dx: Tensor }
export function averagePool2dBackward(dy: Value, x: Value, size: number | Pair, options?: AveragePool2dOptions): { dx: Value }
export function averagePool2dBackward(dy: Operand, x: Operand, size: number | Pair, options?: AveragePool2dOptions): { dx: Operand } {
  return averagePoolBackward(averagePool2dOps, dy, x, size, options)
}
