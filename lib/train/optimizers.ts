import { checkBoolean, checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import type { Attributes } from '../ops/op'
import { checkNumber } from '../shape'

/** Learning rate for the update that follows `step` others: 0 at the first. Counted from `compile` on, over all calls of fit and trainOnBatch. */
export type Schedule = (step: number) => number

/** What happens to gradients before the update; where several are given, in this order. Limits above 0. */
export interface Clip {
  /** Each element is brought into −value … value. */
  readonly value?: number
  /** The gradient of each weight tensor is shortened to this length: times min(1, norm / (its norm + 1e-6)). */
  readonly norm?: number
  /** All gradients are shortened by one factor, so that together they are no longer than this (PyTorch's `clip_grad_norm_`). */
  readonly globalNorm?: number
}

const types = ['sgd', 'adam', 'rmsprop', 'adagrad'] as const
export type OptimizerType = (typeof types)[number]

/** How weights follow from gradients. Made by {@link sgd}, {@link adam}, {@link adamw}, {@link rmsprop}, {@link adagrad}. */
export interface Optimizer {
  /** Which one. */
  readonly type: OptimizerType
  /** A number, or a function of the number of updates before. */
  readonly learningRate: number | Schedule
  /** What it keeps for each weight. */
  readonly slots: readonly string[]
  /** Of the step, as docs/steps.md has them. */
  readonly attributes: Attributes
  /** What happens to gradients first. */
  readonly clip?: Clip | undefined
}

interface CommonOptions {
  /** Pulls weights towards 0: this times the weight is added to its gradient. Default 0. */
  readonly weightDecay?: number
  /** Takes learningRate · weightDecay · weight off the weight itself instead, past momentum and means (Loshchilov and Hutter, 2019). Default false. */
  readonly decoupled?: boolean
  /** Default: gradients are taken as they are. */
  readonly clip?: Clip
}

/** Options of {@link sgd}. */
export interface SgdOptions extends CommonOptions {
  /** A number, or a function of the number of updates before. No default. */
  readonly learningRate: number | Schedule
  /** Share of the last update that goes on, 0 to below 1. Default 0. */
  readonly momentum?: number
  /** Looks ahead along the momentum (Nesterov's). Default false. */
  readonly nesterov?: boolean
}

/** Options of {@link adam}. */
export interface AdamOptions extends CommonOptions {
  /** Default 0.001. */
  readonly learningRate?: number | Schedule
  /** Decay of the mean of gradients, 0 to below 1. Default 0.9. */
  readonly beta1?: number
  /** Decay of the mean of their squares, 0 to below 1. Default 0.999. */
  readonly beta2?: number
  /** Added to the root of that mean. Default 1e-8. */
  readonly epsilon?: number
}

/** Options of {@link rmsprop}. */
export interface RmspropOptions extends CommonOptions {
  /** Default 0.01. */
  readonly learningRate?: number | Schedule
  /** Decay of the mean of the gradients' squares, 0 to below 1. Default 0.99. */
  readonly alpha?: number
  /** Added to the root of that mean. Default 1e-8. */
  readonly epsilon?: number
  /** Share of the last update that goes on, 0 to below 1. Default 0. */
  readonly momentum?: number
  /** Divides by the deviation from the gradients' mean instead of their size. Default false. */
  readonly centered?: boolean
}

/** Options of {@link adagrad}. */
export interface AdagradOptions extends CommonOptions {
  /** Default 0.01. */
  readonly learningRate?: number | Schedule
  /** The rate of the update after n others is learningRate / (1 + n · learningRateDecay). Default 0. */
  readonly learningRateDecay?: number
  /** What the sums of squares begin with. Default 0. */
  readonly initialAccumulator?: number
  /** Added to the root of the sum. Default 1e-10. */
  readonly epsilon?: number
}

const share = { low: 0, high: 1, below: true }
const common = ['weightDecay', 'decoupled', 'clip']

/**
 * Stochastic gradient descent: g += weightDecay · w; v = momentum · v + g; w −= learningRate · (nesterov ? g + momentum · v : v), PyTorch's form. (Keras
 * has the learning rate within v, which differs once the rate changes.)
 * @throws INVALID_ARGUMENT
 */
export function sgd(options: SgdOptions): Optimizer {
  checkOptions('sgd', options, ['learningRate', 'momentum', 'nesterov', ...common])
  const { learningRate, momentum = 0, nesterov = false } = options
  checkNumber(momentum, 'sgd', 'momentum', share)
  if (checkBoolean(nesterov, 'sgd', 'nesterov') && momentum === 0) {
    throw new ConvlaneError('INVALID_ARGUMENT', 'sgd: nesterov needs a momentum above 0', { received: momentum })
  }
  const slots = momentum > 0 ? ['velocity'] : []
  return make('sgd', checkRate(learningRate, 'sgd'), slots, { momentum, nesterov }, options)
}

/**
 * Adam, of Kingma and Ba, "Adam: a method for stochastic optimization" (2015): m = β1 m + (1 − β1) g; v = β2 v + (1 − β2) g²;
 * w −= learningRate / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε), t being 1 at the first update. PyTorch's form; Keras adds ε (1e-7) to √v uncorrected.
 * @throws INVALID_ARGUMENT
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions('adam', options, ['learningRate', 'beta1', 'beta2', 'epsilon', ...common])
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options
  const attributes = {
    beta1: checkNumber(beta1, 'adam', 'beta1', share),
    beta2: checkNumber(beta2, 'adam', 'beta2', share),
    epsilon: checkNumber(epsilon, 'adam', 'epsilon', { low: 0 }),
  }
  return make('adam', checkRate(learningRate, 'adam'), ['m', 'v'], attributes, options)
}

/**
 * AdamW, of Loshchilov and Hutter, "Decoupled weight decay regularization" (2019): {@link adam} with `decoupled` and, unless said otherwise, a weightDecay
 * of 0.01, PyTorch's (Keras: 0.004).
 * @throws INVALID_ARGUMENT
 */
export function adamw(options: Omit<AdamOptions, 'decoupled'> = {}): Optimizer {
  checkOptions('adamw', options, ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'clip'])
  return adam({ weightDecay: 0.01, ...options, decoupled: true })
}

