import { checkBoolean, checkOptions, invalid } from '../check'
import type { Dataset } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { writeAtomically } from '../io/atomic-file'
import { aborted } from '../io/files'
import { joinedClassNames } from '../model/classNames'
import type { Model } from '../model/model'
import { largestChunk } from '../model/predict'
import { checkInteger } from '../shape'
import type { Tensor } from '../tensor'
import { isStream } from '../train/batches'
import type { Data } from '../train/data'
import type { EpochEvent, History } from '../train/events'
import { checkSignal } from '../train/options'
import { checkModel } from './checkModel'
import { curves } from './curves'
import { facts, type Run } from './facts'
import { filters } from './filters'
import { graphTable } from './graph'
import { type Look, look } from './outcome'
import { page, type Section, type Tile } from './page'
import { filterFigures, mapFigures, mistakeCards, type Words } from './pictures'
import { accuracyOf, classResults, numberResults } from './results'
import { asSeen } from './samples'
import type { StepPoint } from './stepLog'
import { html, number, percent, sizes, time } from './text'
import { weightCards } from './weights'

/** Options of {@link report}. */
export interface ReportOptions {
  /** Where the page is written, too: it appears whole or not at all. Default: nowhere. */
  readonly file?: string
  /** Default: `'Report'`. */
  readonly title?: string
  /** Points of the curves between the epochs: `points` of {@link stepLog}. Default: none. */
  readonly steps?: readonly StepPoint[]
  /** Numbers of the samples whose feature maps are shown. Default: the first that is told right, and the worst mistake. */
  readonly examples?: readonly number[]
  /** Most mistakes that are shown, of each output, 0 to 1000. Default 24. */
  readonly mistakes?: number
  /** Samples in a run. Default: 256, or fewer where images are large. */
  readonly batchSize?: number
  /** What else is needed to repeat the run, by name: options of `fit`, the command, where the data is from. Default: nothing. */
  readonly run?: Readonly<Record<string, unknown>>
  /** Measures the time of each layer, on random samples. Default: true, but on the reference runtime. */
  readonly timing?: boolean
  /** Stops with ABORTED. Default: none. */
  readonly signal?: AbortSignal
}

const optionNames = ['file', 'title', 'steps', 'examples', 'mistakes', 'batchSize', 'run', 'timing', 'signal']

/** Samples in a run. */
const BATCH = 256

function checkReport(options: ReportOptions) {
  checkOptions('report', options, optionNames)
  const { file, title = 'Report', steps = [], examples, mistakes = 24, run = {}, timing = true } = options
  if (file !== undefined && (typeof file !== 'string' || file === '')) throw invalid('report', 'file', 'a path', file)
  if (typeof title !== 'string') throw invalid('report', 'title', 'a string', title)
  if (!Array.isArray(steps)) throw invalid('report', 'steps', 'points of a stepLog', steps)
  if (examples !== undefined && !Array.isArray(examples)) throw invalid('report', 'examples', 'an array of numbers of samples', examples)
  for (const index of examples ?? []) checkInteger(index, 'report', 'examples', 0)
  checkInteger(mistakes, 'report', 'mistakes', 0, 1000)
  if (typeof run !== 'object' || run === null) throw invalid('report', 'run', 'an object', run)
  return {
    file,
    title,
    steps: steps as readonly StepPoint[],
    examples,
    mistakes,
    batchSize: options.batchSize === undefined ? BATCH : checkInteger(options.batchSize, 'report', 'batchSize'),
    run: run as Run,
    timing: checkBoolean(timing, 'report', 'timing'),
    signal: checkSignal(options.signal, 'report'),
  }
}

/**
 * A page that shows what a model does: one HTML file without scripts that needs nothing else, and may fetch nothing. Curves of the training, what is right and
 * wrong on the data at each output, the worst mistakes, filters, feature maps on the way through all layers, how weights and gradients are spread, the graph with sizes and
 * times, and what is needed to repeat the run. Without a history or data the page has no such parts.
 * @param history what `fit` gave. Default: the model's
 * @param data what `evaluate` takes: best what the model was not trained on. Read once
 * @returns the page
 * @throws INVALID_ARGUMENT; ABORTED; FILE_ERROR; what `predict` and `getGradients` throw for bad data
 */
