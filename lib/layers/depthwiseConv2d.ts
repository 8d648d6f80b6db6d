import type { Padding, Pair } from '../shape'
import { DepthwiseConvolution, type DepthwiseLayerOptions, SeparableConvolution } from './depthwiseConvolution'
import type { Layer } from './layer'

/** Options of {@link depthwiseConv2d}. */
export interface DepthwiseConv2dLayerOptions<Name extends string = string> extends DepthwiseLayerOptions<Name, number | Pair, Padding> {}
/** As `depthwiseConv2d`: stride, padding and dilation are those of the filters of each channel. */
export interface SeparableConv2dLayerOptions<Name extends string = string> extends DepthwiseConv2dLayerOptions<Name> {}

/**
 * Each channel convolved by filters of its own: `[N, H, W, C]` → `[N, OH, OW, C · depthMultiplier]`, the filters of one channel next to each other.
 * Parameters: `kernel [KH, KW, C, depthMultiplier]` (Keras' layout), `bias [C · depthMultiplier]`, or with `bias: 'position'` the sizes of a result.
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function depthwiseConv2d<const Name extends string = 'depthwiseConv2d'>(
  kernelSize: number | Pair,
  options: DepthwiseConv2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new DepthwiseConvolution(2, kernelSize, options)
}

/**
 * A convolution in two: each channel by filters of its own, then every filter over all channels of one pixel. `[N, H, W, C]` → `[N, OH, OW, filters]`.
 * Parameters: `depthwiseKernel [KH, KW, C, depthMultiplier]`, `pointwiseKernel [1, 1, C · depthMultiplier, filters]`, `bias [filters]`, or with
 * `bias: 'position'` the sizes of a result; bias and activation come at the end (Keras).
 * @param filters number of channels that come out
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function separableConv2d<const Name extends string = 'separableConv2d'>(
  filters: number,
  kernelSize: number | Pair,
  options: SeparableConv2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new SeparableConvolution(2, filters, kernelSize, options)
}
