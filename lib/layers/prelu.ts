import { checkOptions, invalid } from '../check'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import type { Constraint } from '../ops/constrain'
import * as ops from '../ops/prelu'
import type { Initializer } from './initializers'
import { type BuildContext, Layer, type Parameter } from './layer'
import type { Regularizer } from './regularizers'
import { checkWeightOptions, type TrainingOptions, type Weights, weightOptionNames, weightParameter } from './weights'

/** Options of {@link prelu}. */
export interface PreluLayerOptions<Name extends string = string> extends TrainingOptions {
  /**
   * Axes of a sample along which a slope is shared, counted from 1 as in Keras (0 is the batch). `[]`: each element has its own, Keras' default.
   * Default: all but the last, so that each channel has one (PyTorch's rule).
   */
  readonly sharedAxes?: readonly number[]
  /** How the slopes begin. Default `'zeros'`. */
  readonly alphaInitializer?: Initializer
  /** What the slopes add to the loss. Default: nothing. */
  readonly alphaRegularizer?: Regularizer
  /** What the slopes must be after each update. Default: anything. */
  readonly alphaConstraint?: Constraint
  /** Default `prelu`, `prelu_1`, … */
  readonly name?: Name
}

class Prelu<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly type = 'prelu'
  override readonly arity = 1
  readonly #sharedAxes: readonly number[] | undefined
  readonly #weights: Weights

  constructor(options: PreluLayerOptions<Name>) {
    checkOptions('prelu', options, ['sharedAxes', 'name', ...weightOptionNames('alpha')])
    super('prelu', options.name, options)
    const { sharedAxes: axes } = options
    const label = labelOf('prelu', options.name)
    const fits = axes === undefined || (Array.isArray(axes) && axes.every((axis) => Number.isInteger(axis) && axis >= 1 && axis <= 4))
    if (!fits) throw invalid(label, 'sharedAxes', 'an array of axes from 1 to 4', axes)
    this.#sharedAxes = axes && [...axes]
    this.#weights = checkWeightOptions(options, label, 'alpha')
  }

  override config() {
    return { ...(this.#sharedAxes && { sharedAxes: this.#sharedAxes }), ...this.#weights }
  }

  override parameters([x]: readonly TensorType[], label: string): Parameter[] {
    const sizes = x!.shape.slice(1) as number[]
    const shared = this.#sharedAxes
    const beyond = shared?.find((axis) => axis > sizes.length)
    if (beyond !== undefined) throw invalid(label, 'sharedAxes', `axes from 1 to ${sizes.length} for this input`, shared)
    const shape = shared ? sizes.map((size, index) => (shared.includes(index + 1) ? 1 : size)) : [sizes.at(-1)!]
    return [weightParameter(this.#weights, 'alpha', { name: 'alpha', shape }, 'zeros')]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    return ops.prelu(x!, parameter('alpha'), { name })
  }
}

/**
 * Relu whose slope below 0 is trained: max(0, x) + alpha · min(0, x). Any shape, kept. One slope per channel (the last axis) unless `sharedAxes` says
 * otherwise; they begin as 0, which is Keras' rule (PyTorch: 0.25). The gradient at 0 is the slope by x and 0 by the slope.
 * Parameter: `alpha [C]`, or with `sharedAxes` the sizes of a sample with 1 for each of these.
 * @throws INVALID_ARGUMENT
 */
export function prelu<const Name extends string = 'prelu'>(options: PreluLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new Prelu(options)
}
