import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { input, type Node } from '../layers/node'
import { makeLayer } from '../layers/registry'
import { type AlgorithmChoices, isAlgorithm } from '../program/algorithms'
import { checkSeed } from '../random'
import type { History } from '../train/events'
import { groupsConfig, type ParameterGroup } from '../train/groups'
import { type LossName, makeLoss } from '../train/losses'
import { type MetricName, makeMetric, type ResolvedMetric } from '../train/metrics'
import { type CompileOptions, compileOptionNames, type Objective } from '../train/objective'
import { makeOptimizer, optimizerConfig } from '../train/optimizers'
import { type Architecture, architectureOf } from './architecture'
import { checkClassNames } from './classNames'
import { areKnown, frozenAtFirst } from './frozen'
import { historyDocument, readHistory } from './history'

/** Key of a safetensors file's metadata that holds a {@link ModelDocument} as JSON. */
export const metadataKey = 'convlane'

/** Number of the form below. Files of a higher one are refused. */
const VERSION = 1

type MetricConfigs = readonly NonNullable<ResolvedMetric['config']>[]

/** A model without its weights, as JSON: what `save` writes. Places as in `Architecture`: inputs first, then calls. */
export interface ModelDocument {
  readonly version: number
  readonly seed: number
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly normalize?: unknown }[]
  readonly layers: readonly { readonly type: string; readonly name: string; readonly config: Readonly<Record<string, unknown>> }[]
  readonly calls: readonly { readonly layer: number; readonly inputs: readonly number[] }[]
  readonly outputs: readonly number[]
  /** Names of what training leaves alone, where that is not the layers made with `trainable: false`. */
  readonly frozen?: readonly string[]
  /** Names of what it tells apart, by class number. */
  readonly classNames?: readonly string[]
  /** Numbers of the epochs of its last training. */
  readonly history?: unknown
  /** How convolutions are computed, where that was chosen by time. */
  readonly algorithms?: AlgorithmChoices
  /** What `compile` takes; absent where that held functions. */
  readonly compile?: {
    readonly optimizer: { readonly type: string; readonly options: Readonly<Record<string, unknown>> }
    readonly loss: readonly (string | { readonly name: string; readonly options: Readonly<Record<string, unknown>> })[]
    readonly lossWeights: readonly number[]
    /** Of every output; an object where they differ. */
    readonly metrics: MetricConfigs | Readonly<Record<string, MetricConfigs>>
    readonly groups?: readonly ParameterGroup[]
    readonly accumulate?: number
    readonly ema?: unknown
    readonly winograd?: boolean
    readonly autotune?: unknown
  }
}

/** What a document tells of a model beside its architecture. */
export interface DocumentFacts {
  /** Updates done: a schedule is kept as its rate after them. */
  readonly steps: number
  readonly algorithms: AlgorithmChoices
  readonly classNames: readonly string[] | undefined
  readonly history?: History | undefined
}

export function documentOf(
  architecture: Architecture,
  seed: number,
  objective: Objective | undefined,
  { steps, algorithms, classNames, history }: DocumentFacts,
): ModelDocument {
  const { inputs, layers, calls, outputs } = architecture
  const frozen = [...architecture.frozen].sort()
  const isAsMade = JSON.stringify(frozen) === JSON.stringify([...frozenAtFirst(layers)].sort())
  const compile = objective && compileConfig(objective, steps)
  return {
    version: VERSION,
    seed,
    inputs: inputs.map(({ name, shape, normalize }) => ({ name, shape, ...(normalize && { normalize }) })),
    layers: layers.map(({ layer, name }) => ({ type: layer.type, name, config: layer.config() })),
    calls: calls.map(({ layer, inputs: places }) => ({ layer, inputs: places })),
    outputs: outputs.map(({ place }) => place),
    ...(!isAsMade && { frozen }),
    ...(classNames && { classNames }),
    ...(history && { history: historyDocument(history) }),
    ...(Object.keys(algorithms).length > 0 && { algorithms }),
    ...(compile && { compile }),
  }
}

/** Nothing where functions are among losses and metrics. */
function compileConfig(
  { optimizer, outputs, groups, accumulate, ema, winograd, autotune }: Objective,
  steps: number,
): ModelDocument['compile'] {
  const losses = outputs.flatMap(({ loss: { name, options } }) =>
    name === undefined ? [] : [Object.keys(options).length > 0 ? { name, options } : name],
  )
  if (losses.length < outputs.length || outputs.some(({ metrics }) => metrics.some(({ config }) => config === undefined))) return undefined
  const lists = outputs.map(({ end, metrics }) => [end.name, metrics.map(({ config }) => config!)] as const)
  const areAlike = lists.every(([, list]) => JSON.stringify(list) === JSON.stringify(lists[0]![1]))
  return {
    optimizer: optimizerConfig(optimizer, steps),
    loss: losses,
    lossWeights: outputs.map(({ weight }) => weight),
    metrics: areAlike ? lists[0]![1] : Object.fromEntries(lists),
    ...(groups.length > 0 && { groups: groupsConfig(groups) }),
    ...(accumulate > 1 && { accumulate }),
    ...(ema && { ema }),
    ...(!winograd && { winograd }),
    ...(autotune && { autotune }),
  }
}

