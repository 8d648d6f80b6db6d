import { checkBoolean, checkOptions, invalid } from '../check'
import type { Value } from '../graph/value'
import { accuracy } from '../ops/accuracy'
import { equal, greater } from '../ops/compare'
import { concat } from '../ops/concat'
import { confusion } from '../ops/confusion'
import { reshape } from '../ops/reshape'
import { sum } from '../ops/sum'
import { checkChoice, checkInteger, checkNumber } from '../shape'
import {
  type Average,
  averageOf,
  type ClassDetails,
  type ClassShares,
  matrixOf,
  microAverage,
  resultsOf,
  share,
  talliesOfCounts,
  talliesOfMatrix,
} from './classification'
import { asTargets, below, type Loss, type ResolvedLoss, type TargetKind } from './losses'

/** A metric of your own: as a {@link Loss}, but measured only. The mean over the samples is reported. */
export interface Metric {
  /** What it is called in results. */
  readonly name: string
  /** Gives one number, shape `[]`: the mean over the batch. */
  readonly compute: Loss
}

/**
 * Metrics by name; `topK`, `binaryAccuracy`, `precision`, `recall` and `f1` of `convlane` make them with options. All are unweighted: class weights and sample
 * weights are for the loss alone.
 *
 * - `accuracy`: share of the samples whose largest output is where the label says.
 * - `binaryAccuracy`: share of the outputs on the same side of ½ (of logits, and with the hinge loss, of 0) as their targets, each by itself.
 * - `precision`, `recall`, `f1`: means over the classes; where the output is `[N, 1]`, those of class 1. All three give `perClass`, too.
 * - `confusionMatrix`: gives that and `perClass`, no number.
 */
export type MetricName = 'accuracy' | 'binaryAccuracy' | 'precision' | 'recall' | 'f1' | 'confusionMatrix'

/** A metric with options, for `compile`: what `topK(5)` and the like give. `save` keeps it. */
export class NamedMetric {
  /** Which one. */
  readonly type: string
  /** What it is called in results. */
  readonly name: string
  /** Those that were given. */
  readonly options: Readonly<Record<string, unknown>>

  /** @internal Use `topK`, `binaryAccuracy`, `precision`, `recall` or `f1`. */
  constructor(type: string, name: string, options: object) {
    this.type = type
    this.name = name
    this.options = Object.freeze(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)))
  }
}

/** Options of {@link binaryAccuracy}. */
export interface BinaryAccuracyOptions {
  /** Outputs above it mean 1. Default: what stands for a probability of ½: 0 for logits and with the hinge loss, else 0.5. */
  readonly threshold?: number | undefined
}

/** Options of {@link precision}, {@link recall} and {@link f1}. */
export interface ClassMetricOptions extends BinaryAccuracyOptions {
  /**
   * `'macro'`: the mean over the classes, each weighed alike; `'weighted'`: each by its number of samples; `'micro'`: of all decisions together.
   * Default `'macro'`.
   */
  readonly average?: Average | undefined
  /** Of this class alone, instead of an average. Default: class 1 where the output is `[N, 1]`. */
  readonly class?: number | undefined
  /** Each output is a question of its own, answered yes above the threshold: targets are `[N, K]`, 0 or 1 each. Default false. */
  readonly multiLabel?: boolean | undefined
}

/** Share of the samples whose label is among the k largest outputs, called `top5`. Throws INVALID_ARGUMENT. */
export function topK(k: number): NamedMetric {
  return makeMetric('topK', { k })
}

/** Binary accuracy with a threshold of your own: for a hinge loss written by yourself, whose sides meet at 0. Throws INVALID_ARGUMENT. */
export function binaryAccuracy(options: BinaryAccuracyOptions = {}): NamedMetric {
  return makeMetric('binaryAccuracy', options)
}

/** Share of the samples taken for a class that are of it; called `precision`, or `precision/micro`, `precision/3` by its average or class. Throws INVALID_ARGUMENT. */
export function precision(options: ClassMetricOptions = {}): NamedMetric {
  return makeMetric('precision', options)
}

/** Share of the samples of a class that were taken for it; called as {@link precision}. Throws INVALID_ARGUMENT. */
export function recall(options: ClassMetricOptions = {}): NamedMetric {
  return makeMetric('recall', options)
}

