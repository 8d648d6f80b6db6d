import { join } from 'node:path'
import { checkOptions, invalid } from '../check'
import type { Samples } from '../data/dataset'
import { Model } from '../model/model'
import { checkInteger } from '../shape'
import type { XY } from '../train/data'
import type { Callback, EpochEvent, StepEvent, TrainStart } from '../train/events'
import { type EventWriter, eventWriter } from './eventWriter'
import { firstNotFinite } from './histogram'
import { filterGrid, picturesOf } from './pictures'
import { toldBefore } from './told'

/** Options of {@link tensorBoard}. */
export interface TensorBoardOptions {
  /** When numbers of steps are told: after each, `'batch'`; after each so many; or `'epoch'`, not at all. Default `'epoch'`, as in Keras. */
  readonly updateFreq?: 'batch' | 'epoch' | number
  /** The model that is trained: for histograms of its weights, and its first layer's filters. Default: numbers alone. */
  readonly model?: Model
  /** Epochs from one histogram to the next; 0: none. Default 1. Of no effect without `model`. */
  readonly histogramFreq?: number
  /** A batch by whose gradients histograms of these are made, too. Default: none. Needs `model`. */
  readonly gradients?: Pick<XY, 'x' | 'y'>
  /** Inputs to show once, as {@link EventWriter.image} takes them. Default: none. */
  readonly images?: Samples
  /** Steps of earlier calls of fit, to go on behind. Default 0. */
  readonly initialStep?: number
  /** Epochs of earlier calls of fit. Default 0. */
  readonly initialEpoch?: number
  /** As in {@link EventWriterOptions}. Default 2. */
  readonly flushSeconds?: number
}

const optionNames = ['updateFreq', 'model', 'histogramFreq', 'gradients', 'images', 'initialStep', 'initialEpoch', 'flushSeconds']

/**
 * Writes what TensorBoard shows while a model trains: a callback of `fit`, with Keras' names. Folders `train` and `validation` are runs: `epoch_loss`, `epoch_accuracy`, …
 * of both are curves of one plot, by the number of the epoch from 0; `batch_loss`, … by the number of the step from 1; `epoch_learning_rate`, `epoch_images_per_second`.
 * Histograms are under the names of weights, of their gradients under `NAME/gradient`.
 *
 * A fit that resumes adds a file to the folder, and its steps go on where the checkpoint was taken.
 * @throws INVALID_ARGUMENT; FILE_ERROR from fit, before the first step where the folder cannot be written
 */
export function tensorBoard(dir: string, options: TensorBoardOptions = {}): Callback {
  return new TensorBoard(dir, options)
}

class TensorBoard implements Callback {
  readonly #dir: string
  readonly #options: TensorBoardOptions
  /** Steps from one told to the next. */
  readonly #every: number
  #train: EventWriter | undefined
  #validation: EventWriter | undefined
  /** Steps in this call of fit. */
  #steps = 0
  /** Where a run that is resumed goes on: its first step. */
  #restart: number | undefined
  /** By writer, what the interrupted run had told: its numbers of epochs are not those of steps, by which TensorBoard drops what a restart leaves behind. */
  readonly #told = new Map<EventWriter, ReadonlyMap<string, number>>()
  /** First layer's filters, where it is a convolution of images. */
  #filters: string | undefined

  constructor(dir: string, options: TensorBoardOptions) {
    if (typeof dir !== 'string' || dir === '') throw invalid('tensorBoard', 'dir', 'a path', dir)
    checkOptions('tensorBoard', options, optionNames)
    const { updateFreq = 'epoch', model, histogramFreq = 1, gradients, images, initialStep = 0, initialEpoch = 0 } = options
    if (model !== undefined && !(model instanceof Model)) throw invalid('tensorBoard', 'model', 'a model', model)
    if (gradients !== undefined && (typeof gradients !== 'object' || gradients === null))
      throw invalid('tensorBoard', 'gradients', 'a batch { x, y }', gradients)
    if (gradients && !model) throw invalid('tensorBoard', 'gradients', 'given with model', gradients)
    checkInteger(histogramFreq, 'tensorBoard', 'histogramFreq', 0)
    checkInteger(initialStep, 'tensorBoard', 'initialStep', 0)
    checkInteger(initialEpoch, 'tensorBoard', 'initialEpoch', 0)
    const isWord = updateFreq === 'epoch' || updateFreq === 'batch'
    if (!isWord && !(Number.isInteger(updateFreq) && updateFreq > 0))
      throw invalid('tensorBoard', 'updateFreq', "'batch', 'epoch' or a number of steps", updateFreq)
    if (images) picturesOf(images, 'tensorBoard: images')
    this.#dir = dir
    this.#options = options
    this.#every = updateFreq === 'epoch' ? Number.POSITIVE_INFINITY : updateFreq === 'batch' ? 1 : updateFreq
  }