export interface ReadDocument {
  readonly architecture: Architecture
  readonly seed: number
  readonly algorithms: AlgorithmChoices
  readonly classNames: readonly string[] | undefined
  readonly history: History | undefined
  readonly compile: CompileOptions | undefined
}

/** The choices of algorithms in a document that is whole. */
export const choicesIn = (json: string): AlgorithmChoices => checkChoices(JSON.parse(json).algorithms)

function checkChoices(value: unknown = {}): AlgorithmChoices {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject || !Object.values(value).every(isAlgorithm)) throw invalid('model', 'algorithms', 'names of algorithms by geometry', value)
  return value as AlgorithmChoices
}

/** Builds what a document describes, every part of it checked. Throws INVALID_FILE, naming the file; `cause` tells what is wrong. */
export function readDocument(json: string, file: string): ReadDocument {
  try {
    return parseDocument(json)
  } catch (cause) {
    if (!(cause instanceof ConvlaneError)) throw cause
    throw new ConvlaneError('INVALID_FILE', `${file}: damaged model description: ${cause.message}`, { cause })
  }
}

/** The same, where it does not come from a file. Throws INVALID_ARGUMENT, INVALID_SHAPE. */
export function parseDocument(json: string): ReadDocument {
  try {
    return build(JSON.parse(json))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new ConvlaneError('INVALID_ARGUMENT', cause.message, { cause })
  }
}

const documentKeys = ['version', 'seed', 'inputs', 'layers', 'calls', 'outputs', 'frozen', 'classNames', 'history', 'algorithms', 'compile']

function build(document: ModelDocument): ReadDocument {
  checkOptions('model', document, documentKeys)
  if (document.version !== VERSION) throw invalid('model', 'version', `${VERSION}, the one that this release reads`, document.version)
  const inputs = arrayOf(document.inputs, 'inputs').map((end) => {
    checkOptions('inputs', end, ['name', 'shape', 'normalize'])
    const { shape, ...options } = end
    return input(shape, options as object)
  })
  const layers = arrayOf(document.layers, 'layers').map((layer) => {
    checkOptions('layers', layer, ['type', 'name', 'config'])
    if (typeof layer.config !== 'object' || layer.config === null) throw invalid('layers', 'config', 'an object', layer.config)
    return makeLayer(layer.type, layer.name, layer.config)
  })
  const places: Node[] = [...inputs]
  for (const call of arrayOf(document.calls, 'calls')) {
    checkOptions('calls', call, ['layer', 'inputs'])
    const nodes = arrayOf(call.inputs, 'inputs of a call').map((place) => at(places, place, 'a place before the call'))
    places.push(at(layers, call.layer, 'a layer').apply(...nodes))
  }
  const outputs = arrayOf(document.outputs, 'outputs').map((place) => at(places, place, 'a place'))
  const made = architectureOf(inputs, outputs)
  const frozen = document.frozen === undefined ? [...made.frozen] : arrayOf(document.frozen, 'frozen')
  if (!areKnown(made, frozen)) throw invalid('model', 'frozen', 'names of its layers and weights', frozen)
  return {
    architecture: { ...made, frozen: new Set(frozen) },
    seed: checkSeed(document.seed, 'model'),
    algorithms: checkChoices(document.algorithms),
    classNames: document.classNames === undefined ? undefined : checkClassNames(document.classNames, made, 'model'),
    history: document.history === undefined ? undefined : readHistory(document.history),
    compile: compileOf(document.compile),
  }
}

function compileOf(compile: ModelDocument['compile']): CompileOptions | undefined {
  if (compile === undefined) return undefined
  checkOptions('compile', compile, compileOptionNames)
  checkOptions('compile: optimizer', compile.optimizer, ['type', 'options'])
  const optimizer = makeOptimizer(compile.optimizer.type, compile.optimizer.options)
  const loss = arrayOf(compile.loss, 'loss').map((made) => {
    if (typeof made === 'string') return made
    checkOptions('compile: loss', made, ['name', 'options'])
    return makeLoss(made.name, made.options)
  })
  const { optimizer: _, loss: __, metrics, ...rest } = compile
  return { ...(rest as Partial<CompileOptions>), optimizer, loss: loss as LossName[], metrics: metricsOf(metrics) }
}

function metricsOf(metrics: MetricConfigs | Readonly<Record<string, MetricConfigs>>): NonNullable<CompileOptions['metrics']> {
  const made = (list: MetricConfigs) =>
    arrayOf(list, 'metrics').map((config) => {
      if (typeof config === 'string') return config as MetricName
      checkOptions('compile: metrics', config, ['type', 'options'])
      return makeMetric(config.type, config.options)
    })
  if (Array.isArray(metrics) || typeof metrics !== 'object' || metrics === null) return made(metrics as MetricConfigs)
  return Object.fromEntries(Object.entries(metrics).map(([name, list]) => [name, made(list)]))
}

function arrayOf<T>(value: readonly T[], what: string): readonly T[] {
  if (!Array.isArray(value)) throw invalid('model', what, 'an array', value)
  return value
}

function at<T>(list: readonly T[], index: number, what: string): T {
  const found = Number.isInteger(index) ? list[index] : undefined
  if (found === undefined) throw invalid('model', 'index', `that of ${what}`, index)
  return found
}
