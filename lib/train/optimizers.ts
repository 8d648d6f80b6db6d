import { ConvlaneError } from '../errors'
import { checkBoolean, checkOptions, invalid } from '../layers/check'
import type { Attributes } from '../ops/op'
import { checkNumber } from '../shape'

/** Learning rate for the update that follows `step` others: 0 at the first. Counted from `compile` on, over all calls of fit and trainOnBatch. */
export type Schedule = (step: number) => number

/** How weights follow from gradients. Made by {@link sgd}, {@link adam}. */
export interface Optimizer {
  readonly type: 'sgd' | 'adam'
  readonly learningRate: number | Schedule
  /** What it keeps for each weight. */
  readonly slots: readonly string[]
  /** Of the step, as docs/steps.md has them. */
  readonly attributes: Attributes
}

export interface SgdOptions {
  readonly learningRate: number | Schedule
  /** Share of the last update that goes on, 0 to below 1. Default 0. */
  readonly momentum?: number
  /** Looks ahead along the momentum (Nesterov's). Default false. */
  readonly nesterov?: boolean
  /** Pulls weights towards 0: this times the weight is added to its gradient. Default 0. */
  readonly weightDecay?: number
}

export interface AdamOptions {
  /** Default 0.001. */
  readonly learningRate?: number | Schedule
  /** Decay of the mean of gradients, 0 to below 1. Default 0.9. */
  readonly beta1?: number
  /** Decay of the mean of their squares, 0 to below 1. Default 0.999. */
  readonly beta2?: number
  /** Added to the root of that mean. Default 1e-8. */
  readonly epsilon?: number
  /** Pulls weights towards 0: this times the weight is added to its gradient. Default 0. */
  readonly weightDecay?: number
}

const share = { low: 0, high: 1, below: true }

/**
 * Stochastic gradient descent: g += weightDecay · w; v = momentum · v + g; w −= learningRate · (nesterov ? g + momentum · v : v), PyTorch's form.
 * @throws INVALID_ARGUMENT
 */
export function sgd(options: SgdOptions): Optimizer {
  checkOptions('sgd', options, ['learningRate', 'momentum', 'nesterov', 'weightDecay'])
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options
  checkNumber(momentum, 'sgd', 'momentum', share)
  if (checkBoolean(nesterov, 'sgd', 'nesterov') && momentum === 0) {
    throw new ConvlaneError('INVALID_ARGUMENT', 'sgd: nesterov needs a momentum above 0', { received: momentum })
  }
  return {
    type: 'sgd',
    learningRate: checkRate(learningRate, 'sgd'),
    slots: momentum > 0 ? ['velocity'] : [],
    attributes: { momentum, nesterov, weightDecay: checkNumber(weightDecay, 'sgd', 'weightDecay', { low: 0 }) },
  }
}

/**
 * Adam, of Kingma and Ba, "Adam: a method for stochastic optimization" (2015): m = β1 m + (1 − β1) g; v = β2 v + (1 − β2) g²;
 * w −= learningRate / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε), t being 1 at the first update.
 * @throws INVALID_ARGUMENT
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions('adam', options, ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay'])
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options
  return {
    type: 'adam',
    learningRate: checkRate(learningRate, 'adam'),
    slots: ['m', 'v'],
    attributes: {
      beta1: checkNumber(beta1, 'adam', 'beta1', share),
      beta2: checkNumber(beta2, 'adam', 'beta2', share),
      epsilon: checkNumber(epsilon, 'adam', 'epsilon', { low: 0 }),
      weightDecay: checkNumber(weightDecay, 'adam', 'weightDecay', { low: 0 }),
    },
  }
}

/** Whether a value is one that {@link sgd} or {@link adam} made. Throws INVALID_ARGUMENT. */
export function checkOptimizer(value: unknown): Optimizer {
  const { type, learningRate, attributes, slots } = (value ?? {}) as Partial<Optimizer>
  if ((type === 'sgd' || type === 'adam') && learningRate !== undefined && attributes && Array.isArray(slots)) return value as Optimizer
  throw invalid('compile', 'optimizer', 'one that sgd() or adam() made', value)
}

/** The rate after `step` updates. Throws INVALID_ARGUMENT when a schedule gives none. */
export function rateAt({ learningRate }: Optimizer, step: number): number {
  if (typeof learningRate === 'number') return learningRate
  return checkNumber(learningRate(step), 'learningRate', `the schedule's result at step ${step}`, { low: 0 })
}

/** The optimizer as JSON: a schedule, which is code, as its rate after `step` updates. */
export function optimizerConfig(optimizer: Optimizer, step: number): { type: string; options: Record<string, unknown> } {
  return { type: optimizer.type, options: { learningRate: rateAt(optimizer, step), ...optimizer.attributes } }
}

/** The optimizer of such a configuration. Throws INVALID_ARGUMENT. */
export function makeOptimizer(type: unknown, options: unknown): Optimizer {
  if (type === 'sgd') return sgd(options as SgdOptions)
  if (type === 'adam') return adam(options as AdamOptions)
  throw invalid('optimizer', 'type', "'sgd' or 'adam'", type)
}

function checkRate(rate: unknown, label: string): number | Schedule {
  return typeof rate === 'function' ? (rate as Schedule) : checkNumber(rate, label, 'learningRate', { low: 0 })
}
