import { checkOptions, invalid } from '../check'
import type { Normalize, Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { writeSafetensors } from '../io/safetensors'
import type { AlgorithmChoices } from '../program/algorithms'
import { checkSeed } from '../random'
import { checkChoice, checkInteger } from '../shape'
import type { Tensor } from '../tensor'
import type { Augmentation } from '../train/augmentation'
import { type Batch, copiedBatch, isStream, type Source } from '../train/batches'
import { checkData, checkSamples, type Data, type Form, type XY } from '../train/data'
import { emaShare } from '../train/ema'
import type { History, Results } from '../train/events'
import { runEvaluate, type StepResult } from '../train/fit'
import type { Match } from '../train/match'
import { resultsOf } from '../train/means'
import { type CompileOptions, type Objective, objectiveOf, slotsOf, withWeights } from '../train/objective'
import { rateAt } from '../train/optimizers'
import { type BatchOptions, checkSignal, type EvaluateOptions, type FitOptions, type WeightsOptions, withReader } from '../train/options'
import { isWatching } from '../train/schedules'
import { eventsOf, type FitEvent } from '../train/stream'
import { Accumulation, type Counts } from './accumulation'
import type { Architecture, InputEnd } from './architecture'
import { checkClassNames, joinedClassNames } from './classNames'
import { documentOf, type ModelDocument, metadataKey } from './document'
import { Engine, type SharedState } from './engine'
import { type FitModel, FitSession } from './fit-session'
import { checkFit, runFacts } from './fitting'
import { changeFrozen, trainableWeights, trainedNames } from './frozen'
import { Occupation } from './occupation'
import type { ModelOptions, ProfileOptions, RankedTensor, SharedModel } from './options'
import { averaged, caseOf, evaluatePlan, gradientPlan, likelyPlan, predictPlan, trainPlan } from './plans'
import { capacityFor, largestChunk, predict } from './predict'
import { type Profile, profileOf } from './profile'
import { fitSources, sourceOf } from './sources'
import { type Summary, summarize } from './summary'
import { trace } from './trace'
import { checkWeights } from './weights'

export type { ModelOptions, ProfileOptions, RankedTensor, SharedModel }

/**
 * A network with its weights. Made by `sequential`, `network` and `loadModel`; X is what `predict` takes, Y what it gives.
 *
 * All methods throw, or reject with, a ConvlaneError: DISPOSED after `dispose`, and what they name themselves. Bad input changes nothing.
 * Weights and programs live in native memory, which goes with the model: at `dispose`, or when the model is garbage.
 */
export class Model<X = Samples, Y = Tensor> {
  #architecture: Architecture
  readonly #engine: Engine
  readonly #seed: number
  #inputs: readonly InputEnd[]
  #classNames: readonly string[] | undefined
  #history: History | undefined
  #objective: Objective | undefined
  /** Since `compile`. */
  readonly #counts: Counts = { steps: 0, batches: 0, epochs: 0, waiting: 0, samples: 0 }
  #accumulation: Accumulation | undefined
  /** Of trainOnBatch: smaller ones run on the program of the largest. */
  #largestBatch = 1
  readonly #occupation = new Occupation()
  #targetForms: readonly Form[] | undefined

  /** @internal Use `sequential`, `network` or `loadModel`. */
  constructor(architecture: Architecture, options: ModelOptions, weights?: Readonly<Record<string, Tensor>>, shared?: SharedState) {
    this.#architecture = architecture
    this.#inputs = architecture.inputs
    this.#seed = checkSeed(options.seed ?? 0, 'model')
    const parameters = architecture.layers.flatMap((layer) => layer.parameters)
    this.#engine = new Engine(parameters, this.#seed, options.runtime, { weights, shared })
  }

  /**
   * Says what to train for, and with what. Starts anew: optimizer slots are zero, steps and epochs count from 0; the weights stay.
   *
   * `softmaxCrossEntropy` is computed on logits: those that the output gives, or, where a softmax is the last thing that a model does, those that go into
   * it. `predict` gives what the model says: probabilities behind a softmax, else logits.
   * @throws INVALID_ARGUMENT, INVALID_SHAPE; BUSY while fit, evaluate, trainOnBatch or setWeights is under way; UNSUPPORTED after {@link Model.share}
   */
  compile(options: CompileOptions): this {
    this.#engine.checkReplaceable('compile')
    this.#occupation.check('compile')
    const objective = this.#objectiveOf(options)
    this.#objective = objective
    Object.assign(this.#counts, { steps: 0, batches: 0, epochs: 0, waiting: 0, samples: 0 })
    this.#accumulation = objective.accumulate > 1 ? new Accumulation(this.#engine, objective, this.#counts) : undefined
    this.#largestBatch = 1
    this.#targetForms = undefined
    this.#engine.reset(slotsOf(objective), objective)
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
    const checked = checkFit(options, objective, this.#inputs, this.#seed)
    const plan = { ...checked.loop, ...fitSources(data, this.#against(objective), checked.sources) }
    if (trainedNames(this.#architecture).length === 0) {
      const hint = trainableWeights(this.#architecture).length > 0 ? ': all of its layers are frozen' : ''
      throw new ConvlaneError('INVALID_ARGUMENT', `fit: the model has nothing to train${hint}`)
    }
    this.#occupation.check('fit', 'evaluate')
    const classNames = joinedClassNames(this.#classNames, [data, options.validationData], this.#architecture, 'fit')
    if (!isStream(data)) this.#remember(data)
    this.#classNames = classNames
    const facts = runFacts(checked, options, objective, this.#architecture, { runtime: this.#engine.runtime, length: plan.data.length })
    const session = new FitSession(this.#fitModel(objective), { ...checked.session, facts, capacity: plan.data.batchSize })
    this.#history = await this.#occupation.during('fit', () => session.run(plan))
    return this.#history
  }

  /**
   * {@link Model.fit} as an async iterator: `for await (const event of model.fitEvents(data))`. Training goes no further than one event ahead of the loop;
   * leaving the loop ends it after the step under way.
   * @throws what fit throws, from the loop
   */
  fitEvents(data: Data, options: FitOptions = {}): AsyncGenerator<FitEvent, void> {
    return eventsOf(async (callback, leaving) => this.fit(data, withReader(options, callback, leaving)))
  }

  /**
   * One optimizer step on one batch, which is copied before the call returns.
   * @returns loss and metrics of the batch before the step
   * @throws NOT_COMPILED; BUSY during fit and setWeights; what fit throws for bad data
   */
  async trainOnBatch(x: XY['x'], y: XY['y'], options: BatchOptions = {}): Promise<Results> {
    const objective = this.#compiled('trainOnBatch')
    this.#occupation.check('trainOnBatch', 'evaluate', 'trainOnBatch')
    checkOptions('trainOnBatch', options, ['sampleWeight'])
    const batch = copiedBatch(checkData({ x, y, ...options }, this.#inputs, objective, 'trainOnBatch'))
    return this.#occupation.during('trainOnBatch', async () => {
      this.#largestBatch = Math.max(this.#largestBatch, batch.n)
      const { outputs } = await this.#step(batch, this.#largestBatch, objective, this.#seed)
      return resultsOf(outputs, batch.n, objective.reports)
    })
  }

  /**
   * Loss and metrics over all samples of the data, each weighed alike, without training. The data must not change until it is done.
   * @throws NOT_COMPILED; ABORTED; what fit throws for bad data
   */
  async evaluate(data: Data, options: EvaluateOptions = {}): Promise<Results> {
    const compiled = this.#compiled('evaluate')
    checkOptions('evaluate', options, ['batchSize', 'metrics', 'signal', 'weights'])
    const averages = this.#averages(options, 'evaluate')
    const { metrics } = options
    const objective = metrics === undefined ? compiled : this.#objectiveOf({ ...compiled.options, metrics })
    const batchSize = checkInteger(options.batchSize ?? this.#chunk, 'evaluate', 'batchSize')
    const signal = checkSignal(options.signal, 'evaluate')
    const source = sourceOf(data, this.#against(objective), 'evaluate', batchSize)
    joinedClassNames(this.#classNames, [data], this.#architecture, 'evaluate')
    return this.#occupation.during('evaluate', () => this.#evaluate(source, objective, signal, averages))
  }

  /**
   * What the model says, for any number of samples `[N, …]`; with several outputs an array in their order. Bytes are scaled as in training.
   * The samples are copied before the call returns.
   * @throws INVALID_ARGUMENT, INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE
   */
  async predict(x: X, options: WeightsOptions = {}): Promise<Y> {
    this.#engine.checkUsable()
    checkOptions('predict', options, ['weights'])
    const averages = this.#averages(options, 'predict')
    const samples = checkSamples(x, this.#inputs, 'predict')
    const forms = samples.x.map(({ form }) => form)
    const capacity = capacityFor(samples.n, this.#chunk)
    const own = predictPlan(this.#architecture, { x: forms, y: [], capacity })
    const plan = averages ? averaged(own) : own
    const tensors = await predict(this.#engine, plan, capacity, samples, this.#architecture.outputs)
    return (tensors.length === 1 ? tensors[0] : tensors) as Y
  }

  /**
   * The gradients of the loss of a batch by all weights that are trained, by name, as training has them (dropout is on). Copies the batch, changes nothing.
   * @throws NOT_COMPILED; what fit throws for bad data
   */
  async getGradients(x: XY['x'], y: XY['y'], options: BatchOptions = {}): Promise<Record<string, Tensor>> {
    const objective = this.#compiled('getGradients')
    checkOptions('getGradients', options, ['sampleWeight'])
    const batch = copiedBatch(checkData({ x, y, ...options }, this.#inputs, objective, 'getGradients'))
    const plan = gradientPlan(this.#architecture, objective, caseOf(batch, batch.n))
    const scalars = { step: this.#counts.batches + 1, seed: this.#seed }
    const outputs = (await this.#engine.run(plan, { n: batch.n, inputs: batch.inputs, scalars })) as Float32Array[]
    const shapes = new Map(this.#engine.layout.parameters.map(({ name, shape }) => [name, shape]))
    return Object.fromEntries(
      trainedNames(this.#architecture).map((name, index) => [name, { shape: shapes.get(name)!, data: outputs[index]! }]),
    )
  }

  /**
   * Copies of all weights, by name: `conv2d_1/kernel`, …, as they are after the last whole step.
   * @throws INVALID_ARGUMENT for averages where none are kept
   */
  async getWeights(options: WeightsOptions = {}): Promise<Record<string, Tensor>> {
    checkOptions('getWeights', options, ['weights'])
    return this.#engine.read(this.#averages(options, 'getWeights'))
  }

  /**
   * Replaces weights, all that are given or, where one does not fit, none, and their averages. Optimizer slots stay. Calls that overlap take effect in order.
   * @throws INVALID_ARGUMENT for a name that there is not; INVALID_SHAPE, INVALID_TENSOR, INVALID_DTYPE; BUSY during fit and trainOnBatch
   */
  async setWeights(weights: Readonly<Record<string, Tensor>>): Promise<void> {
    this.#engine.checkWritable('setWeights')
    this.#occupation.check('setWeights', 'evaluate', 'setWeights')
    await this.#occupation.during('setWeights', () => this.#engine.write(checkWeights(this.#architecture, weights)))
  }

  /**
   * Training leaves these weights alone from now on: a pattern without `/` names layers, as a whole, others weights; or a function of each weight. They cost
   * no gradient; a batch normalization that is frozen as a whole takes its running statistics in training, too (Keras' rule). What `trainable: false` freezes
   * is frozen at first. No `compile` is needed; optimizer slots stay as they are, and gradients that wait for an update (`accumulate`) are dropped.
   * @throws INVALID_ARGUMENT where a pattern matches nothing; BUSY during fit, evaluate and trainOnBatch
   */
  freeze(match: Match): this {
    return this.#setFrozen(match, true, 'freeze')
  }

  /**
   * Training changes these weights again, those of layers with `trainable: false` among them: {@link Model.freeze} the other way round.
   * @throws INVALID_ARGUMENT where a pattern matches nothing; BUSY during fit, evaluate and trainOnBatch
   */
  unfreeze(match: Match): this {
    return this.#setFrozen(match, false, 'unfreeze')
  }

  /**
   * Names of what the model tells apart, by class number: those of the first data that `fit` took (`dataset({ classNames })`), or those set here. They go into
   * files. `fit` and `evaluate` refuse data with other names; `undefined` forgets them. Setting throws INVALID_ARGUMENT for what are no names, or too many.
   */
  get classNames(): readonly string[] | undefined {
    return this.#classNames
  }

  /** Sets them: see above. */
  set classNames(names: readonly string[] | undefined) {
    this.#classNames = names === undefined ? undefined : checkClassNames(names, this.#architecture, 'model')
  }

  /** What the last {@link Model.fit} resolved with: `save` keeps its numbers, without what is measured by class, and `loadModel` gives them back. */
  get history(): History | undefined {
    return this.#history
  }

  /** Full names of the weights that training changes. */
  get trainedWeights(): readonly string[] {
    return trainedNames(this.#architecture)
  }

  /**
   * Writes weights and architecture, and what it was compiled with, as a safetensors file. It appears whole or not at all: beside the old one, then renamed.
   * A schedule is kept as the rate that it gives now; losses and metrics of one's own are not kept, compile again after `loadModel`.
   * @throws FILE_ERROR
   */
  async save(file: string, options: WeightsOptions = {}): Promise<void> {
    checkOptions('save', options, ['weights'])
    const averages = this.#averages(options, 'save')
    if (typeof file !== 'string' || file === '') throw invalid('save', 'file', 'a path', file)
    const document = JSON.stringify(this.document)
    await writeSafetensors(file, await this.#engine.read(averages), { [metadataKey]: document })
  }

  /**
   * Offers the weights to the threads of this process: what it gives can be posted to a worker, where `sharedModel` makes a model of it that predicts by these very
   * weights. They are not copied; a training here and predictions there see whole steps of one another.
   *
   * From then on the weights stay until `dispose`, or the end of this thread, and as long as another thread has them; the garbage collector alone does not free them.
   * @throws UNSUPPORTED on the reference runtime
   */
  async share(): Promise<SharedModel> {
    const state = await this.#engine.share(likelyPlan(this.#architecture, undefined, undefined, 1).plan)
    const { compile, history, ...document } = this.document
    return { ...state, document: JSON.stringify(document) }
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
    const { spec } = likelyPlan(this.#architecture, this.#objective, this.#targetForms, batchSize).plan.compile(layout)
    const arenaBytes = (spec.arenaElements + (spec.prelude?.elements ?? 0)) * 4
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
    const { mode, plan, given } = likelyPlan(this.#architecture, this.#objective, this.#targetForms, capacity)
    const learningRate = this.#objective ? rateAt(this.#objective.optimizer, this.#counts.steps) : 0
    return profileOf(this.#engine, plan, given, mode, runs, { learningRate, step: 1, seed: this.#seed, share: 1, emaShare: 1 })
  }

  /**
   * Native memory that this model takes now: scratch of its largest programs (which models on one runtime share) and weights as kernels take them;
   * weights with optimizer slots; and batches under way, as they were given and as augmentation has made them.
   */
  memory(): { arenaBytes: number; stateBytes: number; stagingBytes: number } {
    return this.#engine.memory()
  }

  /** What executes it. */
  get runtime(): 'native' | 'reference' {
    return this.#engine.runtime
  }

  /** @internal What it is made of, as `save` writes it. */
  get architecture(): Architecture {
    return { ...this.#architecture, inputs: this.#inputs }
  }

  /** @internal All that `save` writes beside the weights. */
  get document(): ModelDocument {
    const facts = { steps: this.#counts.steps, algorithms: this.#engine.choices, classNames: this.#classNames, history: this.#history }
    return documentOf(this.architecture, this.#seed, this.#objective, facts)
  }

  /** @internal Throws DISPOSED, and INVALID_ARGUMENT for averages where none are kept. */
  checkUsable(method: string, options: WeightsOptions = {}): void {
    this.#engine.checkUsable()
    this.#averages(options, method)
  }

  /** @internal What every call of a layer gives for these samples, in the order of `architecture.calls`. */
  async trace(x: X, label: string): Promise<Tensor[]> {
    return trace(this.#engine, this.architecture, checkSamples(x, this.#inputs, label))
  }

  /** @internal What a file has: how convolutions are computed, for `autotune`, and the history. */
  adopt(choices: AlgorithmChoices, history: History | undefined): void {
    this.#engine.adopt(choices)
    this.#history = history
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

  /** Whether the moving averages are asked for. Throws INVALID_ARGUMENT where there are none. */
  #averages({ weights = 'trained' }: WeightsOptions, method: string): boolean {
    if (checkChoice(weights, ['trained', 'average'], method, 'weights') === 'trained') return false
    if (this.#engine.hasAverages) return true
    throw new ConvlaneError('INVALID_ARGUMENT', `${method}: no averages are kept: compile({ ema: { decay: 0.999 } })`, {
      received: weights,
    })
  }

  #setFrozen(match: Match, freeze: boolean, method: string): this {
    this.#engine.checkWritable(method)
    this.#occupation.check(method, 'setWeights')
    this.#architecture = { ...this.#architecture, frozen: changeFrozen(this.#architecture, match, freeze, method) }
    Object.assign(this.#counts, { waiting: 0, samples: 0 })
    return this
  }

  #compiled(method: string): Objective {
    this.#engine.checkWritable(method)
    if (this.#objective) return this.#objective
    throw new ConvlaneError('NOT_COMPILED', `${method}: call compile({ optimizer, loss }) first`)
  }

  #objectiveOf(options: CompileOptions): Objective {
    return objectiveOf(options, this.#architecture.outputs, trainableWeights(this.#architecture))
  }

  /** What data is checked against. */
  #against(objective: Objective) {
    return { inputs: this.#inputs, objective, chunk: this.#chunk }
  }

  #fitModel(objective: Objective): FitModel {
    return {
      architecture: () => this.architecture,
      classNames: () => this.#classNames,
      engine: this.#engine,
      objective,
      seed: this.#seed,
      counts: this.#counts,
      step: (batch, capacity, seed, augment) => this.#step(batch, capacity, objective, seed, augment),
      flush: async () => this.#accumulation?.flush(this.#architecture),
      evaluate: (source, signal) => this.#evaluate(source, objective, signal, objective.ema?.validate),
    }
  }

  /** Keeps how training data scales its bytes, for `predict` and `save`. */
  #remember({ normalize }: { readonly normalize?: Normalize }): void {
    if (!normalize || this.#inputs.every((end) => end.normalize)) return
    if (this.#engine.isShared) {
      const hint = 'build the model with this normalize, or share() after the first fit'
      throw new ConvlaneError('INVALID_ARGUMENT', `fit: the data's normalize is news to the threads that share the model: ${hint}`)
    }
    this.#inputs = this.#inputs.map((end) => ({ normalize, ...end }))
  }

  #step(batch: Batch, capacity: number, objective: Objective, seed: number, augment?: Augmentation): Promise<StepResult> {
    this.#targetForms = batch.y
    if (this.#accumulation) return this.#accumulation.step(this.#architecture, batch, { capacity, augment }, seed)
    const learningRate = rateAt(objective.optimizer, this.#counts.steps)
    const step = ++this.#counts.steps
    this.#counts.batches++
    const scalars = { learningRate, step, seed, ...(objective.ema && { emaShare: emaShare(objective.ema, step) }) }
    const plan = trainPlan(this.#architecture, objective, { ...caseOf(batch, capacity), augment })
    return this.#engine
      .run(plan, { n: batch.n, inputs: batch.inputs, scalars })
      .then((outputs) => ({ outputs: withWeights(objective, outputs, batch.n, batch.w), learningRate }))
  }

  #evaluate(source: Source, objective: Objective, signal: AbortSignal | undefined, averages = false): Promise<Results> {
    let capacity = source.batchSize
    const run = (batch: Batch) => {
      capacity = Math.max(capacity, batch.n)
      const plan = evaluatePlan(this.#architecture, objective, caseOf(batch, capacity))
      return this.#engine
        .run(averages ? averaged(plan) : plan, { n: batch.n, inputs: batch.inputs })
        .then((outputs) => withWeights(objective, outputs, batch.n, batch.w))
    }
    return runEvaluate(source, objective.reports, run, signal)
  }
}
