import { ConvlaneError } from '../errors'
import type { Tensor } from '../tensor'
import type { Augmentation } from '../train/augmentation'
import type { Batch, Source } from '../train/batches'
import {
  type Checkpoint,
  type CheckpointOptions,
  checkFacts,
  type FitProgress,
  type RunFacts,
  readCheckpoint,
  writeCheckpoint,
} from '../train/checkpoint'
import { Checkpointer } from '../train/checkpointer'
import type { EarlyStopping } from '../train/earlyStopping'
import type { EpochEvent, History, Results } from '../train/events'
import { type FitPlan, runFit, type StepResult, type Trainer } from '../train/fit'
import type { Objective, Report } from '../train/objective'
import { rateAt } from '../train/optimizers'
import { isWatching, type WatchingSchedule } from '../train/schedules'
import { type Counts, isFiniteRun } from './accumulation'
import type { Architecture } from './architecture'
import { choicesIn, documentOf, metadataKey } from './document'
import type { Engine } from './engine'
import { diagnosis } from './plans'
import { checkWeights } from './weights'

/** What a fit needs of its model. */
export interface FitModel {
  /** With the inputs as they are now. */
  architecture(): Architecture
  /** As they are now. */
  classNames(): readonly string[] | undefined
  readonly engine: Engine
  readonly objective: Objective
  /** The model's. */
  readonly seed: number
  /** Since `compile`. */
  readonly counts: Counts
  /** Queues one step. */
  step(batch: Batch, capacity: number, seed: number, augment: Augmentation | undefined): Promise<StepResult>
  /** The update by gradients that wait for one. */
  flush(): Promise<void>
  evaluate(source: Source, signal: AbortSignal | undefined): Promise<Results>
}

export interface FitSettings {
  readonly facts: RunFacts
  readonly augment: Augmentation | undefined
  /** Largest batch that is known of. */
  readonly capacity: number
  readonly earlyStopping: EarlyStopping | undefined
  readonly checkpoint: CheckpointOptions | undefined
  /** A checkpoint's file. */
  readonly resume: string | undefined
}

/** One call of fit on a model: how the training loop drives it, and what of it goes into checkpoints. */
export class FitSession implements Trainer {
  readonly #model: FitModel
  readonly #settings: FitSettings
  readonly #schedule: WatchingSchedule | undefined
  #capacity: number
  /** Where gradients are accumulated: the batch before, how many wait for it, and whether one was not finite. */
  #turn: Promise<unknown> = Promise.resolve()
  #queued = 0
  #failed = false

  constructor(model: FitModel, settings: FitSettings) {
    const { learningRate } = model.objective.optimizer
    this.#model = model
    this.#settings = settings
    this.#schedule = isWatching(learningRate) ? learningRate : undefined
    this.#capacity = settings.capacity
  }

  async run(plan: FitPlan): Promise<History> {
    const { checkpoint, resume } = this.#settings
    const progress = resume === undefined ? undefined : await this.#resume(resume)
    const checkpoints = checkpoint && this.#checkpointer(checkpoint)
    try {
      return await runFit(this, { ...plan, resume: progress, checkpoints })
    } finally {
      await checkpoints?.end().catch(() => {})
    }
  }

  get reports(): readonly Report[] {
    return this.#model.objective.reports
  }

  get steps(): number {
    return this.#model.counts.batches + this.#queued
  }

  get lastRate(): number {
    const { counts, objective } = this.#model
    return rateAt(objective.optimizer, Math.max(0, counts.waiting > 0 ? counts.steps : counts.steps - 1))
  }

  nextEpoch(): number {
    return this.#model.counts.epochs++
  }

