import { checkBoolean } from '../check'
import { type Constraint, checkConstraint, type Incoming } from '../ops/constrain'
import { checkInitializer, type Initializer } from './initializers'
import type { Parameter } from './layer'
import { checkRegularizer, type Regularizer } from './regularizers'

/** How a layer trains its weights, or does not; part of the options of every layer that has some. */
export interface TrainingOptions {
  /**
   * Whether training changes the layer's weights. False: they stay as they are, cost no gradient, and are not part of penalties. Default true.
   * `Model.freeze` does the same later.
   */
  readonly trainable?: boolean
  /** What the layer's result adds to the loss, divided by the number of samples (Keras' rule). Default: nothing. */
  readonly activityRegularizer?: Regularizer
}

/** Options of the kernels of a layer. */
export interface KernelOptions extends TrainingOptions {
  /** How kernels begin. Default `'glorotUniform'`. */
  readonly kernelInitializer?: Initializer
  /** What kernels add to the loss. Default: nothing. */
  readonly kernelRegularizer?: Regularizer
  /** What kernels must be after each update. Default: anything. */
  readonly kernelConstraint?: Constraint
}

/** Options of the weights of a layer with kernel and bias. */
export interface WeightOptions extends KernelOptions {
  /** How the bias begins. Default `'zeros'`. */
  readonly biasInitializer?: Initializer
  /** What the bias adds to the loss. Default: nothing. */
  readonly biasRegularizer?: Regularizer
  /** What the bias must be after each update. Default: anything. */
  readonly biasConstraint?: Constraint
}

type Kind = 'Initializer' | 'Regularizer' | 'Constraint'
const kinds: readonly Kind[] = ['Initializer', 'Regularizer', 'Constraint']
const checks: Record<Kind, (value: unknown, label: string, argument: string) => unknown> = {
  Initializer: checkInitializer,
  Regularizer: checkRegularizer,
  Constraint: checkConstraint,
}

/** What options say about weights, checked; only what was given, for `config()`. */
export type Weights = Readonly<Record<string, unknown>> & TrainingOptions

/** Names of the options of a layer whose weights are called so: `kernel` gives `kernelInitializer`, … */
export function weightOptionNames(...weights: readonly string[]): string[] {
  return ['trainable', 'activityRegularizer', ...weights.flatMap((weight) => kinds.map((kind) => weight + kind))]
}

/** Checks the options of {@link weightOptionNames}. Throws INVALID_ARGUMENT. */
export function checkWeightOptions(options: object, label: string, ...weights: readonly string[]): Weights {
  const given = options as Readonly<Record<string, unknown>>
  const found: Record<string, unknown> = {}
  for (const weight of weights) {
    for (const kind of kinds) {
      const value = given[weight + kind]
      if (value !== undefined) found[weight + kind] = checks[kind](value, label, weight + kind)
    }
  }
  const { trainable, activityRegularizer } = given
  if (trainable !== undefined) found.trainable = checkBoolean(trainable, label, 'trainable')
  if (activityRegularizer !== undefined) found.activityRegularizer = checkRegularizer(activityRegularizer, label, 'activityRegularizer')
  return found
}

/**
 * A parameter as the options for `weight` have it.
 * @param defaults where the options do not say how it begins
 */
export function weightParameter(
  options: Weights,
  weight: string,
  parameter: { readonly name: string; readonly shape: readonly number[]; readonly incoming?: Incoming },
  defaults: Initializer,
): Parameter {
  const [initializer = defaults, regularizer, constraint] = kinds.map((kind) => options[weight + kind]) as [
    Initializer | undefined,
    Regularizer | undefined,
    Constraint | undefined,
  ]
  return { ...parameter, initializer, ...(regularizer && { regularizer }), ...(constraint && { constraint }) }
}
