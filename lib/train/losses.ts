import { checkOptions, invalid } from '../check'
import { nodeOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { add } from '../ops/add'
import { sub } from '../ops/arithmetic'
import { cast } from '../ops/cast'
import { oneHot } from '../ops/gather'
import {
  categoricalHinge,
  checkFocal,
  checkHuber,
  checkSigmoidCrossEntropy,
  focal,
  hinge,
  huber,
  meanAbsoluteError,
  quadratic,
  sigmoidCrossEntropy,
} from '../ops/losses'
import { meanSquaredError } from '../ops/meanSquaredError'
import { multiply } from '../ops/multiply'
import { reshape } from '../ops/reshape'
import { scale } from '../ops/scale'
import { entropyAttributes, type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from '../ops/softmaxCrossEntropy'
import { mean, sum } from '../ops/sum'
import { weightedMean } from '../ops/weightedMean'

/**
 * A loss of your own: functions of `convlane/ops` on the values of a graph. `predictions` is the model's output `[N, …]`, `targets` what the
 * data says: float32, or int32 for class numbers `[N]`. Gives one number, shape `[]`, a mean over the
 * batch: `(predictions, targets) => ops.meanSquaredError(ops.tanh(predictions), targets).loss`; or one for each sample, `[N]`, whose mean is
 * taken: then it works with class weights and sample weights, too.
 */
export type Loss = (predictions: Value, targets: Value) => Value

/**
 * Losses by name, each with its function's defaults; `softmaxCrossEntropy`, `sigmoidCrossEntropy`, `huber` and `focal` of `convlane` make them with other
 * options. Cross-entropies and `focal` are computed on logits: those below a final softmax or sigmoid, or the output itself.
 *
 * Targets are float32 of the output's shape. Class numbers do as well for all but `meanSquaredError`, `meanAbsoluteError` and `huber`: as one-hot rows where
 * the output is `[N, K]`, as 0 and 1 (of the hinge: −1 and 1) where it is `[N, 1]`.
 */
export type LossName =
  | 'softmaxCrossEntropy'
  | 'sigmoidCrossEntropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'quadratic'
  | 'huber'
  | 'hinge'
  | 'categoricalHinge'
  | 'focal'

/** A loss with options, for `compile`: what `softmaxCrossEntropy({ labelSmoothing: 0.1 })` and the like give. `save` keeps it. */
export class NamedLoss {
  /** Which loss. */
  readonly name: LossName
  /** Those that were given. */
  readonly options: Readonly<Record<string, unknown>>

  /** @internal Use `softmaxCrossEntropy`, `sigmoidCrossEntropy`, `huber` or `focal`. */
  constructor(name: LossName, options: object) {
    this.name = name
    this.options = Object.freeze(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)))
  }
}

/** What targets a loss takes: class numbers or a distribution `[N, K]`; float32 of the output's shape; either of these; or whatever comes. */
export type TargetKind = 'classes' | 'values' | 'either' | 'any'

/** What a loss comes to in a graph. */
export interface Computed {
  /** Shape `[]`. */
  readonly loss: Value
  /** What the sum of the losses was divided by, where that need not be the number of samples. */
  readonly weight?: Value | undefined
}

export interface ResolvedLoss {
  /** Absent for one of the user's. */
  readonly name: LossName | undefined
  readonly options: Readonly<Record<string, unknown>>
  readonly targets: TargetKind
  /** What is taken off the output, where that is the last there. */
  readonly logits: 'softmax' | 'sigmoid' | undefined
  /** Whether samples count differently even without weights. */
  readonly weighs: boolean
  readonly ignoreLabel: number | undefined
  readonly compute: (predictions: Value, targets: Value, weights: Value | undefined) => Computed
}

/** The value that a final softmax or sigmoid is computed of: losses on it are exact where probabilities round to 0. Other outputs are taken as they are. */
export function below(predictions: Value, activation: 'softmax' | 'sigmoid' | undefined): Value {
  const node = nodeOf(predictions)
  return node !== undefined && node.op.name === activation ? node.inputs[0]! : predictions
}

/** Class numbers as targets of the output's shape: one-hot, or as numbers where it has one column. */
export function asTargets(predictions: Value, targets: Value): Value {
  if (targets.dtype === 'float32') return targets
  const columns = predictions.shape.at(-1)!
  return columns > 1 ? oneHot(targets, columns) : reshape(cast(targets, 'float32'), [null, 1])
}

interface Weighed {
  readonly weights?: Value | undefined
}

interface LossKind {
  readonly targets: TargetKind
  readonly logits?: 'softmax' | 'sigmoid'
  readonly options: readonly string[]
  readonly check?: (options: object, label: string) => unknown
  readonly compute: (predictions: Value, targets: Value, options: Weighed) => Value
}

const none: readonly string[] = []

