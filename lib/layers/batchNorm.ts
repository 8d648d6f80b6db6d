import { checkBoolean, checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { type Activation, checkActivation } from '../ops/activation'
import * as ops from '../ops/batchNorm'
import type { Constraint } from '../ops/constrain'
import { checkNumber } from '../shape'
import type { Initializer } from './initializers'
import { type BuildContext, Layer, type Parameter } from './layer'
import type { Regularizer } from './regularizers'
import { checkWeightOptions, type TrainingOptions, type Weights, weightOptionNames, weightParameter } from './weights'

/** Options of the weights of a normalization. */
export interface GammaBetaOptions extends TrainingOptions {
  /** How `gamma` begins. Default `'ones'`. */
  readonly gammaInitializer?: Initializer
  /** How `beta` begins. Default `'zeros'`. */
  readonly betaInitializer?: Initializer
  /** What `gamma` adds to the loss. Default: nothing. */
  readonly gammaRegularizer?: Regularizer
  /** What `beta` adds to the loss. Default: nothing. */
  readonly betaRegularizer?: Regularizer
  /** What `gamma` must be after each update. Default: anything. */
  readonly gammaConstraint?: Constraint
  /** What `beta` must be after each update. Default: anything. */
  readonly betaConstraint?: Constraint
}

/** Options of {@link batchNorm}. */
export interface BatchNormLayerOptions<Name extends string = string> extends GammaBetaOptions {
  /** What a step of training leaves of the running mean and variance, 0 to 1. Default 0.99. */
  readonly momentum?: number
  /** Added to the variance, 0 or more. Default 1e-3. */
  readonly epsilon?: number
  /** Whether each channel is multiplied by a trained number, `gamma`. Default true. */
  readonly scale?: boolean
  /** Whether a trained number, `beta`, is added to each channel. Default true. */
  readonly center?: boolean
  /** Default `'linear'`. */
  readonly activation?: Activation
  /** Default `batchNorm`, `batchNorm_1`, … */
  readonly name?: Name
}

class BatchNorm<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly type = 'batchNorm'
  override readonly arity = 1
  readonly #options: Required<Pick<BatchNormLayerOptions, 'momentum' | 'epsilon' | 'scale' | 'center' | 'activation'>>
  readonly #weights: Weights

  constructor(options: BatchNormLayerOptions<Name>) {
    checkOptions('batchNorm', options, [
      'momentum',
      'epsilon',
      'scale',
      'center',
      'activation',
      'name',
      ...weightOptionNames('gamma', 'beta'),
    ])
    super('batchNorm', options.name, options)
    const label = labelOf('batchNorm', options.name)
    const { momentum = 0.99, epsilon = 1e-3, scale = true, center = true, activation = 'linear' } = options
    this.#options = {
      momentum: checkNumber(momentum, label, 'momentum', { low: 0, high: 1 }),
      epsilon: checkNumber(epsilon, label, 'epsilon', { low: 0 }),
      scale: checkBoolean(scale, label, 'scale'),
      center: checkBoolean(center, label, 'center'),
      activation: checkActivation(activation, label),
    }
    this.#weights = checkWeightOptions(options, label, 'gamma', 'beta')
  }

  override config() {
    return { ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const { scale, center } = this.#options
    const shape = [x!.shape.at(-1)!]
    return [
      ...(scale ? [weightParameter(this.#weights, 'gamma', { name: 'gamma', shape }, 'ones')] : []),
      ...(center ? [weightParameter(this.#weights, 'beta', { name: 'beta', shape }, 'zeros')] : []),
      { name: 'movingMean', shape, initializer: 'zeros', trained: false },
      { name: 'movingVariance', shape, initializer: 'ones', trained: false },
    ]
  }

  override build({ name, training, frozen, parameter, average }: BuildContext, [x]: readonly Value[]): Value {
    const { momentum, epsilon, scale, center, activation } = this.#options
    const options = {
      ...(scale && { gamma: parameter('gamma') }),
      ...(center && { beta: parameter('beta') }),
      epsilon,
      activation,
      name,
    }
    if (!training || frozen) return ops.batchNormInference(x!, parameter('movingMean'), parameter('movingVariance'), options)
    const { y, mean, variance } = ops.batchNorm(x!, options)
    average('movingMean', mean, momentum)
    average('movingVariance', variance, momentum)
    return y
  }
}

/**
 * Batch normalization (Ioffe and Szegedy, 2015), over all axes but the last: y = activation(gamma · (x − mean) / √(variance + epsilon) + beta). Any shape, kept.
 *
 * In training mean and variance are those of the batch, and the running ones follow at the end of each step: running = momentum · running + (1 − momentum) ·
 * the batch's. `predict` and `evaluate` take the running ones. Rules and defaults are Keras': the running variance follows the batch's as it is, divided by the
 * number of its values. PyTorch divides by one less there, has epsilon 1e-5, and calls momentum what is 1 − momentum here (0.1, so 0.9).
 *
 * Frozen, by `trainable: false` or `Model.freeze`, it takes the running ones in training, too, and leaves them as they are (Keras' rule).
 *
 * Parameters, all `[C]`: `gamma` and `beta`, which are trained; `movingMean` and `movingVariance`, which are saved with them.
 * @throws INVALID_ARGUMENT for options
 */
export function batchNorm<const Name extends string = 'batchNorm'>(options: BatchNormLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new BatchNorm(options)
}