/**
 * RMSProp, of Tieleman and Hinton (2012): s = α s + (1 − α) g²; d = g / (√s + ε), centered g / (√(s − mean²) + ε) with the mean of g kept likewise;
 * v = momentum · v + d; w −= learningRate · v. PyTorch's form and defaults; Keras has α 0.9, ε within the root and the learning rate within v.
 * @throws INVALID_ARGUMENT
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  checkOptions('rmsprop', options, ['learningRate', 'alpha', 'epsilon', 'momentum', 'centered', ...common])
  const { learningRate = 0.01, alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false } = options
  const attributes = {
    alpha: checkNumber(alpha, 'rmsprop', 'alpha', share),
    epsilon: checkNumber(epsilon, 'rmsprop', 'epsilon', { low: 0 }),
    momentum: checkNumber(momentum, 'rmsprop', 'momentum', share),
  }
  const slots = ['square', ...(checkBoolean(centered, 'rmsprop', 'centered') ? ['mean'] : []), ...(momentum > 0 ? ['velocity'] : [])]
  return make('rmsprop', checkRate(learningRate, 'rmsprop'), slots, attributes, options)
}

/**
 * Adagrad, of Duchi, Hazan and Singer (2011): s += g²; w −= learningRate / (1 + n · learningRateDecay) · g / (√(initialAccumulator + s) + ε). PyTorch's
 * form and defaults; Keras begins with 0.1 and has ε (1e-7) within the root.
 * @throws INVALID_ARGUMENT
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  checkOptions('adagrad', options, ['learningRate', 'learningRateDecay', 'initialAccumulator', 'epsilon', ...common])
  const { learningRate = 0.01, learningRateDecay = 0, initialAccumulator = 0, epsilon = 1e-10 } = options
  const attributes = {
    learningRateDecay: checkNumber(learningRateDecay, 'adagrad', 'learningRateDecay', { low: 0 }),
    initialAccumulator: checkNumber(initialAccumulator, 'adagrad', 'initialAccumulator', { low: 0 }),
    epsilon: checkNumber(epsilon, 'adagrad', 'epsilon', { low: 0 }),
  }
  return make('adagrad', checkRate(learningRate, 'adagrad'), ['sum'], attributes, options)
}

function make(
  type: OptimizerType,
  learningRate: number | Schedule,
  slots: readonly string[],
  own: Attributes,
  { weightDecay = 0, decoupled = false, clip }: CommonOptions,
): Optimizer {
  const attributes = {
    ...own,
    weightDecay: checkNumber(weightDecay, type, 'weightDecay', { low: 0 }),
    ...(checkBoolean(decoupled, type, 'decoupled') && { decoupled }),
  }
  return { type, learningRate, slots, attributes, ...(clip !== undefined && { clip: checkClip(clip, type) }) }
}

function checkClip(clip: Clip, label: string): Clip {
  checkOptions(`${label}: clip`, clip, ['value', 'norm', 'globalNorm'])
  for (const [name, limit] of Object.entries(clip)) {
    if (limit !== undefined && checkNumber(limit, `${label}: clip`, name, { low: 0 }) === 0)
      throw invalid(label, `clip.${name}`, 'above 0', 0)
  }
  return clip
}

/** Whether a value is one that {@link sgd}, {@link adam} or the like made. Throws INVALID_ARGUMENT. */
export function checkOptimizer(value: unknown): Optimizer {
  const { type, learningRate, attributes, slots } = (value ?? {}) as Partial<Optimizer>
  if (types.includes(type!) && learningRate !== undefined && attributes && Array.isArray(slots)) return value as Optimizer
  throw invalid('compile', 'optimizer', 'one that sgd() or adam() made', value)
}

