import { ConvlaneError } from '../errors'
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
import { type FitPlan, runFit, type Trainer } from '../train/fit'
import type { Objective, Report } from '../train/objective'
import { rateAt } from '../train/optimizers'
import { isWatching, type WatchingSchedule } from '../train/schedules'
import type { Architecture } from './architecture'
import { documentOf, metadataKey } from './document'
import type { Engine } from './engine'
import { diagnosis } from './plans'
import type { RunOutputs } from './runner'
import { checkWeights } from './weights'

/** What a fit needs of its model. */
export interface FitModel {
  /** With the inputs as they are now. */
  architecture(): Architecture
  readonly engine: Engine
  readonly objective: Objective
  /** The model's. */
  readonly seed: number
  /** Since `compile`. */
  readonly counts: { steps: number; epochs: number }
  /** Queues one step. */
  step(batch: Batch, capacity: number, seed: number, augment: Augmentation | undefined): Promise<RunOutputs>
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
    return this.#model.counts.steps
  }

  nextEpoch(): number {
    return this.#model.counts.epochs++
  }

  step(batch: Batch): Promise<RunOutputs> {
    this.#capacity = Math.max(this.#capacity, batch.n)
    return this.#model.step(batch, this.#capacity, this.#settings.facts.seed, this.#settings.augment)
  }

  evaluate(source: Source, signal: AbortSignal | undefined): Promise<Results> {
    return this.#model.evaluate(source, signal)
  }

  async watch(event: EpochEvent): Promise<void> {
    this.#schedule?.watch(event)
    await this.#settings.earlyStopping?.watch(event, () => this.#model.engine.read())
  }

  stops(): boolean {
    return this.#settings.earlyStopping?.stops === true
  }

  async finish(): Promise<void> {
    const best = this.#settings.earlyStopping?.best
    if (best) await this.#model.engine.write(new Map(Object.entries(best).map(([name, { data }]) => [name, data])))
  }

  /** Looks at everything on the way from the inputs to the gradients, with the weights as they are. */
  async diagnose({ n, x, y, w, inputs }: Batch): Promise<string | undefined> {
    const { engine, objective, counts } = this.#model
    const given = { x, y, w, capacity: n, augment: this.#settings.augment }
    const { plan, names } = diagnosis(this.#model.architecture(), objective, given)
    const scalars = { learningRate: rateAt(objective.optimizer, counts.steps), step: counts.steps, seed: this.#settings.facts.seed }
    const norms = await engine.run(plan, { n, inputs, scalars })
    return names[norms.findIndex(([norm]) => !Number.isFinite(norm))]
  }

  /** Takes up a checkpoint: everything is checked before anything changes. */
  async #resume(file: string): Promise<FitProgress> {
    const { engine, counts } = this.#model
    const architecture = this.#model.architecture()
    const { weights, bits, steps, progress, watchers, facts, best } = await readCheckpoint(file, metadataKey)
    checkFacts(file, facts, this.#settings.facts)
    const checked = checkWeights(architecture, weights, `fit: resume from ${file}`)
    const missing = engine.layout.parameters.find(({ name }) => !checked.has(name))
    if (missing || !engine.fits(bits)) {
      const message = `fit: cannot resume from ${file}: it is of another model${missing ? `, without "${missing.name}"` : ''}`
      throw new ConvlaneError('INVALID_ARGUMENT', message)
    }
    if (best) checkWeights(architecture, best, `fit: resume from ${file}`)
    this.#schedule?.restore(watchers.schedule)
    this.#settings.earlyStopping?.restore(watchers.earlyStopping, best)
    await engine.restore(checked, bits)
    counts.steps = steps
    counts.epochs = progress.epoch
    return progress
  }

  #checkpointer({ file, every }: CheckpointOptions): Checkpointer {
    const { engine, objective, seed, counts } = this.#model
    const { facts, earlyStopping } = this.#settings
    const gather = async (progress: FitProgress): Promise<Checkpoint> => {
      const document = JSON.stringify(documentOf(this.#model.architecture(), seed, objective, counts.steps))
      const watchers = { schedule: this.#schedule?.state ?? null, earlyStopping: earlyStopping?.state ?? null }
      const rest = { document, facts, steps: counts.steps, progress, watchers, best: earlyStopping?.best }
      return { ...(await engine.dump()), ...rest }
    }
    return new Checkpointer(file, every, gather, (checkpoint) => writeCheckpoint(file, checkpoint, metadataKey))
  }
}