/** The harmonic mean of precision and recall; called as {@link precision}. Throws INVALID_ARGUMENT. */
export function f1(options: ClassMetricOptions = {}): NamedMetric {
  return makeMetric('f1', options)
}

const optionNames: Readonly<Record<string, readonly string[]>> = {
  accuracy: [],
  topK: ['k'],
  binaryAccuracy: ['threshold'],
  precision: ['average', 'class', 'multiLabel', 'threshold'],
  recall: ['average', 'class', 'multiLabel', 'threshold'],
  f1: ['average', 'class', 'multiLabel', 'threshold'],
  confusionMatrix: [],
}

/** A metric by name with options, checked. Throws INVALID_ARGUMENT. */
export function makeMetric(type: string, options: ClassMetricOptions & { readonly k?: number }): NamedMetric {
  const names = Object.hasOwn(optionNames, type) ? optionNames[type] : undefined
  if (!names) throw unknownMetric(type)
  checkOptions(type, options, names)
  const { threshold, average, class: one, multiLabel, k } = options
  if (threshold !== undefined) checkNumber(threshold, type, 'threshold')
  if (multiLabel !== undefined) checkBoolean(multiLabel, type, 'multiLabel')
  if (average !== undefined) checkChoice(average, ['macro', 'micro', 'weighted'], type, 'average')
  if (one !== undefined) checkInteger(one, type, 'class', 0)
  if (one !== undefined && average !== undefined) throw invalid(type, 'average', 'left out where a class is given', average)
  if (type === 'topK') return new NamedMetric(type, `top${checkInteger(k, type, 'k')}`, options)
  const which = one ?? (average === 'macro' ? undefined : average)
  return new NamedMetric(type, which === undefined ? type : `${type}/${which}`, options)
}

function unknownMetric(metric: unknown): Error {
  return invalid('compile', 'metrics', "an array of 'accuracy' and other names, of topK(5) and the like, and of { name, compute }", metric)
}

/** An output that is measured. */
export interface MetricPlace {
  /** Of one sample. */
  readonly shape: readonly number[]
  readonly loss: ResolvedLoss
  /** Whether the whole confusion matrix is wanted. */
  readonly matrix: boolean
}

/** What a run gives for a metric on one output, and what becomes of it over all runs. */
export interface Quantity {
  /** Metrics with one key take what they say from the same numbers. */
  readonly key: string
  /** `'count'`: of samples, to be summed; `'mean'`: of the batch. */
  readonly gives: 'count' | 'mean'
  /** Numbers that a run gives. */
  readonly size: number
  readonly compute: (predictions: Value, targets: Value) => Value
  /** The metric, of sums over runs; absent where it is no number. */
  readonly value?: (sums: ArrayLike<number>, samples: number) => number
  /** What is more than numbers. */
  readonly details?: (sums: ArrayLike<number>) => ClassDetails
}

export interface ResolvedMetric {
  readonly name: string
  /** As it is saved; absent for a function of the user's. */
  readonly config: string | { readonly type: string; readonly options: Readonly<Record<string, unknown>> } | undefined
  readonly targets: TargetKind
  readonly isMatrix: boolean
  readonly on: (place: MetricPlace) => Quantity
}

/** A metric by name, with options, or of one's own. Throws INVALID_ARGUMENT. */
export function resolveMetric(metric: unknown): ResolvedMetric {
  if (typeof metric === 'string') {
    if (metric === 'topK' || !Object.hasOwn(optionNames, metric)) throw unknownMetric(metric)
    return { ...named(new NamedMetric(metric, metric, {})), config: metric }
  }
  if (metric instanceof NamedMetric) return { ...named(metric), config: { type: metric.type, options: metric.options } }
  const { name, compute } = (metric ?? {}) as Partial<Metric>
  const taken = ['loss', 'perClass', 'confusionMatrix', 'outputs']
  if (typeof name !== 'string' || name === '' || taken.includes(name) || typeof compute !== 'function') throw unknownMetric(metric)
  const quantity: Quantity = { key: name, gives: 'mean', size: 1, compute, value: (sums, samples) => sums[0]! / samples }
  return { name, config: undefined, targets: 'any', isMatrix: false, on: () => quantity }
}

