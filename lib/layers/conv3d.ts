import type { Padding3d, Triple } from '../shape'
import { Convolution, type ConvolutionLayerOptions } from './convolution'
import type { Layer } from './layer'

export interface Conv3dLayerOptions<Name extends string = string> extends ConvolutionLayerOptions<Name, number | Triple, Padding3d> {}

/**
 * 3-D convolution (cross-correlation): `[N, D, H, W, C]` → `[N, OD, OH, OW, filters]`,
 * OD = ⌊(D + front + back − dilation · (KD − 1) − 1) / stride⌋ + 1, OH and OW likewise. Padding in pixels: a number, `[d, h, w]`,
 * `[[front, back], [top, bottom], [left, right]]`.
 * Parameters: `kernel [KD, KH, KW, C/groups, filters]`, `bias [filters]`, or `bias [OD, OH, OW, filters]` with `bias: 'position'`.
 * @param filters number of channels that come out
 * @param kernelSize size of the window, one number or `[depth, height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function conv3d<const Name extends string = 'conv3d'>(
  filters: number,
  kernelSize: number | Triple,
  options: Conv3dLayerOptions<Name> = {},
): Layer<5, 5, Name> {
  return new Convolution(3, filters, kernelSize, options)
}
