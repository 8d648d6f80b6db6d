import { ConvlaneError } from '../errors'
import { inputValue } from '../graph/sources'
import type { Value } from '../graph/value'
import { checkOptions, invalid } from '../layers/check'
import type { End } from '../model/architecture'
import { add } from '../ops/add'
import { scale } from '../ops/scale'
import { checkNumber, shapeText, valueText } from '../shape'
import {
  type Loss,
  type LossName,
  type Metric,
  type MetricName,
  type ResolvedLoss,
  type ResolvedMetric,
  resolveLoss,
  resolveMetric,
} from './losses'
import { checkOptimizer, type Optimizer } from './optimizers'

/** One for the only output; for several one for all, an array in their order, or an object by their names. */
export type PerOutput<T> = T | readonly T[] | Readonly<Record<string, T>>

/** What {@link Model.compile} takes. */
export interface CompileOptions {
  /** How weights follow from gradients. */
  readonly optimizer: Optimizer
  /** With several outputs the total is the weighted sum. */
  readonly loss: PerOutput<LossName | Loss>
  /** Weights of the outputs' losses in the total. Default 1. */
  readonly lossWeights?: readonly number[] | Readonly<Record<string, number>>
  /** What else is measured, of each output: `accuracy` where targets are classes. Default: nothing. */
  readonly metrics?: readonly (MetricName | Metric)[]
}

/** What is reported beside the total loss. */
export interface Report {
  readonly name: string
  readonly gives: 'mean' | 'count'
}

interface OutputObjective {
  readonly end: End
  readonly loss: ResolvedLoss
  readonly weight: number
  readonly metrics: readonly ResolvedMetric[]
}

/** What a model is trained for: `compile`'s options, resolved against the model's outputs. */
export interface Objective {
  readonly optimizer: Optimizer
  readonly outputs: readonly OutputObjective[]
  /** In the order in which `measure` gives them, after the total loss. */
  readonly reports: readonly Report[]
}

/** Resolves and tries `compile`'s options. Throws INVALID_ARGUMENT, INVALID_SHAPE, INVALID_DTYPE. */
export function objectiveOf(options: CompileOptions, ends: readonly End[]): Objective {
  checkOptions('compile', options, ['optimizer', 'loss', 'lossWeights', 'metrics'])
  const { metrics = [] } = options
  if (!Array.isArray(metrics)) throw invalid('compile', 'metrics', 'an array', metrics)
  const resolved = metrics.map(resolveMetric)
  const duplicate = resolved.find(({ name }, index) => resolved.findIndex((metric) => metric.name === name) !== index)
  if (duplicate)
    throw new ConvlaneError('INVALID_ARGUMENT', `compile: two metrics are named "${duplicate.name}"`, { received: duplicate.name })
  const losses = perOutput(options.loss, ends, 'loss', (value) => typeof value === 'string' || typeof value === 'function')
  const weights = options.lossWeights === undefined ? ends.map(() => 1) : perOutput(options.lossWeights, ends, 'lossWeights')
  const outputs = ends.map((end, index) => ({
    end,
    loss: resolveLoss(losses[index], ends.length > 1 ? `loss of "${end.name}"` : 'loss'),
    weight: checkNumber(weights[index], 'compile', `lossWeights of "${end.name}"`, { low: 0 }),
    metrics: resolved,
  }))
  const prefix = ({ end }: OutputObjective) => (outputs.length > 1 ? `${end.name}/` : '')
  const reports = outputs.flatMap((output) => [
    ...(outputs.length > 1 ? [{ name: `${prefix(output)}loss`, gives: 'mean' as const }] : []),
    ...output.metrics.map(({ name, gives }) => ({ name: prefix(output) + name, gives })),
  ])
  const objective = { optimizer: checkOptimizer(options.optimizer), outputs, reports }
  tryOut(objective)
  return objective
}

/** Adds losses and metrics to a graph: the total loss first, then the values of `reports`. */
export function measure(objective: Objective, predictions: readonly Value[], targets: readonly Value[]): Value[] {
  const several = objective.outputs.length > 1
  let total: Value | undefined
  const reported: Value[] = []
  objective.outputs.forEach(({ end, loss, weight, metrics }, index) => {
    const [prediction, target] = [predictions[index]!, targets[index]!]
    const value = checkScalar(loss.compute(prediction, target), `the loss of "${end.name}"`)
    const weighted = weight === 1 ? value : scale(value, weight)
    total = total === undefined ? weighted : add(total, weighted)
    if (several) reported.push(value)
    for (const metric of metrics) reported.push(checkScalar(metric.compute(prediction, target), `metric "${metric.name}"`))
  })
  return [total!, ...reported]
}

/** Whether the targets of an output are class numbers or a distribution, values of its shape, or not known before they come. */
export function targetsOf({ loss, metrics }: OutputObjective): { readonly classes: boolean; readonly values: boolean } {
  const kinds = [loss.targets, ...metrics.map((metric) => metric.targets)]
  return { classes: kinds.includes('classes'), values: kinds.includes('values') }
}

/** Builds losses and metrics once, on targets as they are likely to come, so that `compile` refuses what does not fit. */
function tryOut(objective: Objective): void {
  objective.outputs.forEach((output) => {
    const { end } = output
    const { classes, values } = targetsOf(output)
    if (!classes && !values) return
    if (classes && end.shape.length !== 1) {
      const expected = 'outputs of rank 2 [N, K]'
      const message = `compile: class numbers and accuracy need ${expected}, "${end.name}" gives ${shapeText([null, ...end.shape])}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected, received: end.shape })
    }
    const prediction = inputValue('prediction', [null, ...end.shape])
    const target = values ? inputValue('target', [null, ...end.shape]) : inputValue('target', [null], 'int32')
    measure({ ...objective, outputs: [output] }, [prediction], [target])
  })
}

function checkScalar(value: Value, what: string): Value {
  if (Array.isArray(value?.shape) && value.shape.length === 0) return value
  const received = Array.isArray(value?.shape) ? shapeText(value.shape) : valueText(value)
  throw new ConvlaneError('INVALID_SHAPE', `compile: ${what} must be one number, shape [], received ${received}`, {
    expected: [],
    received,
  })
}

function perOutput(value: unknown, ends: readonly End[], argument: string, forAll: (value: unknown) => boolean = () => false): unknown[] {
  if (forAll(value)) return ends.map(() => value)
  const names = ends.map(({ name }) => name)
  if (Array.isArray(value)) {
    if (value.length === ends.length) return value
    throw invalid('compile', argument, `${ends.length} of them, one for each of ${names.join(', ')}`, value)
  }
  if (typeof value !== 'object' || value === null) throw invalid('compile', argument, `given for ${names.join(', ')}`, value)
  checkOptions(`compile: ${argument}`, value, names)
  return names.map((name) => (value as Record<string, unknown>)[name] ?? (argument === 'lossWeights' ? 1 : undefined))
}
