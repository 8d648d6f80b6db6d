import { checkOptions, invalid } from '../check'
import type { Samples } from '../data/dataset'
import { aborted } from '../io/files'
import { Model } from '../model/model'
import { probabilitiesOf } from '../model/probabilities'
import { checkInteger, checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import { checkSamples } from '../train/data'
import { checkSignal, type WeightsOptions } from '../train/options'
import { type Answer, type PredictorStatistics, RequestQueue, type Run } from './requestQueue'

/** Options of {@link createPredictor}. */
export interface PredictorOptions extends WeightsOptions {
  /** Most samples in one run of the model, 1 to 256. Default 16. */
  readonly maxBatch?: number
  /**
   * How long a call waits for others until its run is full, in milliseconds, 0 to 60,000. More of it makes fuller runs of thin traffic; under load calls find each other while
   * the model computes. Default 0: calls of one turn of the event loop go together, and those that came during a run.
   */
  readonly maxWait?: number
  /** Most samples that wait; a call that would be one too many is refused with OVERLOADED. At least `maxBatch`. Default 256. */
  readonly maxQueue?: number
}

/** Options of {@link Predictor.predict}. */
export interface RequestOptions {
  /** Ends it with ABORTED, and makes room for others where it waits still. Default: nothing does. */
  readonly signal?: AbortSignal
}

/** Options of {@link Predictor.classify}. */
export interface ClassifyOptions extends RequestOptions {
  /** How many classes are told of each sample. Default: all. */
  readonly top?: number
}

/** One class that a sample may be of. */
export interface Classification {
  /** Its number, from 0. */
  readonly class: number
  /** Its name, as `model.classNames` has it; where that has none its number. */
  readonly name: string
  /** 0 to 1. */
  readonly probability: number
}

/** Answers many small calls by few runs of a model. Made by {@link createPredictor}. */
export class Predictor<X = Samples, Y = Tensor> {
  readonly #model: Model<X, Y>
  readonly #queue: RequestQueue

  /** @internal Use `createPredictor`. */
  constructor(model: Model<X, Y>, { maxBatch = 16, maxWait = 0, maxQueue = 256, weights = 'trained' }: PredictorOptions) {
    this.#model = model
    const outputs = model.architecture.outputs.length
    const run: Run = async (x) => {
      const said = await model.predict((x.length === 1 ? x[0] : x) as X, { weights })
      return (outputs === 1 ? [said] : said) as readonly Tensor[]
    }
    this.#queue = new RequestQueue(run, { maxBatch, maxWait, maxQueue })
  }

  /**
   * What `model.predict` gives for these samples `[N, …]`, bit for bit, computed together with those of other calls. The samples are copied before the call returns.
   * @throws OVERLOADED when too many wait; ABORTED; DISPOSED after `close` and after the model's `dispose`; INVALID_ARGUMENT (more samples than `maxQueue`, too),
   *   INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE
   */
  async predict(x: X, options: RequestOptions = {}): Promise<Y> {
    checkOptions('predict', options, ['signal'])
    const tensors = await this.#ask(x, 'predict', options)
    return (tensors.length === 1 ? tensors[0] : tensors) as Y
  }

  /**
   * The classes that each of N samples may be of, likeliest first: probabilities as the model gives them, or of its logits. A single number counts as that of the second of
   * two classes.
   * @throws UNSUPPORTED for a model that does not give `[N, K]`; NOT_FINITE where NaN or infinite numbers make no probabilities of samples, whose numbers in this call
   *   are in `received` (other calls get their answers); what `predict` throws
   */
  async classify(x: X, options: ClassifyOptions = {}): Promise<Classification[][]> {
    checkOptions('classify', options, ['signal', 'top'])
    const { top } = options
    if (top !== undefined) checkInteger(top, 'classify', 'top')
    const toRows = probabilitiesOf(this.#model.architecture, 'classify')
    const [said] = await this.#ask(x, 'classify', options)
    const names = this.#model.classNames ?? []
    return toRows(said!).map((row) =>
      row
        .map((probability, number) => ({ class: number, name: names[number] ?? String(number), probability }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, top),
    )
  }

  /** What it has done, and has to do. */
  get statistics(): PredictorStatistics {
    return this.#queue.statistics
  }

  /** Takes no more calls (DISPOSED), answers those that wait, and resolves when all are. The model stays as it is. Twice is allowed. */
  close(): Promise<void> {
    return this.#queue.close()
  }

  /** As `close`: for `await using predictor = …`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask(x: X, label: string, { signal: given }: RequestOptions): Promise<Answer> {
    const signal = checkSignal(given, label)
    if (signal?.aborted) throw aborted(signal)
    const samples = checkSamples(x, this.#model.architecture.inputs, label)
    return this.#queue.ask(samples, label, signal)
  }
}

/**
 * Puts calls together that come about the same time, and runs the model on them at once: what a server needs that is asked for one image at a time. As many wait as you say,
 * the next ones are refused, so that neither memory nor waiting time grows. Works while the model is trained, and on what `sharedModel` gives in a worker.
 * @throws INVALID_ARGUMENT, for averages that the model does not keep, too; DISPOSED
 */
export function createPredictor<X, Y>(model: Model<X, Y>, options: PredictorOptions = {}): Predictor<X, Y> {
  if (!(model instanceof Model)) throw invalid('createPredictor', 'model', 'a model', model)
  checkOptions('createPredictor', options, ['maxBatch', 'maxWait', 'maxQueue', 'weights'])
  model.checkUsable('createPredictor', options)
  const { maxBatch = 16, maxWait = 0, maxQueue = 256 } = options
  checkInteger(maxBatch, 'createPredictor', 'maxBatch', 1, 256)
  checkNumber(maxWait, 'createPredictor', 'maxWait', { low: 0, high: 60_000 })
  checkInteger(maxQueue, 'createPredictor', 'maxQueue', maxBatch)
  return new Predictor(model, options)
}
