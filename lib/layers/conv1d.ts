import type { Padding1d } from '../shape'
import { Convolution, type ConvolutionLayerOptions } from './convolution'
import type { Layer } from './layer'

export interface Conv1dLayerOptions<Name extends string = string>
  extends ConvolutionLayerOptions<Name, number | readonly [number], Padding1d> {}

/**
 * 1-D convolution (cross-correlation): `[N, L, C]` → `[N, OL, filters]`,
 * OL = ⌊(L + before + after − dilation · (K − 1) − 1) / stride⌋ + 1. Padding may be `'causal'`: dilation · (K − 1) before,
 * so that no output sees what comes later (Keras' rule), or `[before, after]`.
 * Parameters: `kernel [K, C/groups, filters]`, `bias [filters]`, or `bias [OL, filters]` with `bias: 'position'`.
 * @param filters number of channels that come out
 * @param kernelSize size of the window
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function conv1d<const Name extends string = 'conv1d'>(
  filters: number,
  kernelSize: number | readonly [number],
  options: Conv1dLayerOptions<Name> = {},
): Layer<3, 3, Name> {
  return new Convolution(1, filters, kernelSize, options)
}