export async function report(model: Model<never, unknown>, history?: History, data?: Data, options: ReportOptions = {}): Promise<string> {
  const checked = checkReport(options)
  checkModel(model, 'report')
  if (history !== undefined && !(Array.isArray(history?.epochs) && history.epochs.every(isEpoch)))
    throw invalid('report', 'history', 'what fit gave', history)
  const told = history ?? model.history
  const sections = await sectionsOf(model, told, data, checked)
  const text = page(checked.title, sections.subtitle, sections.tiles, sections.all)
  if (checked.file !== undefined) await writeAtomically(checked.file, [Buffer.from(text)])
  return text
}

type Checked = ReturnType<typeof checkReport>

/** Whether it has the numbers that are shown. */
const isEpoch = (epoch: Partial<EpochEvent> | null): boolean =>
  typeof epoch === 'object' &&
  epoch !== null &&
  typeof epoch.metrics === 'object' &&
  epoch.metrics !== null &&
  [epoch.epoch, epoch.loss, epoch.learningRate, epoch.seconds, epoch.imagesPerSecond].every((value) => typeof value === 'number')

async function sectionsOf(model: Model<never, unknown>, history: History | undefined, data: Data | undefined, options: Checked) {
  const { steps, timing, run, signal } = options
  const summary = model.summary()
  const { inputs } = model.architecture
  const names = joinedClassNames(model.classNames, [data], model.architecture, 'report')
  const told = (data && !isStream(data) ? data : {}) as Partial<Dataset> & { readonly files?: readonly unknown[] }
  const { normalize } = told
  // Of a part of a data set the names may be those of the whole.
  const files = told.files?.length === countOf(told.x) ? told.files : undefined
  const words: Words = {
    classOf: (k) => names?.[k] ?? String(k),
    sampleOf: (index) => (typeof files?.[index] === 'string' ? files[index] : `sample ${index}`),
    inputs: inputs.map((end) => ({ name: end.name, normalize: normalize ?? end.normalize })),
  }
  const batchSize = Math.min(options.batchSize, largestChunk(model.architecture))
  const seen = data && (await look(model, data, { ...options, batchSize }))
  const weights = await model.getWeights()
  const gradients = seen && (await gradientsOf(model, seen))
  const all: Section[] = []
  const tiles: Tile[] = []
  if (seen) tiles.push(...outcomeTiles(seen))
  tiles.push(['parameters', number(summary.parameters)], ['multiply-adds', number(summary.multiplyAdds)])
  if (history && history.epochs.length > 0) {
    const seconds = history.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0)
    tiles.push(['epochs', number(history.epochs.length)], ['training', time(seconds)])
    all.push({ id: 'training', title: 'Training', body: curves(history, steps) })
  }
  if (seen) all.push(...(await outcomeSections(model, data!, seen, words)))
  const found = await filters(model)
  if (found.length > 0) all.push({ id: 'filters', title: 'Filters', body: await filterFigures(found) })
  const profile = timing && model.runtime === 'native' ? await model.profile({ steps: 5 }) : undefined
  const gradientNote =
    gradients &&
    html`<p class="note">Blue: the weights. Orange: the gradient of the loss of the first ${seen!.batch.n} samples, as training has it${seen!.isWeighted && ', by their weights'}.</p>`
  if (Object.keys(weights).length > 0)
    all.push({
      id: 'weights',
      title: gradients ? 'Weights and gradients' : 'Weights',
      body: html`${gradientNote}${await weightCards(weights, gradients)}`,
    })
  const timeNote =
    profile &&
    html`<p class="note">Time of ${profile.mode === 'train' ? 'a step of training' : 'predict'} with ${profile.batchSize} random samples on ${profile.limits.threads} ${profile.limits.threads === 1 ? 'thread' : 'threads'}, forward and backward together; layers without a time are computed within others.</p>`
  all.push({
    id: 'layers',
    title: 'Layers',
    body: html`<p class="note">Each layer reads the row above it, or what is named. Multiply-adds are of one sample, forward.</p>${timeNote}${graphTable(model, profile)}`,
  })
  all.push({ id: 'repeat', title: 'To repeat it', body: facts(model, weights, run, model.runtime) })
  if (signal?.aborted) throw aborted(signal)
  const shapes = summary.inputs.map(({ shape }) => sizes(shape)).join(' and ')
  return { all, tiles, subtitle: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; takes ${shapes}` }
}

/** By the samples that were kept for it; nothing before `compile`. */
async function gradientsOf(model: Model<never, unknown>, { batch }: Look): Promise<Record<string, Tensor> | undefined> {
  if (model.trainedWeights.length === 0) return undefined
  try {
    return await model.getGradients(batch.x, batch.y, { sampleWeight: batch.w })
  } catch (error) {
    if (error instanceof ConvlaneError && error.code === 'NOT_COMPILED') return undefined
    throw error
  }
}

/** Of how many samples an array is, where that is told. */
const countOf = (x: unknown): unknown => (x as Partial<Dataset['x']> | undefined)?.shape?.[0]

function outcomeTiles({ outputs, samples }: Look): Tile[] {
  const tiles = outputs.flatMap(({ name, outcome }): Tile[] => {
    const of = outputs.length > 1 ? ` of ${name}` : ''
    if (outcome.kind === 'other') return []
    if (outcome.kind === 'numbers') return [[`root mean square error${of}`, number(outcome.all.rmse)]]
    return [
      [`accuracy${of}`, percent(accuracyOf(outcome))],
      [`mistakes${of}`, number(outcome.mistakes)],
    ]
  })
  // Of one output without those whose label is ignored.
  return [...tiles, ['samples', number(outputs.length === 1 ? outputs[0]!.outcome.samples : samples)]]
}

async function outcomeSections(model: Model<never, unknown>, data: Data, seen: Look, words: Words): Promise<Section[]> {
  const { outputs, examples } = seen
  const sections = await Promise.all(outputs.map((_, output) => outputSections(seen, output, words)))
  if (examples.length === 0) return sections.flat()
  const body = await mapFigures(model as never, seen, asSeen(model, data), words)
  return [...sections.flat(), { id: 'maps', title: 'Through the layers', body }]
}

/** Of one output: what is right and wrong, and the samples that are furthest from right. */
async function outputSections({ outputs, isWeighted }: Look, output: number, words: Words): Promise<Section[]> {
  const isOne = outputs.length === 1
  const own = outputs[output]!
  const { name, outcome, worst } = own
  const [id, of] = isOne ? ['', ''] : [`${output + 1}`, ` of ${name}`]
  const results =
    outcome.kind === 'numbers'
      ? numberResults(outcome)
      : outcome.kind === 'other'
        ? html`<p>${outcome.why}</p>`
        : await classResults(outcome, words.classOf)
  const weightNote =
    isWeighted &&
    outcome.kind !== 'other' &&
    html`<p class="note">Each sample counts alike here, as in the metrics of evaluate: the weights that the data gives go into the loss alone.</p>`
  const sections = [{ id: `results${id}`, title: `Results${of}`, body: html`${weightNote}${results}` }]
  if (worst.length === 0) return sections
  const order =
    outcome.kind === 'numbers'
      ? 'The largest square errors first.'
      : outcome.kind === 'labels'
        ? 'Furthest from their labels first.'
        : 'The smallest probability of the right class (✓) first.'
  const body = html`<p class="note">${order}</p>${await mistakeCards(own, output, words)}`
  return [...sections, { id: `mistakes${id}`, title: `${outcome.kind === 'numbers' ? 'Largest errors' : 'Worst mistakes'}${of}`, body }]
}
