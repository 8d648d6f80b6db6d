import { labelOf } from '../graph/apply'
import { Value } from '../graph/value'
import { checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import { add } from './add'
import { maximum, minimum, neg, pow, sub } from './arithmetic'
import { type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import { multiply } from './multiply'
import { checkOptions, type OpOptions } from './options'
import { scale } from './scale'
import { sigmoid } from './sigmoid'
import { mean } from './sum'
import { abs, exp, log } from './unary'

/** A loss of predictions and float32 targets of one shape: a mean over all elements, written in primitives. */
export interface ElementLoss<O extends OpOptions = OpOptions> {
  (predictions: Tensor, targets: Tensor, options?: O): number
  (predictions: Value, targets: Value, options?: O): Value
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

/** `each` is written for values, and is given tensors likewise: primitives take both. `numbers` checks its options. */
function elementLoss<O extends OpOptions, N>(
  name: string,
  names: readonly string[],
  numbers: (options: O, label: string) => N,
  each: (prediction: Value, target: Value, options: N, run: OpOptions) => Value,
): ElementLoss<O> {
  return ((predictions: Operand, targets: Operand, options: O = {} as O) => {
    const label = labelOf(name, options?.name)
    checkOptions(options, names, label)
    const checked = numbers(options, label)
    const types = [typeOf(predictions, label, 'predictions'), typeOf(targets, label, 'targets')] as const
    checkSameShape(types[0], types[1], label, ['predictions', 'targets'])
    const run = { runtime: options.runtime, name: options.name }
    const loss = mean(each(predictions as Value, targets as Value, checked, run), run) as Operand
    return loss instanceof Value ? loss : loss.data[0]!
  }) as ElementLoss<O>
}

/** max(z, 0) − z t + log(1 + exp(−|z|)): −t log σ(z) − (1 − t) log(1 − σ(z)) without the rounding. */
const entropy = (z: Value, t: Value, run: OpOptions): Value =>
  add(sub(maximum(z, 0, run), multiply(z, t, run), run), log(add(exp(neg(abs(z, run), run), run), 1, run), run), run)

const none = () => undefined

/**
 * Binary cross-entropy of the sigmoid of logits, each output by itself: the mean of −t log σ(z) − (1 − t) log(1 − σ(z)), targets from 0 to 1. PyTorch's
 * BCEWithLogitsLoss. Throws `INVALID_SHAPE` unless both have one shape, and what a bad tensor throws.
 */
export const sigmoidCrossEntropy = elementLoss('sigmoidCrossEntropy', [], none, (z, t, _, run) => entropy(z, t, run))

/** The mean of |prediction − target|; its gradient is 0 where both are alike. Throws `INVALID_SHAPE`, and what a bad tensor throws. */
export const meanAbsoluteError = elementLoss('meanAbsoluteError', [], none, (p, t, _, run) => abs(sub(p, t, run), run))

/**
 * The mean of d² / 2 where |d| ≤ delta, else delta · (|d| − delta / 2), d being prediction − target: PyTorch's HuberLoss.
 * Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export const huber = elementLoss<HuberOptions, number>(
  'huber',
  ['delta'],
  ({ delta = 1 }, label) => checkNumber(delta, label, 'delta', { low: Number.MIN_VALUE }),
  (p, t, delta, run) => {
    const distance = abs(sub(p, t, run), run)
    const short = minimum(distance, delta, run)
    return multiply(short, sub(distance, scale(short, 0.5, run), run), run)
  },
)

/** The mean of max(0, 1 − target · prediction), targets being −1 and 1 (Keras takes 0 for −1, too). Throws `INVALID_SHAPE`, and what a bad tensor throws. */
export const hinge = elementLoss('hinge', [], none, (p, t, _, run) => maximum(0, sub(1, multiply(p, t, run), run), run))

/**
 * The focal loss of Lin et al. (2017) on logits, each output by itself: the mean of α_t · (1 − p_t)^gamma · binary cross-entropy, with p_t the probability
 * that is given to the target (0 or 1) and α_t alpha for 1, 1 − alpha for 0. As torchvision's sigmoid_focal_loss, but a mean.
 * Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export const focal = elementLoss<FocalOptions, { gamma: number; alpha: number }>(
  'focal',
  ['gamma', 'alpha'],
  ({ gamma = 2, alpha = 0.25 }, label) => ({
    gamma: gamma === 0 ? 0 : checkNumber(gamma, label, 'gamma', { low: 1 }),
    alpha: checkNumber(alpha, label, 'alpha', { low: 0, high: 1 }),
  }),
  (z, t, { gamma, alpha }, run) => {
    const p = sigmoid(z, run)
    // 1 − p_t = p + t − 2 p t; α_t = (1 − alpha) + t (2 alpha − 1)
    const missed = sub(add(p, t, run), scale(multiply(p, t, run), 2, run), run)
    const weight = add(scale(t, 2 * alpha - 1, run), 1 - alpha, run)
    const held = gamma === 0 ? weight : multiply(weight, pow(missed, gamma, run), run)
    return multiply(held, entropy(z, t, run), run)
  },
)
