import type { Normalize, Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { writeSafetensors } from '../io/safetensors'
import { checkBoolean, checkOptions, invalid } from '../layers/check'
import type { Rank, SampleShape } from '../layers/rank'
import { checkSeed } from '../random'
import { checkInteger, checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import { type Augmentation, checkAugment } from '../train/augmentation'
import { type Batch, isStream, type Source, splitRows, streamSource, tableSource, wholeBatch } from '../train/batches'
import { checkCheckpointOptions, checkFile } from '../train/checkpoint'
import { checkData, checkSamples, type Data, type Form, type XY } from '../train/data'
import { EarlyStopping } from '../train/earlyStopping'
import type { History, Results } from '../train/events'
import { runEvaluate } from '../train/fit'
import { Means } from '../train/means'
import { type CompileOptions, lossFacts, type Objective, objectiveOf, reportNames, targetsOf, withWeights } from '../train/objective'
import { optimizerFacts, rateAt } from '../train/optimizers'
import { type BatchOptions, callbacksOf, checkSignal, type EvaluateOptions, type FitOptions, fitOptionNames } from '../train/options'
import { isWatching } from '../train/schedules'
import { eventsOf, type FitEvent } from '../train/stream'
import { checkClassWeight } from '../train/weights'
import { type Architecture, type InputEnd, trainedNames } from './architecture'
import { documentOf, metadataKey } from './document'
import { Engine, type Plan } from './engine'
import { type FitModel, FitSession } from './fit-session'
import { type Case, evaluatePlan, gradientPlan, predictPlan, trainPlan } from './plans'
import { capacityFor, largestChunk, predict } from './predict'
import { type Profile, profileOf } from './profile'
import type { RunOutputs } from './runner'
import { type Summary, summarize } from './summary'
import { checkWeights } from './weights'

/** A tensor of a known rank. */
export interface RankedTensor<R extends Rank = Rank> extends Tensor {
  /** The batch, then the sizes of one sample. */
  readonly shape: readonly [n: number, ...SampleShape<R>]
}

/** Options of every model. */
export interface ModelOptions {
  /** Of the first weights, and of fit where it has none of its own. The same seed gives the same model everywhere. Default 0. */
  readonly seed?: number
  /** Where it runs. Default: `CONVLANE_RUNTIME`, else `'native'`. `'reference'` is plain TypeScript in double precision: slow by nature. */
  readonly runtime?: 'native' | 'reference'
}

/** Options of {@link Model.profile}. */
export interface ProfileOptions {
  /** Default 32. */
  readonly batchSize?: number
  /** Runs that are averaged. Default 10. */
  readonly steps?: number
}

/**
 * A network with its weights. Made by `sequential`, `network` and `loadModel`; X is what `predict` takes, Y what it gives.
 *
 * All methods throw, or reject with, a ConvlaneError: DISPOSED after `dispose`, and what they name themselves. Bad input changes nothing.
 * Weights and programs live in native memory, which goes with the model: at `dispose`, or when the model is garbage.
 */
export class Model<X = Samples, Y = Tensor> {
  readonly #architecture: Architecture
  readonly #engine: Engine
  readonly #seed: number
  #inputs: readonly InputEnd[]
  #objective: Objective | undefined
  /** Since `compile`. */
  readonly #counts = { steps: 0, epochs: 0 }
  /** Of trainOnBatch: smaller ones run on the program of the largest. */
  #largestBatch = 1
  /** What keeps `compile` and the like from coming in between: names of methods under way. */
  readonly #busy: string[] = []
  #targetForms: readonly Form[] | undefined

  /** @internal Use `sequential`, `network` or `loadModel`. */
  constructor(architecture: Architecture, options: ModelOptions, weights?: Readonly<Record<string, Tensor>>) {
    this.#architecture = architecture
    this.#inputs = architecture.inputs
    this.#seed = checkSeed(options.seed ?? 0, 'model')
    const parameters = architecture.layers.flatMap((layer) => layer.parameters)
    this.#engine = new Engine(parameters, this.#seed, options.runtime, weights)
  }

  /**
   * Says what to train for, and with what. Starts anew: optimizer slots are zero, steps and epochs count from 0; the weights stay.
   *
   * `softmaxCrossEntropy` is computed on logits: those that the output gives, or, where a softmax is the last thing that a model does, those that go into
   * it. `predict` gives what the model says: probabilities behind a softmax, else logits.
   * @throws INVALID_ARGUMENT, INVALID_SHAPE; BUSY while fit, evaluate or trainOnBatch is under way
   */
  compile(options: CompileOptions): this {
    this.#engine.checkUsable()
    this.#checkIdle('compile')
    const objective = objectiveOf(options, this.#architecture.outputs)
    this.#objective = objective
    Object.assign(this.#counts, { steps: 0, epochs: 0 })
    this.#largestBatch = 1
    this.#targetForms = undefined
    this.#engine.resetSlots(objective.optimizer.slots)
    if (isWatching(objective.optimizer.learningRate)) objective.optimizer.learningRate.restore(null)
    return this
  }

  /**
   * Trains. The event loop stays free. One fit at a time; predict, evaluate, getWeights and save may be called meanwhile and see the weights of the last
   * whole step. All data is checked before the first step; it must not change until fit is done. The order of samples follows from the seed and the number
   * of the epoch since `compile`, so that two fits of one epoch are one of two. An epoch's loss and metrics are measured while it trains.
   *
   * After any failure the model is usable, with the weights of the last step that was done.
   * @throws NOT_COMPILED, BUSY, INVALID_ARGUMENT, INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE, INVALID_LABEL; NOT_FINITE when a
   *   loss or gradient is not, naming what is the first not to be; that step changes no weights; what a callback throws;
   *   FILE_ERROR and INVALID_FILE for checkpoints
   */
  async fit(data: Data, options: FitOptions = {}): Promise<History> {
    const objective = this.#compiled('fit')
    checkOptions('fit', options, fitOptionNames)
    const { epochs = 1, batchSize = 32, shuffle = true, seed = this.#seed, validationData, validationSplit = 0 } = options
    checkInteger(batchSize, 'fit', 'batchSize')
    checkSeed(seed, 'fit')
    checkNumber(validationSplit, 'fit', 'validationSplit', { low: 0, high: 1, below: true })
    const order = checkBoolean(shuffle, 'fit', 'shuffle') ? seed : undefined
    const earlyStopping = options.earlyStopping && new EarlyStopping(options.earlyStopping)
    const checkpoint = checkCheckpointOptions(options.checkpoint)
    const augment = checkAugment(options.augment, this.#inputs, objective)
    const resume = options.resume === undefined ? undefined : checkFile(options.resume, 'resume')
    const classWeight = checkClassWeight(options.classWeight, objective)
    const whole = {
      epochs: checkInteger(epochs, 'fit', 'epochs'),
      signal: checkSignal(options.signal, 'fit'),
      callbacks: callbacksOf(options),
    }
    const plan = {
      ...whole,
      ...this.#fitSources(data, objective, { batchSize, order, seed, validationData, validationSplit, classWeight }),
    }
    if (trainedNames(this.#architecture).length === 0) {
      throw new ConvlaneError('INVALID_ARGUMENT', 'fit: the model has nothing to train')
    }
    this.#checkIdle('fit', 'evaluate')
    if (!isStream(data)) this.#remember(data.normalize)
    const facts = {
      runtime: this.#engine.runtime,
      optimizer: optimizerFacts(objective.optimizer),
      batchSize,
      shuffle,
      seed,
      length: plan.data.length ?? null,
      validationSplit,
      augment: augment ?? null,
      earlyStopping: options.earlyStopping ?? null,
      reports: reportNames(objective),
      losses: lossFacts(objective),
      classWeight: classWeight ?? null,
      note: checkpoint?.note ?? null,
    }
    const session = new FitSession(this.#fitModel(objective), {
      facts,
      augment,
      capacity: plan.data.batchSize,
      earlyStopping,
      checkpoint,
      resume,
    })
    return this.#during('fit', () => session.run(plan))
  }

  /**
   * {@link Model.fit} as an async iterator: `for await (const event of model.fitEvents(data))`. Training goes no further than one event ahead of the loop;
   * leaving the loop ends it after the step under way.
   * @throws what fit throws, from the loop
   */
  fitEvents(data: Data, options: FitOptions = {}): AsyncGenerator<FitEvent, void> {
    const { signal, callbacks = [] } = options
    return eventsOf((callback, both) => this.fit(data, { ...options, signal: both, callbacks: [...callbacks, callback] }), signal)
  }

  /**
   * One optimizer step on one batch.
   * @returns loss and metrics of the batch before the step
   * @throws NOT_COMPILED; BUSY during fit; what fit throws for bad data
   */
  async trainOnBatch(x: XY['x'], y: XY['y'], options: BatchOptions = {}): Promise<Results> {
    const objective = this.#compiled('trainOnBatch')
    this.#checkIdle('trainOnBatch', 'evaluate', 'trainOnBatch')
    checkOptions('trainOnBatch', options, ['sampleWeight'])
    const batch = wholeBatch(checkData({ x, y, ...options }, this.#inputs, objective, 'trainOnBatch'))
    return this.#during('trainOnBatch', async () => {
      this.#largestBatch = Math.max(this.#largestBatch, batch.n)
      const outputs = await this.#step(batch, this.#largestBatch, objective, this.#seed)
      return resultsOf(outputs, batch.n, objective)
    })
  }

  /**
   * Loss and metrics over all samples of the data, each weighed alike, without training.
   * @throws NOT_COMPILED; ABORTED; what fit throws for bad data
   */
  async evaluate(data: Data, options: EvaluateOptions = {}): Promise<Results> {
    const compiled = this.#compiled('evaluate')
    checkOptions('evaluate', options, ['batchSize', 'metrics', 'signal'])
    const { metrics } = options
    const objective = metrics === undefined ? compiled : objectiveOf({ ...compiled.options, metrics }, this.#architecture.outputs)
    const batchSize = checkInteger(options.batchSize ?? this.#chunk, 'evaluate', 'batchSize')
    const signal = checkSignal(options.signal, 'evaluate')
    const source = this.#source(data, objective, 'evaluate', batchSize)
    return this.#during('evaluate', () => this.#evaluate(source, objective, signal))
  }

  /**
   * What the model says, for any number of samples `[N, …]`; with several outputs an array in their order. Bytes are scaled as in training.
   * The samples are copied before the call returns.
   * @throws INVALID_ARGUMENT, INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE
   */
  async predict(x: X): Promise<Y> {
    this.#engine.checkUsable()
    const samples = checkSamples(x, this.#inputs, 'predict')
    const forms = samples.x.map(({ form }) => form)
    const capacity = capacityFor(samples.n, this.#chunk)
    const plan = predictPlan(this.#architecture, { x: forms, y: [], capacity })
    const tensors = await predict(this.#engine, plan, capacity, samples, this.#architecture.outputs)
    return (tensors.length === 1 ? tensors[0] : tensors) as Y
  }

  /**
   * The gradients of the loss of a batch by all weights that are trained, by their names, as training has them (dropout is on). Changes nothing.
   * @throws NOT_COMPILED; what fit throws for bad data
   */
  async getGradients(x: XY['x'], y: XY['y'], options: BatchOptions = {}): Promise<Record<string, Tensor>> {
    const objective = this.#compiled('getGradients')
    checkOptions('getGradients', options, ['sampleWeight'])
    const batch = wholeBatch(checkData({ x, y, ...options }, this.#inputs, objective, 'getGradients'))
    const plan = gradientPlan(this.#architecture, objective, caseOf(batch, batch.n))
    const scalars = { step: this.#counts.steps + 1, seed: this.#seed }
    const outputs = (await this.#engine.run(plan, { n: batch.n, inputs: batch.inputs, scalars })) as Float32Array[]
    const shapes = new Map(this.#engine.layout.parameters.map(({ name, shape }) => [name, shape]))
    return Object.fromEntries(
      trainedNames(this.#architecture).map((name, index) => [name, { shape: shapes.get(name)!, data: outputs[index]! }]),
    )
  }

  /** Copies of all weights, by name: `conv2d_1/kernel`, …, as they are after the last whole step. */
  getWeights(): Promise<Record<string, Tensor>> {
    return this.#engine.read()
  }

  /**
   * Replaces weights, all those that are given or, where one does not fit, none. Optimizer slots stay.
   * @throws INVALID_ARGUMENT for a name that there is not; INVALID_SHAPE, INVALID_TENSOR, INVALID_DTYPE; BUSY during fit and trainOnBatch
   */
  async setWeights(weights: Readonly<Record<string, Tensor>>): Promise<void> {
    this.#engine.checkUsable()
    this.#checkIdle('setWeights', 'evaluate')
    await this.#engine.write(checkWeights(this.#architecture, weights))
  }

  /**
   * Writes weights and architecture, and what it was compiled with, as a safetensors file. It appears whole or not at all: beside the old one, then renamed.
   * A schedule is kept as the rate that it gives now; losses and metrics of one's own are not kept, compile again after `loadModel`.
   * @throws FILE_ERROR
   */
  async save(file: string): Promise<void> {
    if (typeof file !== 'string' || file === '') throw invalid('save', 'file', 'a path', file)
    const document = documentOf({ ...this.#architecture, inputs: this.#inputs }, this.#seed, this.#objective, this.#counts.steps)
    await writeSafetensors(file, await this.#engine.read(), { [metadataKey]: JSON.stringify(document) })
  }

  /**
   * Layers with shapes, numbers of parameters and multiply-adds, and memory; prints as a table.
   * @throws INVALID_ARGUMENT
   */
  summary(options: Pick<ProfileOptions, 'batchSize'> = {}): Summary {
    this.#engine.checkUsable()
    checkOptions('summary', options, ['batchSize'])
    const batchSize = checkInteger(options.batchSize ?? 32, 'summary', 'batchSize')
    const { layout } = this.#engine
    const { arenaElements, prelude } = this.#likelyPlan(batchSize).plan.compile(layout).spec
    const arenaBytes = (arenaElements + (prelude?.elements ?? 0)) * 4
    return summarize(this.#architecture, { stateBytes: layout.elements * 4, arenaBytes, batchSize })
  }

  /**
   * Time and algorithm of every step of training (before `compile`, and with a loss of your own before its first step: of `predict`), on random samples and a copy of the weights.
   * @throws INVALID_ARGUMENT; UNSUPPORTED on the reference runtime
   */
  async profile(options: ProfileOptions = {}): Promise<Profile> {
    this.#engine.checkUsable()
    checkOptions('profile', options, ['batchSize', 'steps'])
    const capacity = checkInteger(options.batchSize ?? 32, 'profile', 'batchSize')
    const runs = checkInteger(options.steps ?? 10, 'profile', 'steps')
    const { mode, plan, given } = this.#likelyPlan(capacity)
    const learningRate = this.#objective ? rateAt(this.#objective.optimizer, this.#counts.steps) : 0
    return profileOf(this.#engine, plan, given, mode, runs, { learningRate, step: 1, seed: this.#seed })
  }

  /**
   * Native memory that this model takes now: scratch of its largest programs (which models on one runtime share) and weights that a normalization is folded into;
   * weights with optimizer slots; and batches under way, as they were given and as augmentation has made them.
   */
  memory(): { arenaBytes: number; stateBytes: number; stagingBytes: number } {
    return this.#engine.memory()
  }

  /** Frees native memory, once work under way is done; a fit under way rejects with DISPOSED. Twice is allowed. Optional: a finalizer does it too. */
  dispose(): void {
    this.#engine.dispose()
  }

  /** As `dispose`: for `using model = …`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Samples in a run where nobody says. */
  get #chunk(): number {
    return largestChunk(this.#architecture)
  }

  #compiled(method: string): Objective {
    this.#engine.checkUsable()
    if (this.#objective) return this.#objective
    throw new ConvlaneError('NOT_COMPILED', `${method}: call compile({ optimizer, loss }) first`)
  }

  /** Throws BUSY while a method is under way that this one may not join; `allowed`: those that it may. */
  #checkIdle(method: string, ...allowed: readonly string[]): void {
    const other = this.#busy.find((name) => !allowed.includes(name))
    if (other === undefined) return
    throw new ConvlaneError('BUSY', `${method}: ${other} is under way on this model: await it first`, { received: other })
  }

  async #during<T>(method: string, work: () => Promise<T>): Promise<T> {
    this.#busy.push(method)
    try {
      return await work()
    } finally {
      this.#busy.splice(this.#busy.indexOf(method), 1)
    }
  }

  #source(data: Data, objective: Objective, label: string, batchSize: number, order?: number, classWeight?: readonly number[]): Source {
    const check = (given: XY) => checkData(given, this.#inputs, objective, label, classWeight)
    return isStream(data) ? streamSource(data, check, label) : tableSource(check(data), batchSize, order)
  }

  #fitSources(data: Data, objective: Objective, options: SourceOptions): { data: Source; validation: Source | undefined } {
    const { batchSize, order, seed, validationData, validationSplit, classWeight } = options
    if (validationSplit > 0) {
      if (validationData !== undefined)
        throw new ConvlaneError('INVALID_ARGUMENT', 'fit: takes validationData or validationSplit, not both')
      if (isStream(data)) throw invalid('fit', 'validationSplit', 'given for arrays only, not for an iterable', validationSplit)
      const table = checkData(data, this.#inputs, objective, 'fit', classWeight)
      const kept = classWeight ? checkData(data, this.#inputs, objective, 'fit') : table
      const { training, validation } = splitRows(table.n, validationSplit, seed)
      return { data: tableSource(table, batchSize, order, training), validation: tableSource(kept, this.#chunk, undefined, validation) }
    }
    const validation = validationData && this.#source(validationData, objective, 'fit: validationData', this.#chunk)
    return { data: this.#source(data, objective, 'fit', batchSize, order, classWeight), validation }
  }

  #fitModel(objective: Objective): FitModel {
    return {
      architecture: () => ({ ...this.#architecture, inputs: this.#inputs }),
      engine: this.#engine,
      objective,
      seed: this.#seed,
      counts: this.#counts,
      step: (batch, capacity, seed, augment) => this.#step(batch, capacity, objective, seed, augment),
      evaluate: (source, signal) => this.#evaluate(source, objective, signal),
    }
  }

  /** Keeps how training data scales its bytes, for `predict` and `save`. */
  #remember(normalize: Normalize | undefined): void {
    if (normalize) this.#inputs = this.#inputs.map((end) => ({ normalize, ...end }))
  }

  /** Training on data as it last was or as it is likely to be; predicting, before `compile` and before the first targets for a loss of the user's. */
  #likelyPlan(capacity: number): { mode: 'train' | 'predict'; plan: Plan; given: Case } {
    const x = this.#architecture.inputs.map(({ shape }): Form => ({ dtype: 'float32', shape }))
    const objective = this.#objective
    const y = this.#targetForms ?? objective?.outputs.flatMap((output) => likelyForm(output) ?? [])
    if (!objective || y!.length < objective.outputs.length) {
      const given = { x, y: [], capacity }
      return { mode: 'predict', plan: predictPlan(this.#architecture, given), given }
    }
    const given = { x, y: y!, capacity }
    return { mode: 'train', plan: trainPlan(this.#architecture, objective, given), given }
  }

  #step(batch: Batch, capacity: number, objective: Objective, seed: number, augment?: Augmentation): Promise<RunOutputs> {
    this.#targetForms = batch.y
    const learningRate = rateAt(objective.optimizer, this.#counts.steps)
    const scalars = { learningRate, step: ++this.#counts.steps, seed }
    const plan = trainPlan(this.#architecture, objective, { ...caseOf(batch, capacity), augment })
    return this.#engine
      .run(plan, { n: batch.n, inputs: batch.inputs, scalars })
      .then((outputs) => withWeights(objective, outputs, batch.n, batch.w))
  }

  #evaluate(source: Source, objective: Objective, signal: AbortSignal | undefined): Promise<Results> {
    let capacity = source.batchSize
    const run = (batch: Batch) => {
      capacity = Math.max(capacity, batch.n)
      const plan = evaluatePlan(this.#architecture, objective, caseOf(batch, capacity))
      return this.#engine
        .run(plan, { n: batch.n, inputs: batch.inputs })
        .then((outputs) => withWeights(objective, outputs, batch.n, batch.w))
    }
    return runEvaluate(source, objective.reports, run, signal)
  }
}

interface SourceOptions {
  readonly batchSize: number
  readonly order: number | undefined
  readonly seed: number
  readonly validationData: Data | undefined
  readonly validationSplit: number
  readonly classWeight: readonly number[] | undefined
}

/** What the targets of an output will be, as far as the loss tells. */
function likelyForm(output: Objective['outputs'][number]): Form | undefined {
  const { classes, floats } = targetsOf(output)
  if (floats) return { dtype: 'float32', shape: output.end.shape }
  return classes ? { dtype: 'int32', shape: [] } : undefined
}

const caseOf = ({ x, y, w }: Batch, capacity: number): Case => ({ x, y, w, capacity })

function resultsOf(outputs: RunOutputs, n: number, { reports }: Objective): Results {
  const means = new Means(reports)
  means.add(outputs, n)
  return means.results
}
