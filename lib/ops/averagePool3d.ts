import type { Value } from '../graph/value'
import type { Padding3d, Triple } from '../shape'
import type { Tensor } from '../tensor'
import { type AveragePoolOptions, averagePool, averagePoolBackward, averagePoolOps } from './averagePool'
import type { Operand } from './call'

export const averagePool3dOps = averagePoolOps(3)

/** Options of {@link averagePool3d}. */
export interface AveragePool3dOptions extends AveragePoolOptions<number | Triple, Padding3d> {}

/**
 * The mean of each window of `size` pixels: `x [N, D, H, W, C]` → `[N, OD, OH, OW, C]`. Throws `INVALID_SHAPE` for a window larger than the padded input,
 * `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function averagePool3d(x: Tensor, size: number | Triple, options?: AveragePool3dOptions): Tensor
export function averagePool3d(x: Value, size: number | Triple, options?: AveragePool3dOptions): Value
export function averagePool3d(x: Operand, size: number | Triple, options?: AveragePool3dOptions): Operand {
  return averagePool(averagePool3dOps, x, size, options)
}

/** `{ dx }`: the gradient of `averagePool3d(x, size, options)` by `x`: each `dy [N, OD, OH, OW, C]` is shared by its window. Throws as `averagePool3d` does. */
export function averagePool3dBackward(dy: Tensor, x: Tensor, size: number | Triple, options?: AveragePool3dOptions): { dx: Tensor }
export function averagePool3dBackward(dy: Value, x: Value, size: number | Triple, options?: AveragePool3dOptions): { dx: Value }
export function averagePool3dBackward(dy: Operand, x: Operand, size: number | Triple, options?: AveragePool3dOptions): { dx: Operand } {
  return averagePoolBackward(averagePool3dOps, dy, x, size, options)
}
