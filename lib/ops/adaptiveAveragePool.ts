import type { Value } from '../graph/value'
import type { Pair, Triple } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import { checkOptions, type OpOptions } from './options'
import { type SizedOps, sizedFamily, toSize, toSizeBackward } from './sized'

/** Those of one to three axes. */
export const adaptiveAveragePools = sizedFamily('adaptiveAveragePool')
const { 1: lines, 2: images, 3: volumes } = adaptiveAveragePools

const checked = (options: OpOptions) => (label: string) => {
  checkOptions(options, [], label)
  return {}
}

/** What `adaptiveAveragePool1d`, `adaptiveAveragePool2d` and `adaptiveAveragePool3d` do. */
export function adaptiveAveragePool(ops: SizedOps, x: Operand, size: unknown, options: OpOptions = {}): Operand {
  return toSize(ops, x, size, options, checked(options))
}

function poolBackward(ops: SizedOps, dy: Operand, x: Operand, size: unknown, options: OpOptions = {}): { dx: Operand } {
  return toSizeBackward(ops, dy, x, size, options, checked(options))
}

/**
 * The means of `size` bins, whatever the input's length: `x [N, L, C]` → `[N, size, C]`. PyTorch's rule: bin i reaches from ⌊i · L / size⌋ to
 * ⌈(i + 1) · L / size⌉, so that bins may overlap by a pixel, and are of one pixel where there are more bins than pixels.
 * Throws `INVALID_SHAPE` for another rank, `INVALID_ARGUMENT` for a bad size.
 */
export function adaptiveAveragePool1d(x: Tensor, size: number | readonly [number], options?: OpOptions): Tensor
export function adaptiveAveragePool1d(x: Value, size: number | readonly [number], options?: OpOptions): Value
export function adaptiveAveragePool1d(x: Operand, size: unknown, options?: OpOptions): Operand {
  return adaptiveAveragePool(lines, x, size, options)
}

/** As `adaptiveAveragePool1d` along both axes: `x [N, H, W, C]` → `[N, size[0], size[1], C]`. */
export function adaptiveAveragePool2d(x: Tensor, size: number | Pair, options?: OpOptions): Tensor
export function adaptiveAveragePool2d(x: Value, size: number | Pair, options?: OpOptions): Value
export function adaptiveAveragePool2d(x: Operand, size: unknown, options?: OpOptions): Operand {
  return adaptiveAveragePool(images, x, size, options)
}

/** As `adaptiveAveragePool1d` along three axes: `x [N, D, H, W, C]` → `[N, size[0], size[1], size[2], C]`. */
export function adaptiveAveragePool3d(x: Tensor, size: number | Triple, options?: OpOptions): Tensor
export function adaptiveAveragePool3d(x: Value, size: number | Triple, options?: OpOptions): Value
export function adaptiveAveragePool3d(x: Operand, size: unknown, options?: OpOptions): Operand {
  return adaptiveAveragePool(volumes, x, size, options)
}

/** `{ dx }`: the gradient of `adaptiveAveragePool1d(x, size)` by `x`: each `dy` is shared alike by its bin. Throws as it does. */
export function adaptiveAveragePool1dBackward(dy: Tensor, x: Tensor, size: number | readonly [number], options?: OpOptions): { dx: Tensor }
export function adaptiveAveragePool1dBackward(dy: Value, x: Value, size: number | readonly [number], options?: OpOptions): { dx: Value }
export function adaptiveAveragePool1dBackward(dy: Operand, x: Operand, size: unknown, options?: OpOptions): { dx: Operand } {
  return poolBackward(lines, dy, x, size, options)
}

/** `{ dx }`, as `adaptiveAveragePool1dBackward`. */
export function adaptiveAveragePool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: OpOptions): { dx: Tensor }
export function adaptiveAveragePool2dBackward(dy: Value, x: Value, size: number | Pair, options?: OpOptions): { dx: Value }
export function adaptiveAveragePool2dBackward(dy: Operand, x: Operand, size: unknown, options?: OpOptions): { dx: Operand } {
  return poolBackward(images, dy, x, size, options)
}

/** `{ dx }`, as `adaptiveAveragePool1dBackward`. */
export function adaptiveAveragePool3dBackward(dy: Tensor, x: Tensor, size: number | Triple, options?: OpOptions): { dx: Tensor }
export function adaptiveAveragePool3dBackward(dy: Value, x: Value, size: number | Triple, options?: OpOptions): { dx: Value }
export function adaptiveAveragePool3dBackward(dy: Operand, x: Operand, size: unknown, options?: OpOptions): { dx: Operand } {
  return poolBackward(volumes, dy, x, size, options)
}
