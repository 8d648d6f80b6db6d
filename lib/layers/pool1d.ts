import { globalAveragePool1d as globalAverage, globalMaxPool1d as globalMax } from '../ops/globalPool'
import type { Padding1d } from '../shape'
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

/** Options of {@link maxPool1d}. */
export interface Pool1dLayerOptions<Name extends string = string> extends PoolLayerOptions<Name, number | readonly [number], Padding1d> {}
/** Options of {@link averagePool1d}. */
export interface AveragePool1dLayerOptions<Name extends string = string>
  extends AveragePoolLayerOptions<Name, number | readonly [number], Padding1d> {}

/**
 * The largest value within each window: `[N, L, C]` → `[N, OL, C]`, OL = ⌊(L + before + after − dilation · (K − 1) − 1) / stride⌋ + 1.
 * @param size of the window
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input that does not fit
 */
export function maxPool1d<const Name extends string = 'maxPool1d'>(
  size: number | readonly [number],
  options: Pool1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new Pool('max', 1, size, options)
}

/** The mean of each window. Shapes, options and errors as {@link maxPool1d}. */
export function averagePool1d<const Name extends string = 'averagePool1d'>(
  size: number | readonly [number],
  options: AveragePool1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new Pool('average', 1, size, options)
}

/** The mean of each channel over the whole sequence: `[N, L, C]` → `[N, C]`. Throws INVALID_ARGUMENT; INVALID_SHAPE for another rank. */
export function globalAveragePool1d<const Name extends string = 'globalAveragePool1d'>(
  options: { readonly name?: Name } = {},
): Layer<3, 2, Name> {
  return new GlobalPool('globalAveragePool1d', 1, globalAverage, options)
}

/** The maximum of each channel over the whole sequence: `[N, L, C]` → `[N, C]`. Throws INVALID_ARGUMENT; INVALID_SHAPE for another rank. */
export function globalMaxPool1d<const Name extends string = 'globalMaxPool1d'>(options: { readonly name?: Name } = {}): Layer<3, 2, Name> {
  return new GlobalPool('globalMaxPool1d', 1, globalMax, options)
}

/**
 * The means of so many bins as `size` says, whatever the input's size: `[N, L, C]` → `[N, size, C]`. PyTorch's rule: bin i of a sequence reaches
 * from ⌊i · L / size⌋ to ⌈(i + 1) · L / size⌉.
 * @param size of what comes out
 * @throws INVALID_ARGUMENT
 */
export function adaptiveAveragePool1d<const Name extends string = 'adaptiveAveragePool1d'>(
  size: number | readonly [number],
  options: { readonly name?: Name } = {},
): Layer<3, 3, Name> {
  return new AdaptiveAveragePool(1, size, options)
}

/** Options of {@link lpPool1d}. */
export interface LpPool1dLayerOptions<Name extends string = string>
  extends LpPoolLayerOptions<Name, number | readonly [number], Padding1d> {}

/**
 * (Σ |x|ᵖ)^(1/p) over each window; p = 2 is the "square-root" pooling of text books. Shapes and errors as {@link maxPool1d}.
 * Where a window is all zeros its gradient is 0 (PyTorch's is NaN).
 */
export function lpPool1d<const Name extends string = 'lpPool1d'>(
  size: number | readonly [number],
  options: LpPool1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new LpPool(1, size, options)
}
