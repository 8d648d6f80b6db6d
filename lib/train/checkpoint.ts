import { createHash } from 'node:crypto'
import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { readSafetensors, writeSafetensors } from '../io/safetensors'
import { weightsSha256 } from '../io/weights-hash'
import { checkInteger, checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import type { EpochEvent } from './events'

/** Where and how often {@link Model.fit} saves all that it needs to go on. */
export interface CheckpointOptions {
  /** Where to: written beside it and renamed, so that at any moment it is the old one or the new one. It is a model file, too. */
  readonly file: string
  /** Steps between two, counted since `compile`. Default: only after each epoch, which is done in any case, and when a signal ends fit. */
  readonly every?: number
  /** Of your own: kept in the file, and must be the same when fit resumes. Default: none. */
  readonly note?: string
}

/** How far fit has come: with the state, all that the rest follows from. Plain data. */
export interface FitProgress {
  /** Since `compile`: number of the epoch under way, or next. */
  readonly epoch: number
  /** Steps of it that are done. */
  readonly position: number
  /** Its sums so far. */
  readonly samples: number
  readonly sums: readonly number[]
  readonly seconds: number
  /** Whole epochs of this fit. */
  readonly done: readonly EpochEvent[]
}

/** What must be the same for a run to go on as if never stopped. */
export interface RunFacts {
  readonly runtime: string
  readonly optimizer: unknown
  /** Absent where it is as by default, as are the next five. */
  readonly groups?: unknown
  readonly accumulate?: number
  readonly ema?: unknown
  readonly winograd?: boolean
  readonly autotune?: boolean
  readonly frozen?: readonly string[]
  readonly batchSize: number
  readonly shuffle: boolean
  readonly seed: number
  /** Samples of the training data; null for an iterable. */
  readonly length: number | null
  readonly validationSplit: number
  /** What is done to batches; null: nothing. */
  readonly augment: unknown
  readonly earlyStopping: unknown
  readonly reports: readonly string[]
  /** Losses with their options and weights. Absent in files of before these. */
  readonly losses: unknown
  /** By class number. Absent as `losses`. */
  readonly classWeight: readonly number[] | null
  readonly note: string | null
}

export interface Checkpoint {
  /** By name. */
  readonly weights: Readonly<Record<string, Tensor>>
  /** The rest of the state, bit for bit. */
  readonly bits: Float32Array
  /** The model as `save` describes it. */
  readonly document: string
  readonly facts: RunFacts
  /** Updates since `compile`. */
  readonly steps: number
  /** Where gradients are accumulated: batches since `compile`, and those that wait for an update, with their samples. */
  readonly accumulation?: { readonly batches: number; readonly waiting: number; readonly samples: number } | undefined
  readonly progress: FitProgress
  /** Of the schedule and the like, by name. */
  readonly watchers: Readonly<Record<string, unknown>>
  /** Weights of the best epoch, where early stopping keeps them. */
  readonly best?: Readonly<Record<string, Tensor>> | undefined
}

/** Key of the metadata that tells a checkpoint. */
export const checkpointKey = 'convlane.checkpoint'
/** Name of the tensor that holds what is no weight. */
const bitsName = 'checkpoint.state'
const bestPrefix = 'checkpoint.best/'
/** Whether a tensor of a checkpoint is a weight. */
export const isWeight = (name: string): boolean => name !== bitsName && !name.startsWith(bestPrefix)
const sumKey = 'convlane.checkpoint.sha256'
const VERSION = 1

/** Throws INVALID_ARGUMENT. */
export function checkCheckpointOptions(options: CheckpointOptions | undefined): CheckpointOptions | undefined {
  if (options === undefined) return undefined
  checkOptions('fit: checkpoint', options, ['file', 'every', 'note'])
  checkFile(options.file, 'checkpoint.file')
  if (options.every !== undefined) checkInteger(options.every, 'fit', 'checkpoint.every', 1, Number.MAX_SAFE_INTEGER)
  if (options.note !== undefined && typeof options.note !== 'string') throw invalid('fit', 'checkpoint.note', 'a string', options.note)
  return options
}

/** Throws INVALID_ARGUMENT. */
export function checkFile(file: unknown, argument: string): string {
  if (typeof file === 'string' && file !== '') return file
  throw invalid('fit', argument, 'a path', file)
}

const checksum = (tensors: Readonly<Record<string, Tensor>>, document: string, json: string): string =>
  createHash('sha256')
    .update(`${weightsSha256(tensors)}\0${document}\0${json}`)
    .digest('hex')

/** Throws FILE_ERROR. `documentKey`: the metadata that `loadModel` reads. */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint, documentKey: string): Promise<void> {
  const { weights, bits, document, best = {}, ...rest } = checkpoint
  const kept = Object.entries(best).map(([name, tensor]) => [bestPrefix + name, tensor] as const)
  const tensors = { ...weights, ...Object.fromEntries(kept), [bitsName]: { shape: [bits.length], data: bits } }
  const json = JSON.stringify({ version: VERSION, ...rest })
  await writeSafetensors(file, tensors, { [documentKey]: document, [checkpointKey]: json, [sumKey]: checksum(tensors, document, json) })
}