  async onTrainBegin({ epoch, step, steps }: TrainStart): Promise<void> {
    this.#steps = steps > 0 ? (epoch - 1) * steps + step : 0
    this.#restart = epoch > 1 || step > 0 ? this.#at + 1 : undefined
    this.#told.clear()
    this.#validation = undefined
    this.#train = await this.#open('train')
    const { model, images, initialEpoch = 0 } = this.#options
    if (images && this.#isNew(this.#train, images.shape.length === 3 ? 'inputs' : 'inputs/0', initialEpoch))
      await this.#train.image('inputs', images, initialEpoch)
    const first = model?.summary().layers.find(({ type }) => type === 'conv2d')
    this.#filters = first && `${first.name}/kernel`
  }

  async onStep(event: StepEvent): Promise<void> {
    const { epoch, step, steps, loss, metrics, learningRate, gradientNorm, imagesPerSecond } = event
    this.#steps = steps > 0 ? (epoch - 1) * steps + step : this.#steps + 1
    if (this.#steps % this.#every !== 0) return
    const values = { loss, ...metrics, learning_rate: learningRate, gradient_norm: gradientNorm, images_per_second: imagesPerSecond }
    await this.#train!.scalars(tagged('batch_', values), this.#at)
  }

  async onEpoch(event: EpochEvent): Promise<void> {
    const { epoch, loss, metrics, learningRate, imagesPerSecond, validation } = event
    const { model, histogramFreq = 1, initialEpoch = 0 } = this.#options
    const number = initialEpoch + epoch - 1
    const values = { loss, ...metrics, learning_rate: learningRate, images_per_second: imagesPerSecond }
    await this.#tellScalars(this.#train!, tagged('epoch_', values), number)
    if (validation) {
      this.#validation ??= await this.#open('validation')
      const numbers = Object.fromEntries(
        Object.entries(validation).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
      )
      const byStep = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`evaluation_${name}_vs_iterations`, value]))
      await this.#tellScalars(this.#validation, tagged('epoch_', numbers), number)
      await this.#tellScalars(this.#validation, byStep, this.#at)
    }
    if (model && histogramFreq > 0 && epoch % histogramFreq === 0) await this.#tellWeights(model, number)
  }

  async onTrainEnd(): Promise<void> {
    await this.#train?.close()
    await this.#validation?.close()
  }

  async onTrainError(): Promise<void> {
    await this.onTrainEnd()
  }

  get #at(): number {
    return (this.#options.initialStep ?? 0) + this.#steps
  }

  /** Of a run that is resumed: has TensorBoard drop steps that are done anew, and finds what else has been told. */
  async #open(run: string): Promise<EventWriter> {
    const { flushSeconds } = this.#options
    const writer = await eventWriter(join(this.#dir, run), flushSeconds === undefined ? {} : { flushSeconds })
    if (this.#restart === undefined) return writer
    this.#told.set(writer, await toldBefore(writer.file))
    await writer.restart(this.#restart)
    return writer
  }

  /** Whether a tag's number of an epoch or step has not been told yet, or is dropped. */
  #isNew(writer: EventWriter, tag: string, number: number): boolean {
    const last = this.#told.get(writer)?.get(tag)
    return last === undefined || number > last || number >= this.#restart!
  }

  async #tellScalars(writer: EventWriter, values: Readonly<Record<string, number>>, number: number): Promise<void> {
    const fresh = Object.entries(values).filter(([tag]) => this.#isNew(writer, tag, number))
    if (fresh.length > 0) await writer.scalars(Object.fromEntries(fresh), number)
  }

  async #tellWeights(model: Model, step: number): Promise<void> {
    const weights = await model.getWeights()
    for (const [name, { data }] of Object.entries(weights)) await this.#tellHistogram(name, data, step)
    if (this.#filters !== undefined && this.#isNew(this.#train!, `${this.#filters}/filters`, step)) {
      await this.#train!.image(`${this.#filters}/filters`, filterGrid(weights[this.#filters]!), step)
    }
    const { gradients } = this.#options
    if (!gradients) return
    const found = await model.getGradients(gradients.x, gradients.y)
    for (const [name, { data }] of Object.entries(found)) await this.#tellHistogram(`${name}/gradient`, data, step)
  }

  /** There is no histogram of what is not finite: whether training goes on is not decided here. */
  async #tellHistogram(tag: string, values: Float32Array, step: number): Promise<void> {
    if (firstNotFinite(values) < 0 && this.#isNew(this.#train!, tag, step)) await this.#train!.histogram(tag, values, step)
  }
}

/** Tags of numbers by their names, as Keras has them: of several outputs `epoch_boxes_loss`. */
function tagged(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name.replaceAll('/', '_'), value]))
}
