import type { ClassDetails } from './classification'

/** What is measured beside numbers: of the only output, or by the outputs' names. */
export interface Details extends ClassDetails {
  /** Of several outputs, by name. */
  readonly outputs?: Readonly<Record<string, ClassDetails>>
}

/** The loss and, by name, what else is measured; `perClass` and `confusionMatrix` where metrics say so. */
export type Results = { loss: number } & Record<string, number> & Details

/** After each step of fit. */
export interface StepEvent {
  /** Counted from 1 in each call of fit. */
  readonly epoch: number
  /** Within the epoch, counted from 1. */
  readonly step: number
  /** Steps in an epoch; 0 when the data is an iterable whose length is not known. */
  readonly steps: number
  /** Of this step's batch, before its update. */
  readonly loss: number
  /** Means over the epoch so far, by name. */
  readonly metrics: Readonly<Record<string, number>>
  /** Length of the gradient of all weights together, before any clipping. */
  readonly gradientNorm: number
  /** Of this step's update; where gradients are accumulated, of the update that its batch goes into. */
  readonly learningRate: number
  /** Samples per second, over the epoch so far. */
  readonly imagesPerSecond: number
}

/** After each epoch of fit. */
export interface EpochEvent extends Details {
  /** Counted from 1 in each call of fit. */
  readonly epoch: number
  /** Mean over the epoch's samples, each before its batch's update. */
  readonly loss: number
  /** As `loss`, by name: `accuracy`; with several outputs `name/loss`, `name/accuracy`. */
  readonly metrics: Readonly<Record<string, number>>
  /** On `validationData`, with the weights after the epoch. */
  readonly validation?: Results
  /** Of its last step. NaN for epochs in checkpoints of releases that did not keep it. */
  readonly learningRate: number
  /** Of training, without validation. */
  readonly seconds: number
  /** Samples per second of training. */
  readonly imagesPerSecond: number
}

/** What {@link Model.fit} resolves with. */
export interface History {
  /** Whole epochs, in order. */
  readonly epochs: readonly EpochEvent[]
  /** Why it ended before the last epoch, if it did. */
  readonly stopped?: 'aborted' | 'earlyStopping'
}

/** Where a fit begins. */
export interface TrainStart {
  /** The epoch that it begins or goes on with, counted from 1. */
  readonly epoch: number
  /** Steps of it that a run which is resumed has done; otherwise 0. */
  readonly step: number
  /** Steps in an epoch; 0 when the data is an iterable whose length is not known. */
  readonly steps: number
}

/** Hooks into fit, called in order and awaited. An error in one ends fit with it; the model stays usable. */
export interface Callback {
  /** Before the first step. */
  onTrainBegin?(start: TrainStart): void | Promise<void>
  /** After each step. */
  onStep?(event: StepEvent): void | Promise<void>
  /** After each epoch and its validation. */
  onEpoch?(event: EpochEvent): void | Promise<void>
  /** After the last epoch, or when a signal stopped fit. */
  onTrainEnd?(history: History): void | Promise<void>
  /** When fit fails once it has begun: to give back what is held. Fit rejects with that error, whatever is thrown here. */
  onTrainError?(error: unknown): void | Promise<void>
}
