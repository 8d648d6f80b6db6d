import type { Padding, Pair } from '../shape'
import { Convolution, type ConvolutionLayerOptions } from './convolution'
import type { Layer } from './layer'

export interface Conv2dLayerOptions<Name extends string = string> extends ConvolutionLayerOptions<Name, number | Pair, Padding> {}

/**
 * 2-D convolution (cross-correlation): `[N, H, W, C]` → `[N, OH, OW, filters]`,
 * OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1, and OW likewise. Padding in pixels: a number, `[h, w]`, `[[top, bottom], [left, right]]`.
 * Parameters: `kernel [KH, KW, C/groups, filters]`, `bias [filters]`, or `bias [OH, OW, filters]` with `bias: 'position'`.
 * @param filters number of channels that come out
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function conv2d<const Name extends string = 'conv2d'>(
  filters: number,
  kernelSize: number | Pair,
  options: Conv2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Convolution(2, filters, kernelSize, options)
}