/** Throws FILE_ERROR when it cannot be read, INVALID_FILE when it is damaged or no checkpoint. */
export async function readCheckpoint(file: string, documentKey: string): Promise<Checkpoint> {
  const refuse = (message: string, cause?: unknown) => new ConvlaneError('INVALID_FILE', `${file}: ${message}`, { cause })
  const { tensors, metadata } = await readSafetensors(file).catch((error: unknown) => {
    if (error instanceof ConvlaneError && error.code === 'UNSUPPORTED') throw refuse(`no checkpoint: ${error.message}`, error)
    throw error
  })
  const { [documentKey]: document, [checkpointKey]: json, [sumKey]: sum } = metadata
  if (document === undefined || json === undefined) throw refuse('no checkpoint (a model, perhaps: loadModel)')
  if (sum !== checksum(tensors, document, json)) throw refuse('damaged checkpoint: its checksum is wrong')
  try {
    const { version, facts, steps, accumulation, progress, watchers } = JSON.parse(json)
    if (version !== VERSION) throw invalid('checkpoint', 'version', `${VERSION}, the one that this release reads`, version)
    const { [bitsName]: bits, ...others } = tensors
    const isBest = ([name]: [string, Tensor]) => name.startsWith(bestPrefix)
    const weights = Object.fromEntries(Object.entries(others).filter((entry) => !isBest(entry)))
    const best = Object.entries(others).filter(isBest)
    const count = (value: unknown, name: string) => checkInteger(value, 'checkpoint', name, 0, Number.MAX_SAFE_INTEGER)
    const sums = (progress.sums as (number | null)[]).map((value) => value ?? Number.NaN)
    return {
      weights,
      bits: bits!.data,
      document,
      facts,
      steps: count(steps, 'steps'),
      accumulation: accumulation && {
        batches: count(accumulation.batches, 'batches'),
        waiting: count(accumulation.waiting, 'waiting'),
        samples: count(accumulation.samples, 'samples'),
      },
      progress: {
        epoch: count(progress.epoch, 'epoch'),
        position: count(progress.position, 'position'),
        samples: count(progress.samples, 'samples'),
        sums,
        seconds: checkNumber(progress.seconds, 'checkpoint', 'seconds', { low: 0 }),
        done: progress.done,
      },
      watchers,
      best: best.length > 0 ? Object.fromEntries(best.map(([name, tensor]) => [name.slice(bestPrefix.length), tensor])) : undefined,
    }
  } catch (cause) {
    throw refuse(`damaged checkpoint: ${(cause as Error).message}`, cause)
  }
}

/** Throws INVALID_ARGUMENT where a run is not the one that the checkpoint is of. */
export function checkFacts(file: string, expected: RunFacts, received: RunFacts): void {
  for (const name of Object.keys({ ...expected, ...received }) as (keyof RunFacts)[]) {
    // What earlier releases had no word for was not done; of losses they did not tell.
    const [was, is] = [JSON.stringify(expected[name] ?? null), JSON.stringify(received[name] ?? null)]
    if (was === is || (name === 'losses' && expected[name] === undefined)) continue
    const message = `fit: cannot resume from ${file}: its run had ${name} ${was}, this one has ${is}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: expected[name], received: received[name] })
  }
}
