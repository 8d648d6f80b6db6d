import { checkOptions, invalid } from '../check'
import type { Augment } from './augmentation'
import type { CheckpointOptions } from './checkpoint'
import type { Data, XY } from './data'
import type { EarlyStoppingOptions } from './earlyStopping'
import type { Callback, EpochEvent, StepEvent } from './events'
import type { CompileOptions } from './objective'

/** Numbers by class number, at least 0. */
export type ClassWeight = readonly number[] | Readonly<Record<number, number>>

/** Options of {@link Model.fit}. */
export interface FitOptions {
  /** Passes over the data. Default 1. */
  readonly epochs?: number
  /** Samples in a step; the last one of an epoch takes what is left. Default 32. Of no effect on an iterable, whose batches are taken as they come. */
  readonly batchSize?: number
  /**
   * What is done to each batch at random before a step: what `shift`, `flip`, `rotate`, … give, in this order; for a model of several inputs, lists by their
   * names. On a native thread of its own, while the step before it computes. Not to validation data. What is drawn follows from the seed, the number of the step
   * since `compile` and the sample's number in its batch. Default: nothing is.
   */
  readonly augment?: Augment
  /** Measured after each epoch. Default: nothing is. */
  readonly validationData?: Data
  /**
   * Share of the samples, above 0 and below 1, that is drawn by the seed, kept out of training and measured after each epoch instead. Of arrays only. Default
   * 0.
   */
  readonly validationSplit?: number
  /** Ends fit when epochs no longer get better, and gives the model the best weights. Default: it trains to the last epoch. */
  readonly earlyStopping?: EarlyStoppingOptions
  /**
   * How much each class counts in the loss, by class number: `[1, 5]` or `{ 1: 5 }`, where those left out are 1. A factor of the samples' weights, of training
   * alone: validation is without it. For models of one output `[N, K]`; the class of float32 targets is their largest. Default: all alike.
   */
  readonly classWeight?: ClassWeight
  /** Takes the samples in a random order, another in each epoch. Default true. Of no effect on an iterable. */
  readonly shuffle?: boolean
  /** Of the order, of dropout and of augmentation. Default: the model's. */
  readonly seed?: number
  /** Ends fit after the step under way; the history says so. Default: it ends by itself. */
  readonly signal?: AbortSignal
  /** Hooks, called in order and awaited. Default: none. */
  readonly callbacks?: readonly Callback[]
  /** Saves now and then all that a later call needs to go on. Default: never. */
  readonly checkpoint?: CheckpointOptions
  /**
   * A checkpoint's file: goes on with the fit that wrote it, bit for bit as if it had never stopped. The model is built and compiled as it was, data and
   * options are the same (`epochs`, of the whole run, may be more); state of callbacks is theirs to keep. The history holds the epochs before, too. Default:
   * begins anew.
   */
  readonly resume?: string
  /** As the callback of that name. Default: none. */
  readonly onStep?: (event: StepEvent) => void | Promise<void>
  /** As the callback of that name. Default: none. */
  readonly onEpoch?: (event: EpochEvent) => void | Promise<void>
}

export const fitOptionNames = [
  'epochs',
  'batchSize',
  'augment',
  'validationData',
  'validationSplit',
  'earlyStopping',
  'classWeight',
  'shuffle',
  'seed',
  'signal',
  'callbacks',
  'checkpoint',
  'resume',
  'onStep',
  'onEpoch',
]

/** Options of {@link Model.predict}, {@link Model.getWeights} and {@link Model.save}. */
export interface WeightsOptions {
  /** Which weights: those that are trained, or their moving averages, where `compile` has `ema`. Default `'trained'`. */
  readonly weights?: 'trained' | 'average'
}

/** What is more than x and y of a batch. */
export interface BatchOptions {
  /** As in the data of `fit`. Default: each counts alike. */
  readonly sampleWeight?: XY['sampleWeight']
}

/** Options of {@link Model.evaluate}. */
export interface EvaluateOptions extends WeightsOptions {
  /** Samples in a run. Default 256, fewer for large samples. Of no effect on the result beyond rounding, nor on an iterable. */
  readonly batchSize?: number
  /** What is measured. Default: `compile`'s metrics. */
  readonly metrics?: CompileOptions['metrics']
  /** Ends it with ABORTED. Default: nothing does. */
  readonly signal?: AbortSignal
}

/** The callbacks of fit's options in one list. Throws INVALID_ARGUMENT. */
export function callbacksOf({ callbacks = [], onStep, onEpoch }: FitOptions): Callback[] {
  if (!Array.isArray(callbacks)) throw invalid('fit', 'callbacks', 'an array of objects', callbacks)
  const all: Callback[] = [...callbacks]
  if (onStep !== undefined || onEpoch !== undefined)
    all.push({ ...(onStep !== undefined && { onStep }), ...(onEpoch !== undefined && { onEpoch }) })
  for (const callback of all) {
    if (typeof callback !== 'object' || callback === null) throw invalid('fit', 'callbacks', 'an array of objects', callback)
    for (const hook of ['onTrainBegin', 'onStep', 'onEpoch', 'onTrainEnd', 'onTrainError'] as const) {
      if (callback[hook] !== undefined && typeof callback[hook] !== 'function') throw invalid('fit', hook, 'a function', callback[hook])
    }
  }
  return all
}

/** An `AbortSignal`, or what looks like one. Throws INVALID_ARGUMENT. */
export function checkSignal(signal: unknown, label: string): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (typeof signal === 'object' && signal !== null && typeof (signal as AbortSignal).aborted === 'boolean') return signal as AbortSignal
  throw invalid(label, 'signal', 'an AbortSignal', signal)
}

/** The options of a fit whose events a reader takes, by a callback; the reader's leaving ends it, too. Throws INVALID_ARGUMENT. */
export function withReader(options: FitOptions, reader: Callback, leaving: AbortSignal): FitOptions {
  checkOptions('fit', options, fitOptionNames)
  const signal = checkSignal(options.signal, 'fit')
  const callbacks = [...callbacksOf({ callbacks: options.callbacks ?? [] }), reader]
  return { ...options, callbacks, signal: signal ? AbortSignal.any([signal, leaving]) : leaving }
}
