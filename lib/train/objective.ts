import { checkBoolean, checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { inputValue } from '../graph/sources'
import type { Value } from '../graph/value'
import type { End } from '../model/architecture'
import type { AutotuneOptions } from '../model/autotune'
import type { RunOutputs } from '../model/runner'
import { add } from '../ops/add'
import { scale } from '../ops/scale'
import { checkInteger, checkNumber, shapeText, valueText } from '../shape'
import type { ClassDetails } from './classification'
import type { Form } from './data'
import { checkEma, type EmaOptions } from './ema'
import { type ParameterGroup, type ResolvedGroup, resolveGroups } from './groups'
import { isLoss, type Loss, type LossName, type NamedLoss, type ResolvedLoss, resolveLoss } from './losses'
import type { WeightFacts } from './match'
import { type Metric, type MetricName, type NamedMetric, type Quantity, type ResolvedMetric, resolveMetric } from './metrics'
import { checkOptimizer, type Optimizer } from './optimizers'

/** One for the only output; for several one for all, an array in their order, or an object by their names. */
export type PerOutput<T> = T | readonly T[] | Readonly<Record<string, T>>

/** A metric: by name, made with options, or a function of ops. */
export type AnyMetric = MetricName | NamedMetric | Metric

/** What {@link Model.compile} takes. */
export interface CompileOptions {
  /** How weights follow from gradients. */
  readonly optimizer: Optimizer
  /** By name, made with options, or a function of ops. With several outputs the total is the weighted sum. */
  readonly loss: PerOutput<LossName | NamedLoss | Loss>
  /** Weights of the outputs' losses in the total. Default 1. */
  readonly lossWeights?: readonly number[] | Readonly<Record<string, number>>
  /**
   * What else is measured: `accuracy` where targets are classes. A list is for every output; an object by the outputs' names has a metric or a list for each, and
   * those that are left out have none. Default: nothing.
   */
  readonly metrics?: readonly AnyMetric[] | Readonly<Record<string, AnyMetric | readonly AnyMetric[]>>
  /** Weights that the optimizer treats in a way of their own. Default: none. What is not to be trained at all: `trainable`, {@link Model.freeze}. */
  readonly groups?: readonly ParameterGroup[]
  /**
   * Batches whose gradients make one update: their mean, each sample weighed alike, as one batch of all their samples would give (but for batch normalization,
   * which sees each batch for itself). The end of an epoch of fit ends a group of batches, too: the last update may be of fewer. Default 1.
   */
  readonly accumulate?: number
  /** Keeps a moving average of the weights: `evaluate`, `predict`, `getWeights` and `save` take it with `weights: 'average'`. Default: none is kept. */
  readonly ema?: EmaOptions
  /**
   * Whether convolutions may be computed by Winograd's algorithms, which round more, where a layer does not say how. `false`: in no pass, `predict` included.
   * Default true.
   */
  readonly winograd?: boolean
  /**
   * Times what can compute each convolution when a program first needs it, for at most 200 ms a model, instead of choosing by sizes. What was found is remembered
   * in a file, and kept with the model and its checkpoints, so that these go on with the same bits. Ignored by the reference runtime. Default false.
   */
  readonly autotune?: boolean | AutotuneOptions
}

/** What a run reports beside the total loss. */
export interface Report {
  readonly name: string
  /** A mean over the batch (of an output's loss: the weighted one), counts of samples, or what an output's losses are divided by. */
  readonly gives: 'loss' | 'mean' | 'count' | 'weight'
  /** Numbers that a run gives. */
  readonly size: number
  /** Which output it is of. */
  readonly output: number
  readonly outputName: string
  /** Of a loss: its factor in the total. */
  readonly share: number
  /** What comes of its sums over runs. */
  readonly metrics: readonly { readonly name: string; readonly value: NonNullable<Quantity['value']> }[]
  readonly details?: ((sums: ArrayLike<number>) => ClassDetails) | undefined
}

interface OutputObjective {
  readonly end: End
  readonly loss: ResolvedLoss
  readonly weight: number
  readonly metrics: readonly ResolvedMetric[]
  /** What runs give for the metrics, each once. */
  readonly quantities: readonly Quantity[]
}

/** What a model is trained for: `compile`'s options, resolved against the model's outputs. */
export interface Objective {
  readonly optimizer: Optimizer
  readonly outputs: readonly OutputObjective[]
  /** What it was made of. */
  readonly options: CompileOptions
  /** Tells it from all others. */
  readonly id: number
  /** In the order in which `measure` gives them, after the total loss; weights come last. */
  readonly reports: readonly Report[]
  readonly groups: readonly ResolvedGroup[]
  /** Batches in an update. */
  readonly accumulate: number
  readonly ema: Required<EmaOptions> | undefined
  readonly winograd: boolean
  readonly autotune: AutotuneOptions | undefined
}

/** How many there have been. */
let objectives = 0

/** What the state keeps of each trained weight. */
export function slotsOf({ optimizer, accumulate, ema }: Objective): string[] {
  return [...optimizer.slots, ...(accumulate > 1 ? ['gradient'] : []), ...(ema ? ['average'] : [])]
}

/** Names of {@link CompileOptions}. */
export const compileOptionNames = ['optimizer', 'loss', 'lossWeights', 'metrics', 'groups', 'accumulate', 'ema', 'winograd', 'autotune']

/** Resolves and tries `compile`'s options. `weightsOfModel`: what groups are made of. Throws INVALID_ARGUMENT, INVALID_SHAPE, INVALID_DTYPE. */
export function objectiveOf(options: CompileOptions, ends: readonly End[], weightsOfModel: readonly WeightFacts[] = []): Objective {
  checkOptions('compile', options, compileOptionNames)
  const { metrics = [], groups = [], accumulate = 1, ema, winograd = true, autotune = false } = options
  const lists = metricsOf(metrics, ends)
  const losses = perOutput(options.loss, ends, 'loss', isLoss)
  const weights = options.lossWeights === undefined ? ends.map(() => 1) : perOutput(options.lossWeights, ends, 'lossWeights')
  const outputs = ends.map((end, index) => {
    const resolved = lists[index]!
    const matrix = resolved.some(({ isMatrix }) => isMatrix)
    const loss = resolveLoss(losses[index], ends.length > 1 ? `loss of "${end.name}"` : 'loss')
    const all = resolved.map((metric) => metric.on({ shape: end.shape, loss, matrix }))
    return {
      end,
      loss,
      weight: checkNumber(weights[index], 'compile', `lossWeights of "${end.name}"`, { low: 0 }),
      metrics: resolved,
      quantities: all.filter(({ key }, at) => all.findIndex((other) => other.key === key) === at),
    }
  })
  const objective = {
    optimizer: checkOptimizer(options.optimizer),
    outputs,
    options,
    id: ++objectives,
    reports: reportsOf(outputs),
    groups: resolveGroups(groups, weightsOfModel),
    accumulate: checkInteger(accumulate, 'compile', 'accumulate'),
    ema: ema === undefined ? undefined : checkEma(ema),
    winograd: checkBoolean(winograd, 'compile', 'winograd'),
    autotune: checkAutotune(autotune),
  }
  tryOut(objective)
  return objective
}

/** The metrics of each output. Throws INVALID_ARGUMENT. */
function metricsOf(metrics: unknown, ends: readonly End[]): ResolvedMetric[][] {
  if (Array.isArray(metrics)) {
    const resolved = resolveMetrics(metrics)
    return ends.map(() => resolved)
  }
  if (typeof metrics !== 'object' || metrics === null)
    throw invalid('compile', 'metrics', 'an array, or an object by the names of outputs', metrics)
  const names = ends.map(({ name }) => name)
  checkOptions('compile: metrics', metrics, names)
  return names.map((name) => {
    const given = Object.hasOwn(metrics, name) ? (metrics as Record<string, unknown>)[name] : []
    return resolveMetrics(Array.isArray(given) ? given : [given], ` of "${name}"`)
  })
}

function resolveMetrics(list: readonly unknown[], of = ''): ResolvedMetric[] {
  const resolved = list.map(resolveMetric)
  const duplicate = resolved.find(({ name }, index) => resolved.findIndex((metric) => metric.name === name) !== index)
  if (!duplicate) return resolved
  throw new ConvlaneError('INVALID_ARGUMENT', `compile: two metrics${of} are named "${duplicate.name}"`, { received: duplicate.name })
}

function checkAutotune(autotune: boolean | AutotuneOptions): AutotuneOptions | undefined {
  if (typeof autotune === 'boolean') return autotune ? {} : undefined
  checkOptions('compile: autotune', autotune, ['cache'])
  const { cache = false } = autotune
  if (cache !== false && (typeof cache !== 'string' || cache === '')) throw invalid('compile', 'autotune.cache', 'a path or false', cache)
  return autotune
}

function reportsOf(outputs: readonly OutputObjective[]): Report[] {
  const several = outputs.length > 1
  const common = (output: number) => ({
    output,
    outputName: outputs[output]!.end.name,
    size: 1,
    share: outputs[output]!.weight,
    metrics: [],
  })
  const measured = outputs.flatMap(({ end, loss, metrics, quantities }, output): Report[] => {
    const prefix = several ? `${end.name}/` : ''
    const matrix = metrics.some(({ isMatrix }) => isMatrix)
    const named = metrics.map((metric) => ({ name: prefix + metric.name, ...metric.on({ shape: end.shape, loss, matrix }) }))
    const reports = quantities.map(({ key, gives, size, details }): Report => {
      const own = named.filter((metric) => metric.key === key)
      const numbers = own.flatMap(({ name, value }) => (value ? [{ name, value }] : []))
      return { ...common(output), name: own[0]!.name, gives, size, metrics: numbers, details }
    })
    return several ? [{ ...common(output), name: `${prefix}loss`, gives: 'loss' }, ...reports] : reports
  })
  return [...measured, ...outputs.map((_, output): Report => ({ ...common(output), name: 'weight', gives: 'weight' }))]
}

/** What losses are made of, as plain data. */
export function lossFacts({ outputs }: Objective): unknown {
  return outputs.map(({ loss: { name, options }, weight }) => ({ name: name ?? null, options, weight }))
}

/** Names of what is reported beside the loss. */
export function reportNames({ reports }: Objective): string[] {
  return reports.flatMap(({ name, gives, metrics }) =>
    gives === 'weight' ? [] : metrics.length > 0 ? metrics.map((metric) => metric.name) : [name],
  )
}

/**
 * Adds losses and metrics to a graph: the total loss first, then the values of `reports`, of weights those alone that need not be the number of samples.
 * `weights`: of the samples, by output, where they have some.
 */
export function measure(
  objective: Pick<Objective, 'outputs'>,
  predictions: readonly Value[],
  targets: readonly Value[],
  weights: readonly (Value | undefined)[] = [],
): Value[] {
  const several = objective.outputs.length > 1
  let total: Value | undefined
  const reported: Value[] = []
  const divisors: Value[] = []
  objective.outputs.forEach(({ end, loss, weight, quantities }, index) => {
    const [prediction, target] = [predictions[index]!, targets[index]!]
    const computed = loss.compute(prediction, target, weights[index])
    const value = checkScalar(computed.loss, `the loss of "${end.name}"`)
    const weighted = weight === 1 ? value : scale(value, weight)
    total = total === undefined ? weighted : add(total, weighted)
    if (several) reported.push(value)
    for (const { key, gives, compute } of quantities) {
      const measured = compute(prediction, target)
      reported.push(gives === 'count' ? measured : checkScalar(measured, `metric "${key}"`))
    }
    if (computed.weight) divisors.push(computed.weight)
  })
  return [total!, ...reported, ...divisors]
}

/** Puts the number of samples where a run of n gives no weight. `weighted`: outputs whose samples have weights. */
export function withWeights(objective: Objective, outputs: RunOutputs, n: number, weighted: readonly boolean[]): RunOutputs {
  const first = 1 + objective.reports.length - objective.outputs.length
  const given = outputs.slice(first)
  const weights = objective.outputs.map(({ loss }, index) => (loss.weighs || weighted[index] ? given.shift()! : Float32Array.of(n)))
  return [...outputs.slice(0, first), ...weights, ...given]
}

/** What the targets of an output may be, as far as loss and metrics tell. */
export interface Targets {
  /** Class numbers or a distribution, of an output `[N, K]`. */
  readonly classes: boolean
  /** Float32 of the output's shape, nothing else. */
  readonly values: boolean
  /** Float32 is what is likely to come. */
  readonly floats: boolean
}

export function targetsOf({ end, loss, metrics }: OutputObjective): Targets {
  const kinds = [loss.targets, ...metrics.map((metric) => metric.targets)]
  const either = kinds.includes('either')
  const values = kinds.includes('values') || (either && end.shape.length !== 1)
  return { classes: kinds.includes('classes') || (either && !values), values, floats: values || (either && !kinds.includes('classes')) }
}

/**
 * What the targets of an output may come as, the likely form first: class numbers may be a distribution for a loss or metric of the user's own, which tells by
 * what it takes.
 */
function formsOf(output: OutputObjective): Form[] {
  const { classes, floats } = targetsOf(output)
  const values: Form = { dtype: 'float32', shape: output.end.shape }
  if (floats) return [values]
  if (!classes) return []
  const hasOwn = [output.loss, ...output.metrics].some(({ targets }) => targets === 'any')
  return [{ dtype: 'int32', shape: [] }, ...(hasOwn ? [values] : [])]
}

/** Builds the loss and the metrics of an output on targets of a form. Throws what one of them throws. */
function build(output: OutputObjective, { dtype, shape }: Form): void {
  const prediction = inputValue('prediction', [null, ...output.end.shape])
  measure({ outputs: [output] }, [prediction], [inputValue('target', [null, ...shape], dtype)])
}

/** The first form that loss and metrics take. Throws what they say of the likely one where they take none. */
function firstBuilt(output: OutputObjective, forms: readonly Form[]): Form {
  let first: unknown
  for (const form of forms) {
    try {
      build(output, form)
      return form
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

/** What the targets of an output will be, as far as loss and metrics tell. */
export function likelyForm(output: OutputObjective): Form | undefined {
  const forms = formsOf(output)
  return forms.length > 1 ? firstBuilt(output, forms) : forms[0]
}

/** Builds losses and metrics once, on targets as they are likely to come, so that `compile` refuses what does not fit. */
function tryOut({ outputs }: Objective): void {
  for (const output of outputs) {
    const forms = formsOf(output)
    if (forms.length === 0) continue
    const { end } = output
    if (targetsOf(output).classes && end.shape.length !== 1) {
      const expected = 'outputs of rank 2 [N, K]'
      const message = `compile: class numbers and accuracy need ${expected}, "${end.name}" gives ${shapeText([null, ...end.shape])}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected, received: end.shape })
    }
    firstBuilt(output, forms)
  }
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
