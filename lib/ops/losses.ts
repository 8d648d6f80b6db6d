import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import { Value } from '../graph/value'
import { checkNumber, checkRank } from '../shape'
import type { Tensor } from '../tensor'
import { add } from './add'
import { maximum, minimum, neg, pow, sub } from './arithmetic'
import { type Operand, typeOf } from './call'
import { greater } from './compare'
import { checkSameShape } from './elementwise'
import { max } from './extremes'
import { multiply } from './multiply'
import { normalize } from './normalize'
import { checkOptions, type OpOptions } from './options'
import { scale } from './scale'
import { sigmoid } from './sigmoid'
import type { WeightedOptions } from './softmaxCrossEntropy'
import { softplus } from './softplus'
import { mean, sum } from './sum'
import { abs, exp, log } from './unary'
import { weightedMean } from './weightedMean'
import { where } from './where'

/**
 * A loss of predictions and float32 targets of one shape: a mean over all elements, or over rows, written in primitives. With `weights [N]` the mean over
 * rows is a weighted one: {@link weightedMean}.
 */
export interface ElementLoss<O extends OpOptions = OpOptions> {
  (predictions: Tensor, targets: Tensor, options?: O & WeightedOptions<Tensor>): number
  (predictions: Value, targets: Value, options?: O & WeightedOptions<Value>): Value
}

export interface SigmoidCrossEntropyOptions extends OpOptions {
  /** Moves targets towards ½: t · (1 − labelSmoothing) + labelSmoothing / 2, as in Keras; 0 to 1. Default 0. */
  readonly labelSmoothing?: number | undefined
  /** Weight of what targets of 1 lose, above 1 for more recall: PyTorch's `pos_weight`. One number, or one for each of the last axis. Default 1. */
  readonly positiveWeight?: number | readonly number[] | undefined
}

export interface HuberOptions extends OpOptions {
  /** Where the parabola becomes a line, above 0. Default 1. */
  readonly delta?: number | undefined
}

export interface FocalOptions extends OpOptions {
  /** How much what is told well is held back: 0 (not at all), or at least 1. Default 2. */
  readonly gamma?: number | undefined
  /** Weight of targets of 1, 0 to 1; 1 − alpha is that of targets of 0. Default 0.25. */
  readonly alpha?: number | undefined
}

/** `each` is written for values, and is given tensors likewise: primitives take both; it gives a number for each element or each row. `numbers` checks its options. */
function elementLoss<O extends OpOptions, N>(
  name: string,
  names: readonly string[],
  numbers: (options: O, label: string) => N,
  each: (prediction: Value, target: Value, options: N, run: OpOptions) => Value,
): ElementLoss<O> {
  return ((predictions: Operand, targets: Operand, options: O & WeightedOptions<Operand> = {} as O) => {
    const label = labelOf(name, options?.name)
    checkOptions(options, [...names, 'weights'], label)
    const checked = numbers(options, label)
    const types = [typeOf(predictions, label, 'predictions'), typeOf(targets, label, 'targets')] as const
    checkSameShape(types[0], types[1], label, ['predictions', 'targets'])
    const run = { runtime: options.runtime, name: options.name }
    const values = each(predictions as Value, targets as Value, checked, run)
    const loss = (options.weights === undefined ? mean(values, run) : weightedMean(values, options.weights as Value, run)) as Operand
    return loss instanceof Value ? loss : loss.data[0]!
  }) as ElementLoss<O>
}

/** max(z, 0) − z t + log(1 + exp(−|z|)): −t log σ(z) − (1 − t) log(1 − σ(z)) without the rounding. */
const entropy = (z: Value, t: Value, run: OpOptions): Value =>
  add(sub(maximum(z, 0, run), multiply(z, t, run), run), log(add(exp(neg(abs(z, run), run), run), 1, run), run), run)

const none = () => undefined

/** Throws INVALID_ARGUMENT. */
export function checkSigmoidCrossEntropy({ labelSmoothing = 0, positiveWeight = 1 }: SigmoidCrossEntropyOptions, label: string) {
  const each = (weight: unknown, argument: string) => checkNumber(weight, label, argument, { low: 0 })
  return {
    smoothing: checkNumber(labelSmoothing, label, 'labelSmoothing', { low: 0, high: 1 }),
    positive: Array.isArray(positiveWeight)
      ? positiveWeight.map((weight, k) => each(weight, `positiveWeight[${k}]`))
      : each(positiveWeight, 'positiveWeight'),
  }
}

/** Throws INVALID_ARGUMENT. */
export function checkHuber({ delta = 1 }: HuberOptions, label: string): number {
  return checkNumber(delta, label, 'delta', { low: Number.MIN_VALUE })
}

/** Throws INVALID_ARGUMENT. */
export function checkFocal({ gamma = 2, alpha = 0.25 }: FocalOptions, label: string) {
  return {
    gamma: gamma === 0 ? 0 : checkNumber(gamma, label, 'gamma', { low: 1 }),
    alpha: checkNumber(alpha, label, 'alpha', { low: 0, high: 1 }),
  }
}

