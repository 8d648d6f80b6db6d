import type { Padding1d } from '../shape'
import { DepthwiseConvolution, type DepthwiseLayerOptions, SeparableConvolution } from './depthwiseConvolution'
import type { Layer } from './layer'

/** Options of {@link depthwiseConv1d}. */
export interface DepthwiseConv1dLayerOptions<Name extends string = string>
  extends DepthwiseLayerOptions<Name, number | readonly [number], Padding1d> {}
/** As `depthwiseConv1d`: stride, padding and dilation are those of the filters of each channel. */
export interface SeparableConv1dLayerOptions<Name extends string = string> extends DepthwiseConv1dLayerOptions<Name> {}

/**
 * Each channel convolved by filters of its own: `[N, L, C]` → `[N, OL, C · depthMultiplier]`, the filters of one channel next to each other.
 * Parameters: `kernel [K, C, depthMultiplier]` (Keras' layout), `bias [C · depthMultiplier]`, or with `bias: 'position'` the sizes of a result.
 * @param kernelSize size of the window
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function depthwiseConv1d<const Name extends string = 'depthwiseConv1d'>(
  kernelSize: number | readonly [number],
  options: DepthwiseConv1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new DepthwiseConvolution(1, kernelSize, options)
}

/**
 * A convolution in two: each channel by filters of its own, then every filter over all channels of one place. `[N, L, C]` → `[N, OL, filters]`.
 * Parameters: `depthwiseKernel [K, C, depthMultiplier]`, `pointwiseKernel [1, C · depthMultiplier, filters]`, `bias [filters]`, or with
 * `bias: 'position'` the sizes of a result; bias and activation come at the end (Keras).
 * @param filters number of channels that come out
 * @param kernelSize size of the window
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function separableConv1d<const Name extends string = 'separableConv1d'>(
  filters: number,
  kernelSize: number | readonly [number],
  options: SeparableConv1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new SeparableConvolution(1, filters, kernelSize, options)
}