/** The rate after `step` updates. Throws INVALID_ARGUMENT when a schedule gives none. */
export function rateAt({ learningRate }: Optimizer, step: number): number {
  if (typeof learningRate === 'number') return learningRate
  return checkNumber(learningRate(step), 'learningRate', `the schedule's result at step ${step}`, { low: 0 })
}

/** The optimizer as JSON: a schedule, which is code, as its rate after `step` updates. */
export function optimizerConfig(optimizer: Optimizer, step: number): { type: string; options: Record<string, unknown> } {
  const { type, attributes, slots, clip } = optimizer
  const centered = type === 'rmsprop' && slots.includes('mean')
  return { type, options: { learningRate: rateAt(optimizer, step), ...attributes, ...(centered && { centered }), ...(clip && { clip }) } }
}

/** What of an optimizer a run that goes on must have again. A schedule is code, and up to the caller. */
export function optimizerFacts({ type, learningRate, slots, attributes, clip }: Optimizer): unknown {
  return { type, learningRate: typeof learningRate === 'number' ? learningRate : 'a schedule', slots, attributes, clip: clip ?? null }
}

/** The optimizer of such a configuration. Throws INVALID_ARGUMENT. */
export function makeOptimizer(type: unknown, options: unknown): Optimizer {
  if (type === 'sgd') return sgd(options as SgdOptions)
  if (type === 'adam') return adam(options as AdamOptions)
  if (type === 'rmsprop') return rmsprop(options as RmspropOptions)
  if (type === 'adagrad') return adagrad(options as AdagradOptions)
  throw invalid('optimizer', 'type', types.map((name) => `'${name}'`).join(' or '), type)
}

function checkRate(rate: unknown, label: string): number | Schedule {
  return typeof rate === 'function' ? (rate as Schedule) : checkNumber(rate, label, 'learningRate', { low: 0 })
}