const kinds: Readonly<Record<Exclude<LossName, 'softmaxCrossEntropy'>, LossKind>> = {
  meanSquaredError: {
    targets: 'values',
    options: none,
    compute: (predictions, targets, { weights }) => {
      if (!weights) return meanSquaredError(predictions, targets).loss
      const distance = sub(predictions, targets)
      return weightedMean(multiply(distance, distance), weights)
    },
  },
  sigmoidCrossEntropy: {
    targets: 'either',
    logits: 'sigmoid',
    options: ['labelSmoothing', 'positiveWeight'],
    check: checkSigmoidCrossEntropy,
    compute: (predictions, targets, options) => sigmoidCrossEntropy(predictions, asTargets(predictions, targets), options),
  },
  meanAbsoluteError: { targets: 'values', options: none, compute: meanAbsoluteError },
  huber: { targets: 'values', options: ['delta'], check: checkHuber, compute: huber },
  hinge: {
    targets: 'either',
    options: none,
    compute: (predictions, targets, options) => {
      const values = asTargets(predictions, targets)
      return hinge(predictions, targets.dtype === 'float32' ? values : add(scale(values, 2), -1), options)
    },
  },
  focal: {
    targets: 'either',
    logits: 'sigmoid',
    options: ['gamma', 'alpha'],
    check: checkFocal,
    compute: (predictions, targets, options) => focal(predictions, asTargets(predictions, targets), options),
  },
  categoricalHinge: {
    targets: 'classes',
    options: none,
    compute: (predictions, targets, options) => categoricalHinge(predictions, asTargets(predictions, targets), options),
  },
  quadratic: {
    targets: 'either',
    options: none,
    compute: (predictions, targets, options) => quadratic(predictions, asTargets(predictions, targets), options),
  },
}

const entropyOptions = ['labelSmoothing', 'ignoreLabel', 'classWeights']

/** A loss by name with options, checked. Throws INVALID_ARGUMENT. */
export function makeLoss(name: string, options: object): NamedLoss {
  const isEntropy = name === 'softmaxCrossEntropy'
  if (!isEntropy && !Object.hasOwn(kinds, name)) throw unknownLoss('loss', name)
  const kind = isEntropy ? { options: entropyOptions, check: entropyAttributes } : kinds[name as keyof typeof kinds]
  checkOptions(name, options, kind.options)
  kind.check?.(options, name)
  return new NamedLoss(name as LossName, options)
}

function unknownLoss(argument: string, loss: unknown): Error {
  const names = ['softmaxCrossEntropy', ...Object.keys(kinds)].map((name) => `'${name}'`)
  return invalid('compile', argument, `${names.join(', ')}, one made with options or a function`, loss)
}

/** Whether something stands for one loss, rather than for those of several outputs. */
export const isLoss = (value: unknown): boolean => typeof value === 'string' || typeof value === 'function' || value instanceof NamedLoss

/** A loss by name, with options, or of one's own. Throws INVALID_ARGUMENT. */
export function resolveLoss(loss: unknown, argument: string): ResolvedLoss {
  if (typeof loss === 'function') return ownLoss(loss as Loss, argument)
  if (typeof loss !== 'string' && !(loss instanceof NamedLoss)) throw unknownLoss(argument, loss)
  const { name, options } = typeof loss === 'string' ? makeNamed(loss, argument) : loss
  if (name === 'softmaxCrossEntropy') return entropyLoss(options)
  const { targets, logits, compute } = kinds[name]
  return {
    name,
    options,
    targets,
    logits,
    weighs: false,
    ignoreLabel: undefined,
    compute: (predictions, given, weights) => ({
      loss: compute(below(predictions, logits), given, { ...options, ...(weights && { weights }) }),
      weight: weights && sum(weights),
    }),
  }
}

function makeNamed(name: string, argument: string): NamedLoss {
  if (name !== 'softmaxCrossEntropy' && !Object.hasOwn(kinds, name)) throw unknownLoss(argument, name)
  return new NamedLoss(name as LossName, {})
}

function entropyLoss(options: SoftmaxCrossEntropyOptions): ResolvedLoss {
  const { ignoreLabel, ...rest } = options
  const weighs = ignoreLabel !== undefined || rest.classWeights !== undefined
  return {
    name: 'softmaxCrossEntropy',
    options: options as Readonly<Record<string, unknown>>,
    targets: 'classes',
    logits: 'softmax',
    weighs,
    ignoreLabel,
    compute: (predictions, targets, weights) => {
      const given = targets.dtype === 'int32' ? { ...rest, ignoreLabel } : rest
      const { loss, weight } = softmaxCrossEntropy(below(predictions, 'softmax'), targets, { ...given, weights })
      return { loss, weight: weighs || weights ? weight : undefined }
    },
  }
}

function ownLoss(own: Loss, argument: string): ResolvedLoss {
  const compute = (predictions: Value, targets: Value, weights: Value | undefined): Computed => {
    const loss = own(predictions, targets)
    const isEach = Array.isArray(loss?.shape) && loss.shape.length === 1 && loss.shape[0] === null
    if (!weights) return { loss: isEach ? mean(loss) : loss }
    if (!isEach) {
      const expected = 'a loss for each sample, shape [N], so that they can be weighed'
      throw invalid('fit', `what the function of ${argument} gives`, expected, loss?.shape)
    }
    return { loss: weightedMean(loss, weights), weight: sum(weights) }
  }
  return { name: undefined, options: {}, targets: 'any', logits: undefined, weighs: false, ignoreLabel: undefined, compute }
}
