import { checkBoolean, checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { type Activation, checkActivation } from '../ops/activation'
import { checkNumber } from '../shape'
import type { GammaBetaOptions } from './batchNorm'
import { type BuildContext, Layer, type Parameter } from './layer'
import type { Rank } from './rank'
import { checkWeightOptions, type Weights, weightOptionNames, weightParameter } from './weights'

/** Options that all normalizations of samples have. */
export interface NormOptions<Name extends string = string> extends GammaBetaOptions {
  /** Added to the variance, 0 or more. Default 1e-3, as in Keras (PyTorch: 1e-5). */
  readonly epsilon?: number
  /** Whether what is normalized is multiplied by trained numbers, `gamma`. Default true. */
  readonly scale?: boolean
  /** Whether trained numbers, `beta`, are added to it. Default true. */
  readonly center?: boolean
  /** Default `'linear'`. */
  readonly activation?: Activation
  /** Default: the layer's type, `layerNorm_1`, … */
  readonly name?: Name
}

/** What the op is given: gamma and beta where they are trained. */
export interface NormCall {
  readonly gamma?: Value
  readonly beta?: Value
  readonly epsilon: number
  readonly activation: Activation
  readonly name: string
}

type Settings = Required<Pick<NormOptions, 'epsilon' | 'scale' | 'center' | 'activation'>> & Weights

/** A normalization of each sample by itself: no statistics are kept, training and inference are alike. */
export abstract class Norm<Name extends string, I extends Rank | 'any' = 'any'> extends Layer<I, 'same', Name> {
  override readonly arity = 1
  protected readonly settings: Settings

  /** `more`: names of further options. `centered`: whether there may be a beta. */
  constructor(type: string, options: NormOptions<Name>, epsilon: number, more: readonly string[] = [], centered = true) {
    const weights = ['gamma', ...(centered ? ['beta'] : [])]
    const known = [...more, 'epsilon', 'scale', ...(centered ? ['center'] : []), 'activation', 'name', ...weightOptionNames(...weights)]
    checkOptions(type, options, known)
    super(type, options.name, options)
    const label = labelOf(type, options.name)
    this.settings = {
      epsilon: checkNumber(options.epsilon ?? epsilon, label, 'epsilon', { low: 0 }),
      scale: checkBoolean(options.scale ?? true, label, 'scale'),
      center: checkBoolean(options.center ?? centered, label, 'center'),
      activation: checkActivation(options.activation, label),
      ...checkWeightOptions(options, label, ...weights),
    }
  }

  /** The shape of gamma and beta. */
  protected abstract parameterShape(x: TensorType, label: string): readonly number[]
  protected abstract normalize(x: Value, options: NormCall): Value

  override parameters([x]: readonly TensorType[], label: string): Parameter[] {
    const shape = this.parameterShape(x!, label)
    const { scale, center } = this.settings
    return [
      ...(scale ? [weightParameter(this.settings, 'gamma', { name: 'gamma', shape }, 'ones')] : []),
      ...(center ? [weightParameter(this.settings, 'beta', { name: 'beta', shape }, 'zeros')] : []),
    ]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { scale, center, epsilon, activation } = this.settings
    const given = { ...(scale && { gamma: parameter('gamma') }), ...(center && { beta: parameter('beta') }) }
    return this.normalize(x!, { ...given, epsilon, activation, name })
  }
}
