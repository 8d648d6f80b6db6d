import { globalAveragePool2d as globalAverage, globalMaxPool2d as globalMax } from '../ops/globalPool'
import type { Pair } from '../shape'
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

/** Options of {@link maxPool2d}. */
export interface Pool2dLayerOptions<Name extends string = string> extends PoolLayerOptions<Name> {}
/** Options of {@link averagePool2d}. */
export interface AveragePool2dLayerOptions<Name extends string = string> extends AveragePoolLayerOptions<Name> {}

/**
 * The largest value within each window: `[N, H, W, C]` → `[N, OH, OW, C]`, OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1.
 * @param size of the window, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input that does not fit
 */
export function maxPool2d<const Name extends string = 'maxPool2d'>(
  size: number | Pair,
  options: Pool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Pool('max', 2, size, options)
}

/** The mean of each window. Shapes, options and errors as {@link maxPool2d}. */
export function averagePool2d<const Name extends string = 'averagePool2d'>(
  size: number | Pair,
  options: AveragePool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Pool('average', 2, size, options)
}

/** The mean of each channel over the whole image: `[N, H, W, C]` → `[N, C]`. Throws INVALID_ARGUMENT; INVALID_SHAPE for another rank. */
export function globalAveragePool2d<const Name extends string = 'globalAveragePool2d'>(
  options: { readonly name?: Name } = {},
): Layer<4, 2, Name> {
  return new GlobalPool('globalAveragePool2d', 2, globalAverage, options)
}

/** The maximum of each channel over the whole image: `[N, H, W, C]` → `[N, C]`. Throws INVALID_ARGUMENT; INVALID_SHAPE for another rank. */
export function globalMaxPool2d<const Name extends string = 'globalMaxPool2d'>(options: { readonly name?: Name } = {}): Layer<4, 2, Name> {
  return new GlobalPool('globalMaxPool2d', 2, globalMax, options)
}

/**
 * The means of so many bins as `size` says, whatever the input's size: `[N, H, W, C]` → `[N, size[0], size[1], C]`. PyTorch's rule: bin i of a height reaches
 * from ⌊i · H / size⌋ to ⌈(i + 1) · H / size⌉.
 * @param size of what comes out, one number or `[height, width]`
 * @throws INVALID_ARGUMENT
 */
export function adaptiveAveragePool2d<const Name extends string = 'adaptiveAveragePool2d'>(
  size: number | Pair,
  options: { readonly name?: Name } = {},
): Layer<4, 4, Name> {
  return new AdaptiveAveragePool(2, size, options)
}

/** Options of {@link lpPool2d}. */
export interface LpPool2dLayerOptions<Name extends string = string> extends LpPoolLayerOptions<Name> {}

/**
 * (Σ |x|ᵖ)^(1/p) over each window; p = 2 is the "square-root" pooling of text books. Shapes and errors as {@link maxPool2d}.
 * Where a window is all zeros its gradient is 0 (PyTorch's is NaN).
 */
export function lpPool2d<const Name extends string = 'lpPool2d'>(
  size: number | Pair,
  options: LpPool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new LpPool(2, size, options)
}
