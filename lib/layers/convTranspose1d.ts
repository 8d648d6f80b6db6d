import type { Padding1d } from '../shape'
import type { Layer } from './layer'
import { TransposedConvolution, type TransposedLayerOptions } from './transposedConvolution'

/** Options of {@link convTranspose1d}. */
export interface ConvTranspose1dLayerOptions<Name extends string = string>
  extends TransposedLayerOptions<Name, number | readonly [number], Exclude<Padding1d, 'causal'>> {}

/**
 * Transposed 1-D convolution, which makes images larger by its stride: `[N, L, C]` → `[N, OL, filters]`,
 * OL = (L − 1) · stride − before − after + dilation · (K − 1) + 1 + outputPadding.
 * Parameters: `kernel [K, filters/groups, C]` (Keras' layout: that of the convolution back), `bias [filters]`, or with `bias: 'position'` the sizes of a
 * result. Sizes are PyTorch's, `'same'` is Keras'.
 * @param filters number of channels that come out
 * @param kernelSize size of the window
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or one of which nothing is left
 */
export function convTranspose1d<const Name extends string = 'convTranspose1d'>(
  filters: number,
  kernelSize: number | readonly [number],
  options: ConvTranspose1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new TransposedConvolution(1, filters, kernelSize, options)
}