function named({ type, name, options }: NamedMetric): Omit<ResolvedMetric, 'config'> {
  const isMatrix = type === 'confusionMatrix'
  if (type === 'accuracy' || type === 'topK')
    return { name, targets: 'classes', isMatrix, on: (place) => hits(name, place, (options.k as number | undefined) ?? 1) }
  if (type === 'binaryAccuracy') return { name, targets: 'either', isMatrix, on: (place) => sides(name, place, options) }
  return { name, targets: options.multiLabel ? 'values' : 'classes', isMatrix, on: (place) => counts(type, place, options) }
}

/** Above what the answer is yes: for logits and for scores between −1 and 1, where those are the output, 0. */
function thresholdOf(given: number | undefined, predictions: Value, { logits, name }: ResolvedLoss): number {
  const isAroundZero = logits === 'sigmoid' || name === 'hinge'
  return given ?? (isAroundZero && below(predictions, 'sigmoid') === predictions ? 0 : 0.5)
}

/** Ignored labels are class numbers. */
const ignoring = ({ ignoreLabel }: ResolvedLoss, targets: Value) =>
  ignoreLabel !== undefined && targets.dtype === 'int32' ? { ignoreLabel } : {}

function hits(key: string, { shape, loss }: MetricPlace, k: number): Quantity {
  if (shape.length === 1 && k > shape[0]!) throw invalid('compile', `k of ${key}`, `at most ${shape[0]}, as many as there are classes`, k)
  const isShare = loss.ignoreLabel !== undefined
  return {
    key,
    gives: 'count',
    size: isShare ? 2 : 1,
    compute(predictions, targets) {
      const options = { ...ignoring(loss, targets), threshold: thresholdOf(undefined, predictions, loss), k }
      const { correct, counted } = accuracy(below(predictions, 'softmax'), targets, options)
      return isShare ? concat([reshape(correct, [1]), reshape(counted, [1])], { axis: 0 }) : correct
    },
    value: (sums, samples) => (isShare ? share(sums[0]!, sums[1]!) : sums[0]! / samples),
  }
}

function sides(key: string, { shape, loss }: MetricPlace, { threshold }: BinaryAccuracyOptions): Quantity {
  const columns = shape.reduce((product, size) => product * size, 1)
  return {
    key,
    gives: 'count',
    size: 1,
    compute(predictions, targets) {
      const said = greater(predictions, thresholdOf(threshold, predictions, loss))
      return sum(equal(said, greater(asTargets(predictions, targets), 0.5)))
    },
    value: (sums, samples) => sums[0]! / (samples * columns),
  }
}

function counts(type: string, { shape, loss, matrix }: MetricPlace, options: ClassMetricOptions): Quantity {
  const { multiLabel = false, threshold, average, class: one } = options
  const isSingle = shape[0] === 1 && !multiLabel
  const classes = isSingle ? 2 : (shape[0] ?? 1)
  const isWhole = matrix && !multiLabel && threshold === undefined
  const talliesOf = isWhole ? talliesOfMatrix : talliesOfCounts
  if (one !== undefined && one >= classes) throw invalid('compile', `class of ${type}`, `below ${classes}`, one)
  const chosen = one ?? (isSingle && average === undefined ? 1 : undefined)
  const quantity: Quantity = {
    key: JSON.stringify(['classes', multiLabel, threshold ?? null]),
    gives: 'count',
    size: classes * (isWhole ? classes : 3),
    compute(predictions, targets) {
      const how = { ...ignoring(loss, targets), threshold: thresholdOf(threshold, predictions, loss), multiLabel }
      const counted = confusion(below(predictions, 'softmax'), targets, how)
      return isWhole ? counted.matrix! : counted.counts
    },
    details: (sums) => ({ perClass: resultsOf(talliesOf(sums)), ...(isWhole && { confusionMatrix: matrixOf(sums) }) }),
  }
  if (type === 'confusionMatrix') return quantity
  const shares = (sums: ArrayLike<number>) => {
    const tallies = talliesOf(sums)
    if (chosen !== undefined) return resultsOf(tallies)[chosen]!
    return average === 'micro' ? microAverage(tallies) : averageOf(resultsOf(tallies), average ?? 'macro')
  }
  return { ...quantity, value: (sums) => shares(sums)[type as keyof ClassShares] }
}