  step(batch: Batch): Promise<StepResult> {
    this.#capacity = Math.max(this.#capacity, batch.n)
    const run = () => this.#model.step(batch, this.#capacity, this.#settings.facts.seed, this.#settings.augment)
    if (this.#model.objective.accumulate === 1) return run()
    return this.#inTurn(run)
  }

  /** One batch after the other: none after one that is not finite, whose group must not update the weights. */
  #inTurn(run: () => Promise<StepResult>): Promise<StepResult> {
    this.#queued++
    const result = this.#turn.then(async () => {
      this.#queued--
      if (this.#failed) throw new ConvlaneError('NOT_FINITE', 'fit: the batch before was not finite')
      const result = await run()
      this.#failed = !isFiniteRun(result.outputs, this.#model.objective)
      return result
    })
    this.#turn = result.catch(() => {})
    return result
  }

  async endEpoch(): Promise<void> {
    await this.#model.flush()
  }

  evaluate(source: Source, signal: AbortSignal | undefined): Promise<Results> {
    return this.#model.evaluate(source, signal)
  }

  async watch(event: EpochEvent): Promise<void> {
    this.#schedule?.watch(event)
    await this.#settings.earlyStopping?.watch(event, () => this.#model.engine.read(this.#model.objective.ema?.validate))
  }

  stops(): boolean {
    return this.#settings.earlyStopping?.stops === true
  }

  async finish(): Promise<void> {
    const { engine, objective } = this.#model
    const write = (weights: Readonly<Record<string, Tensor>>) =>
      engine.write(new Map(Object.entries(weights).map(([name, { data }]) => [name, data])))
    const best = this.#settings.earlyStopping?.best
    if (best) await write(best)
    else if (objective.ema?.overwrite) await write(await engine.read(true))
  }

  /** Looks at everything on the way from the inputs to the gradients, with the weights as they are. */
  async diagnose({ n, x, y, w, inputs }: Batch): Promise<string | undefined> {
    const { engine, objective, counts } = this.#model
    const given = { x, y, w, capacity: n, augment: this.#settings.augment }
    const { plan, names } = diagnosis(this.#model.architecture(), objective, given)
    const scalars = { learningRate: rateAt(objective.optimizer, counts.steps), step: counts.batches, seed: this.#settings.facts.seed }
    const norms = await engine.run(plan, { n, inputs, scalars })
    return names[norms.findIndex(([norm]) => !Number.isFinite(norm))]
  }

  /** Takes up a checkpoint: everything is checked before anything changes. */
  async #resume(file: string): Promise<FitProgress> {
    const { engine, counts } = this.#model
    const architecture = this.#model.architecture()
    const { weights, bits, document, steps, accumulation, progress, watchers, facts, best } = await readCheckpoint(file, metadataKey)
    checkFacts(file, facts, this.#settings.facts)
    const checked = checkWeights(architecture, weights, `fit: resume from ${file}`)
    const missing = engine.layout.parameters.find(({ name }) => !checked.has(name))
    if (missing || !engine.fits(bits)) {
      const message = `fit: cannot resume from ${file}: it is of another model${missing ? `, without "${missing.name}"` : ''}`
      throw new ConvlaneError('INVALID_ARGUMENT', message)
    }
    if (best) checkWeights(architecture, best, `fit: resume from ${file}`)
    const choices = choicesIn(document)
    engine.checkAdoptable(choices, `fit: cannot resume from ${file}`)
    this.#schedule?.restore(watchers.schedule)
    this.#settings.earlyStopping?.restore(watchers.earlyStopping, best)
    engine.adopt(choices)
    await engine.restore(checked, bits)
    Object.assign(counts, { steps, batches: steps, waiting: 0, samples: 0 }, accumulation)
    counts.epochs = progress.epoch
    return progress
  }

  #checkpointer({ file, every }: CheckpointOptions): Checkpointer {
    const { engine, objective, seed, counts } = this.#model
    const { facts, earlyStopping } = this.#settings
    const gather = async (progress: FitProgress): Promise<Checkpoint> => {
      const beside = { steps: counts.steps, algorithms: engine.choices, classNames: this.#model.classNames() }
      const document = JSON.stringify(documentOf(this.#model.architecture(), seed, objective, beside))
      const watchers = { schedule: this.#schedule?.state ?? null, earlyStopping: earlyStopping?.state ?? null }
      const { steps, batches, waiting, samples } = counts
      const accumulation = batches === steps ? {} : { accumulation: { batches, waiting, samples } }
      const rest = { document, facts, steps, ...accumulation, progress, watchers, best: earlyStopping?.best }
      return { ...(await engine.dump()), ...rest }
    }
    return new Checkpointer(file, every, gather, (checkpoint) => writeCheckpoint(file, checkpoint, metadataKey))
  }
}
