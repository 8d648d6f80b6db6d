import type { Padding3d, Triple } from '../shape'
import type { Layer } from './layer'
import { TransposedConvolution, type TransposedLayerOptions } from './transposedConvolution'

/** Options of {@link convTranspose3d}. */
export interface ConvTranspose3dLayerOptions<Name extends string = string>
  extends TransposedLayerOptions<Name, number | Triple, Padding3d> {}

/**
 * Transposed 3-D convolution, which makes images larger by its stride: `[N, D, H, W, C]` → `[N, OD, OH, OW, filters]`,
 * OD = (D − 1) · stride − front − back + dilation · (KD − 1) + 1 + outputPadding, OH and OW likewise.
 * Parameters: `kernel [KD, KH, KW, filters/groups, C]` (Keras' layout: that of the convolution back), `bias [filters]`, or with `bias: 'position'` the sizes of a
 * result. Sizes are PyTorch's, `'same'` is Keras'.
 * @param filters number of channels that come out
 * @param kernelSize size of the window, one number or `[depth, height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or one of which nothing is left
 */
export function convTranspose3d<const Name extends string = 'convTranspose3d'>(
  filters: number,
  kernelSize: number | Triple,
  options: ConvTranspose3dLayerOptions<Name> = {},
): Layer<5, 5, Name> {
  return new TransposedConvolution(3, filters, kernelSize, options)
}
