import type { Padding, Pair } from '../shape'
import type { Layer } from './layer'
import { TransposedConvolution, type TransposedLayerOptions } from './transposedConvolution'

/** Options of {@link convTranspose2d}. */
export interface ConvTranspose2dLayerOptions<Name extends string = string> extends TransposedLayerOptions<Name, number | Pair, Padding> {}

/**
 * Transposed 2-D convolution, which makes images larger by its stride: `[N, H, W, C]` → `[N, OH, OW, filters]`,
 * OH = (H − 1) · stride − top − bottom + dilation · (KH − 1) + 1 + outputPadding, and OW likewise.
 * Parameters: `kernel [KH, KW, filters/groups, C]` (Keras' layout: that of the convolution back), `bias [filters]`, or with `bias: 'position'` the sizes of a
 * result. Sizes are PyTorch's, `'same'` is Keras'.
 * @param filters number of channels that come out
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or one of which nothing is left
 */
export function convTranspose2d<const Name extends string = 'convTranspose2d'>(
  filters: number,
  kernelSize: number | Pair,
  options: ConvTranspose2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new TransposedConvolution(2, filters, kernelSize, options)
}
