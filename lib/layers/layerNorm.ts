import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import * as ops from '../ops/layerNorm'
import { checkInteger, shapeText } from '../shape'
import type { Layer } from './layer'
import { Norm, type NormCall, type NormOptions } from './norm'

export interface LayerNormLayerOptions<Name extends string = string> extends NormOptions<Name> {
  /** How many of the last axes are normalized together: 1, the channels of each position, up to all of a sample. Default 1. */
  readonly axes?: number
}

/** The sizes of the last axes of a sample. Throws INVALID_SHAPE where a sample has fewer. */
export function lastSizes({ shape }: TensorType, axes: number, label: string): number[] {
  if (axes < shape.length) return shape.slice(-axes) as number[]
  const message = `${label}: axes ${axes} is more than the ${shape.length - 1} of a sample, input ${shapeText(shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape.length - 1, received: axes })
}

class LayerNorm<Name extends string> extends Norm<Name> {
  override readonly type = 'layerNorm'
  readonly #axes: number

  constructor(options: LayerNormLayerOptions<Name>) {
    super('layerNorm', options, 1e-3, ['axes'])
    this.#axes = checkInteger(options.axes ?? 1, labelOf('layerNorm', options.name), 'axes')
  }

  override config() {
    return { axes: this.#axes, ...this.settings }
  }

  protected override parameterShape(x: TensorType, label: string): number[] {
    return lastSizes(x, this.#axes, label)
  }

  protected override normalize(x: Value, options: NormCall): Value {
    return ops.layerNorm(x, { axes: this.#axes, ...options })
  }
}

/**
 * Layer normalization (Ba, Kiros and Hinton, 2016), over the last axis, or the last `axes` axes together: y = activation(gamma · (x − mean) /
 * √(variance + epsilon) + beta). Any shape, kept. Each sample is normalized by itself, in training and afterwards alike. Defaults are Keras'.
 *
 * Parameters, of the shape of the normalized axes: `gamma` and `beta`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for more axes than a sample has
 */
export function layerNorm<const Name extends string = 'layerNorm'>(options: LayerNormLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new LayerNorm(options)
}
