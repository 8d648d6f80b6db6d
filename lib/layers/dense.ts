import { checkBoolean, checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { type Activation, checkActivation } from '../ops/activation'
import * as ops from '../ops/dense'
import { checkInteger } from '../shape'
import { type BuildContext, Layer, type Parameter } from './layer'
import { checkWeightOptions, type WeightOptions, type Weights, weightOptionNames, weightParameter } from './weights'

/** Options of {@link dense}. */
export interface DenseLayerOptions<Name extends string = string> extends WeightOptions {
  /** Default `'linear'`. */
  readonly activation?: Activation
  /** Whether a number is added to each unit's output. Default true. */
  readonly bias?: boolean
  /** Default `dense`, `dense_1`, … */
  readonly name?: Name
}

class Dense<Name extends string> extends Layer<2, 2, Name> {
  override readonly type = 'dense'
  override readonly rank = 2
  override readonly arity = 1
  readonly #units: number
  readonly #options: { readonly activation: Activation; readonly bias: boolean }
  readonly #weights: Weights

  constructor(units: number, options: DenseLayerOptions<Name>) {
    checkOptions('dense', options, ['activation', 'bias', 'name', ...weightOptionNames('kernel', 'bias')])
    super('dense', options.name, options)
    const label = labelOf('dense', options.name)
    const { activation = 'linear', bias = true } = options
    this.#units = checkInteger(units, label, 'units')
    this.#options = {
      activation: checkActivation(activation, label),
      bias: checkBoolean(bias, label, 'bias'),
    }
    this.#weights = checkWeightOptions({ kernelInitializer: 'glorotUniform', ...options }, label, 'kernel', 'bias')
  }

  override config() {
    return { units: this.#units, ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const kernel = weightParameter(this.#weights, 'kernel', { name: 'kernel', shape: [x!.shape[1]!, this.#units] }, 'glorotUniform')
    if (!this.#options.bias) return [kernel]
    return [kernel, weightParameter(this.#weights, 'bias', { name: 'bias', shape: [this.#units] }, 'zeros')]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, bias } = this.#options
    return ops.dense(x!, parameter('kernel'), { activation, ...(bias && { bias: parameter('bias') }), name })
  }
}

/**
 * Every input is weighed for every unit: `[N, C]` → `[N, units]`, y = activation(x · kernel + bias).
 * Parameters: `kernel [C, units]`, `bias [units]`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank
 */
export function dense<const Name extends string = 'dense'>(units: number, options: DenseLayerOptions<Name> = {}): Layer<2, 2, Name> {
  return new Dense(units, options)
}