/** Of the targets, so that the rest is a number for each channel or one for all. */
function positives(t: Value, weight: number | readonly number[], run: OpOptions): Value {
  if (typeof weight === 'number') return add(scale(t, weight - 1, run), 1, run)
  return normalize(t, { ...run, scale: weight.map((w) => w - 1), offset: 1 })
}

/**
 * Binary cross-entropy of the sigmoid of logits, each output by itself: the mean of −t log σ(z) − (1 − t) log(1 − σ(z)), targets from 0 to 1. PyTorch's
 * BCEWithLogitsLoss. Throws `INVALID_SHAPE` unless both have one shape, `INVALID_ARGUMENT`, and what a bad tensor throws.
 */
export const sigmoidCrossEntropy = elementLoss<SigmoidCrossEntropyOptions, { smoothing: number; positive: number | readonly number[] }>(
  'sigmoidCrossEntropy',
  ['labelSmoothing', 'positiveWeight'],
  checkSigmoidCrossEntropy,
  (z, t, { smoothing, positive }, run) => {
    const target = smoothing === 0 ? t : add(scale(t, 1 - smoothing, run), smoothing / 2, run)
    if (positive === 1) return entropy(z, target, run)
    // (1 − t) z + (1 + (weight − 1) t) log(1 + exp(−z))
    const negative = multiply(sub(1, target, run), z, run)
    return add(negative, multiply(positives(target, positive, run), softplus(neg(z, run), run), run), run)
  },
)

/** The mean of |prediction − target|; its gradient is 0 where both are alike. Throws `INVALID_SHAPE`, and what a bad tensor throws. */
export const meanAbsoluteError = elementLoss('meanAbsoluteError', [], none, (p, t, _, run) => abs(sub(p, t, run), run))

/**
 * The mean of d² / 2 where |d| ≤ delta, else delta · (|d| − delta / 2), d being prediction − target: PyTorch's HuberLoss.
 * Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export const huber = elementLoss<HuberOptions, number>('huber', ['delta'], checkHuber, (p, t, delta, run) => {
  const distance = abs(sub(p, t, run), run)
  const short = minimum(distance, delta, run)
  return multiply(short, sub(distance, scale(short, 0.5, run), run), run)
})

/** The mean of max(0, 1 − target · prediction), targets being −1 and 1 (Keras takes 0 for −1, too). Throws `INVALID_SHAPE`, and what a bad tensor throws. */
export const hinge = elementLoss('hinge', [], none, (p, t, _, run) => maximum(0, sub(1, multiply(p, t, run), run), run))

/** The sum over the axes of a row. */
function rowSum(x: Value, run: OpOptions): Value {
  const axes = x.shape.slice(1).map((_, axis) => axis + 1)
  return axes.length > 0 ? sum(x, { ...run, axes }) : x
}

/**
 * The hinge loss of several classes (Crammer and Singer): the mean over rows of max(0, 1 + the largest prediction of the other classes − that of the row's
 * own), `[N, K]` each, K at least 2, targets one-hot. Keras' categorical_hinge counts a 0 among the others, too.
 * Throws `INVALID_SHAPE`, and what a bad tensor throws.
 */
export const categoricalHinge = elementLoss('categoricalHinge', [], none, (p, t, _, run) => {
  const label = labelOf('categoricalHinge', run.name)
  checkRank(p.shape, ['N', 'K'], label, 'predictions')
  if (p.shape[1]! < 2) throw new ConvlaneError('INVALID_SHAPE', `${label}: takes at least 2 classes, received ${p.shape[1]}`)
  const others = max(where(greater(t, 0.5, run), -LARGE, p, run), { ...run, axes: 1 })
  const own = sum(multiply(p, t, run), { ...run, axes: 1 })
  return maximum(0, add(sub(others, own, run), 1, run), run)
})

/** Below every score, and far enough from the end of float32 to be added to. */
const LARGE = 1e38

/**
 * The quadratic cost of text books: half the mean over rows of ‖prediction − target‖², the sum of squares over all axes but the first. (`meanSquaredError`
 * is the mean over elements.) Throws `INVALID_SHAPE`, and what a bad tensor throws.
 */
export const quadratic = elementLoss('quadratic', [], none, (p, t, _, run) => {
  const distance = sub(p, t, run)
  return scale(rowSum(multiply(distance, distance, run), run), 0.5, run)
})

/**
 * The focal loss of Lin et al. (2017) on logits, each output by itself: the mean of α_t · (1 − p_t)^gamma · binary cross-entropy, with p_t the probability
 * that is given to the target (0 or 1) and α_t alpha for 1, 1 − alpha for 0. As torchvision's sigmoid_focal_loss, but a mean.
 * Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export const focal = elementLoss<FocalOptions, { gamma: number; alpha: number }>(
  'focal',
  ['gamma', 'alpha'],
  checkFocal,
  (z, t, { gamma, alpha }, run) => {
    const p = sigmoid(z, run)
    // 1 − p_t = p + t − 2 p t; α_t = (1 − alpha) + t (2 alpha − 1)
    const missed = sub(add(p, t, run), scale(multiply(p, t, run), 2, run), run)
    const weight = add(scale(t, 2 * alpha - 1, run), 1 - alpha, run)
    const held = gamma === 0 ? weight : multiply(weight, pow(missed, gamma, run), run)
    return multiply(held, entropy(z, t, run), run)
  },
)
