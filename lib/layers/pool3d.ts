import { globalAveragePool3d as globalAverage, globalMaxPool3d as globalMax } from '../ops/globalPool'
import type { Padding3d, Triple } from '../shape'
import type { Layer } from './layer'
import {
  AdaptiveAveragePool,
  type AveragePoolLayerOptions,
  GlobalPool,
  LpPool,
  type LpPoolLayerOptions,
  Pool,
  type PoolLayerOptions,
} from './pool'

/** Options of {@link maxPool3d}. */
export interface Pool3dLayerOptions<Name extends string = string> extends PoolLayerOptions<Name, number | Triple, Padding3d> {}
/** Options of {@link averagePool3d}. */
export interface AveragePool3dLayerOptions<Name extends string = string>
  extends AveragePoolLayerOptions<Name, number | Triple, Padding3d> {}

/**
 * The largest value within each window: `[N, D, H, W, C]` → `[N, OD, OH, OW, C]`, OD = ⌊(D + front + back − dilation · (KD − 1) − 1) / stride⌋ + 1.
 * @param size of the window, one number or `[depth, height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input that does not fit
 */
export function maxPool3d<const Name extends string = 'maxPool3d'>(
  size: number | Triple,
  options: Pool3dLayerOptions<Name> = {},
): Layer<5, 5, Name> {
  return new Pool('max', 3, size, options)
}

/** The mean of each window. Shapes, options and errors as {@link maxPool3d}. */
export function averagePool3d<const Name extends string = 'averagePool3d'>(
  size: number | Triple,
  options: AveragePool3dLayerOptions<Name> = {},
): Layer<5, 5, Name> {
  return new Pool('average', 3, size, options)
}

/** The mean of each channel over the whole volume: `[N, D, H, W, C]` → `[N, C]`. Throws INVALID_ARGUMENT; INVALID_SHAPE for another rank. */
export function globalAveragePool3d<const Name extends string = 'globalAveragePool3d'>(
  options: { readonly name?: Name } = {},
): Layer<5, 2, Name> {
  return new GlobalPool('globalAveragePool3d', 3, globalAverage, options)
}

/** The maximum of each channel over the whole volume: `[N, D, H, W, C]` → `[N, C]`. Throws INVALID_ARGUMENT; INVALID_SHAPE for another rank. */
export function globalMaxPool3d<const Name extends string = 'globalMaxPool3d'>(options: { readonly name?: Name } = {}): Layer<5, 2, Name> {
  return new GlobalPool('globalMaxPool3d', 3, globalMax, options)
}

/**
 * The means of so many bins as `size` says, whatever the input's size: `[N, D, H, W, C]` → `[N, size[0], size[1], size[2], C]`. PyTorch's rule: bin i of a depth reaches
 * from ⌊i · D / size⌋ to ⌈(i + 1) · D / size⌉.
 * @param size of what comes out, one number or `[depth, height, width]`
 * @throws INVALID_ARGUMENT
 */
export function adaptiveAveragePool3d<const Name extends string = 'adaptiveAveragePool3d'>(
  size: number | Triple,
  options: { readonly name?: Name } = {},
): Layer<5, 5, Name> {
  return new AdaptiveAveragePool(3, size, options)
}

/** Options of {@link lpPool3d}. */
export interface LpPool3dLayerOptions<Name extends string = string> extends LpPoolLayerOptions<Name, number | Triple, Padding3d> {}

/**
 * (Σ |x|ᵖ)^(1/p) over each window; p = 2 is the "square-root" pooling of text books. Shapes and errors as {@link maxPool3d}.
 * Where a window is all zeros its gradient is 0 (PyTorch's is NaN).
 */
export function lpPool3d<const Name extends string = 'lpPool3d'>(
  size: number | Triple,
  options: LpPool3dLayerOptions<Name> = {},
): Layer<5, 5, Name> {
  return new LpPool(3, size, options)
}
