import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import * as ops from '../ops/rmsNorm'
import { checkInteger } from '../shape'
import type { Layer } from './layer'
import { type LayerNormLayerOptions, lastSizes } from './layerNorm'
import { Norm, type NormCall } from './norm'

/** Options of {@link rmsNorm}. */
export interface RmsNormLayerOptions<Name extends string = string>
  extends Omit<LayerNormLayerOptions<Name>, 'center' | 'epsilon' | 'betaInitializer' | 'betaRegularizer' | 'betaConstraint'> {
  /** Added to the mean square, 0 or more. Default 1e-6, as in Keras (PyTorch: 1.19e-7). */
  readonly epsilon?: number
}

class RmsNorm<Name extends string> extends Norm<Name> {
  override readonly type = 'rmsNorm'
  readonly #axes: number

  constructor(options: RmsNormLayerOptions<Name>) {
    super('rmsNorm', options, 1e-6, ['axes'], false)
    this.#axes = checkInteger(options.axes ?? 1, labelOf('rmsNorm', options.name), 'axes')
  }

  override config() {
    const { center: _, ...settings } = this.settings
    return { axes: this.#axes, ...settings }
  }

  protected override parameterShape(x: TensorType, label: string): number[] {
    return lastSizes(x, this.#axes, label)
  }

  protected override normalize(x: Value, { beta: _, ...options }: NormCall): Value {
    return ops.rmsNorm(x, { axes: this.#axes, ...options })
  }
}

/**
 * Root mean square normalization (Zhang and Sennrich, 2019), over the last axis, or the last `axes` axes together: y = activation(gamma · x /
 * √(mean of x² + epsilon)). Any shape, kept. Defaults are Keras'.
 *
 * Parameter, of the shape of the normalized axes: `gamma`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for more axes than a sample has
 */
export function rmsNorm<const Name extends string = 'rmsNorm'>(options: RmsNormLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new RmsNorm(options)
}
