import { nodeOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { invalid } from '../layers/check'
import { accuracy } from '../ops/accuracy'
import { focal, hinge, huber, meanAbsoluteError, sigmoidCrossEntropy } from '../ops/losses'
import { meanSquaredError } from '../ops/meanSquaredError'
import { softmaxCrossEntropy } from '../ops/softmaxCrossEntropy'

/**
 * A loss of your own: functions of `convlane/ops` on the values of a graph. `predictions` is the model's output `[N, …]`, `targets` what the
 * data says: float32, or int32 for class numbers `[N]`. Gives one number, shape `[]`, a mean over the
 * batch: `(predictions, targets) => ops.meanSquaredError(ops.tanh(predictions), targets).loss`.
 */
export type Loss = (predictions: Value, targets: Value) => Value

/**
 * Losses by name, each with its function's defaults; with other options they are losses of your own: `(p, t) => ops.huber(p, t, { delta: 2 })`.
 * `sigmoidCrossEntropy` and `focal` are computed on logits, as `softmaxCrossEntropy` is: those below a final sigmoid, or the output itself.
 */
export type LossName =
  | 'softmaxCrossEntropy'
  | 'sigmoidCrossEntropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber'
  | 'hinge'
  | 'focal'

/** A metric of your own: as a {@link Loss}, but measured only. The mean over the samples is reported. */
export interface Metric {
  /** What it is called in results. */
  readonly name: string
  /** Computes it, a scalar: the mean over the samples of a batch. */
  readonly compute: (predictions: Value, targets: Value) => Value
}

/** Metrics by name. `accuracy`: share of the samples whose largest output is where the label says. */
export type MetricName = 'accuracy'

/** What targets a loss takes: class numbers or a distribution `[N, K]`; float32 of the output's shape; or whatever comes. */
export type TargetKind = 'classes' | 'values' | 'any'

export interface ResolvedLoss {
  readonly name: LossName | undefined
  readonly targets: TargetKind
  readonly compute: Loss
}

export interface ResolvedMetric {
  readonly name: string
  /** Whether it is a function of the user's. */
  readonly own: boolean
  /** `'count'`: it gives how many samples, not a mean over them. */
  readonly gives: 'mean' | 'count'
  readonly compute: Loss
  /** Whether class numbers are needed. */
  readonly targets: TargetKind
}

/**
 * The logits below a final softmax: `softmaxCrossEntropy` computes with them, which is exact where probabilities round to 0,
 * and gives the gradient without a division. Other outputs are taken as logits themselves.
 */
function logitsOf(predictions: Value): Value {
  const node = nodeOf(predictions)
  return node?.op.name === 'softmax' ? node.inputs[0]! : predictions
}

/** The same below a final sigmoid. */
function logitBelow(predictions: Value): Value {
  const node = nodeOf(predictions)
  return node?.op.name === 'sigmoid' ? node.inputs[0]! : predictions
}

/** Means over all elements. */
const ofElements = {
  sigmoidCrossEntropy: (predictions: Value, targets: Value) => sigmoidCrossEntropy(logitBelow(predictions), targets),
  meanAbsoluteError: (predictions: Value, targets: Value) => meanAbsoluteError(predictions, targets),
  huber: (predictions: Value, targets: Value) => huber(predictions, targets),
  hinge: (predictions: Value, targets: Value) => hinge(predictions, targets),
  focal: (predictions: Value, targets: Value) => focal(logitBelow(predictions), targets),
}

/** A loss by name or of one's own. Throws INVALID_ARGUMENT. */
export function resolveLoss(loss: unknown, argument: string): ResolvedLoss {
  if (typeof loss === 'function') return { name: undefined, targets: 'any', compute: loss as Loss }
  if (loss === 'softmaxCrossEntropy') {
    return { name: loss, targets: 'classes', compute: (predictions, targets) => softmaxCrossEntropy(logitsOf(predictions), targets).loss }
  }
  if (loss === 'meanSquaredError')
    return { name: loss, targets: 'values', compute: (predictions, targets) => meanSquaredError(predictions, targets).loss }
  if (typeof loss === 'string' && Object.hasOwn(ofElements, loss)) {
    const name = loss as keyof typeof ofElements
    return { name, targets: 'values', compute: ofElements[name] }
  }
  const names = ['softmaxCrossEntropy', 'meanSquaredError', ...Object.keys(ofElements)].map((name) => `'${name}'`)
  throw invalid('compile', argument, `${names.join(', ')} or a function`, loss)
}

/** A metric by name or of one's own. Throws INVALID_ARGUMENT. */
export function resolveMetric(metric: unknown): ResolvedMetric {
  if (metric === 'accuracy') {
    return {
      name: metric,
      own: false,
      gives: 'count',
      targets: 'classes',
      compute: (predictions, targets) => accuracy(logitsOf(predictions), targets).correct,
    }
  }
  const { name, compute } = (metric ?? {}) as Partial<Metric>
  if (typeof name === 'string' && name !== '' && name !== 'loss' && typeof compute === 'function') {
    return { name, own: true, gives: 'mean', targets: 'any', compute }
  }
  throw invalid('compile', 'metrics', "an array of 'accuracy' and { name, compute }", metric)
}
