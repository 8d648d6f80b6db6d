import type { Batch } from '../train/batches'
import { emaShare } from '../train/ema'
import type { StepResult } from '../train/fit'
import { type Objective, withWeights } from '../train/objective'
import { rateAt } from '../train/optimizers'
import type { Architecture } from './architecture'
import type { Engine } from './engine'
import { accumulatePlan, applyPlan, type Case, caseOf } from './plans'
import type { RunOutputs } from './runner'

/** How far training has come since `compile`. */
export interface Counts {
  /** Updates. */
  steps: number
  /** Batches: as many as updates, unless gradients are accumulated. */
  batches: number
  epochs: number
  /** Batches whose gradients wait for an update, and their samples. */
  waiting: number
  samples: number
}

/** Whether loss and norm of a batch are finite. */
export const isFiniteRun = (outputs: RunOutputs, { reports }: Pick<Objective, 'reports'>): boolean =>
  Number.isFinite(outputs[0]![0]!) && Number.isFinite(outputs[reports.length + 1]?.[0] ?? 0)

/** Takes the gradients of several batches together for one update: one batch after the other, so that what is not finite ends a group before its update. */
export class Accumulation {
  readonly #engine: Engine
  readonly #objective: Objective
  readonly #counts: Counts
  #turn: Promise<unknown> = Promise.resolve()

  constructor(engine: Engine, objective: Objective, counts: Counts) {
    this.#engine = engine
    this.#objective = objective
    this.#counts = counts
  }

  /** One batch, and the update where it is the last of its group. */
  step(
    architecture: Architecture,
    batch: Batch,
    { capacity, augment }: Pick<Case, 'capacity' | 'augment'>,
    seed: number,
  ): Promise<StepResult> {
    const step = ++this.#counts.batches
    return this.#after(async () => {
      const counts = this.#counts
      const learningRate = rateAt(this.#objective.optimizer, counts.steps)
      const samples = counts.samples + batch.n
      const plan = accumulatePlan(architecture, this.#objective, { ...caseOf(batch, capacity), augment })
      const scalars = { step, seed, share: batch.n / samples }
      const run = await this.#engine.run(plan, { n: batch.n, inputs: batch.inputs, scalars })
      const outputs = withWeights(this.#objective, run, batch.n, batch.w)
      if (!isFiniteRun(outputs, this.#objective)) return { outputs, learningRate }
      counts.samples = samples
      if (++counts.waiting >= this.#objective.accumulate) await this.#apply(architecture)
      return { outputs, learningRate }
    })
  }

  /** The update by what waits, if anything does. */
  flush(architecture: Architecture): Promise<void> {
    return this.#after(async () => {
      if (this.#counts.waiting > 0) await this.#apply(architecture)
    })
  }

  async #apply(architecture: Architecture): Promise<void> {
    const counts = this.#counts
    const { optimizer, ema } = this.#objective
    const learningRate = rateAt(optimizer, counts.steps)
    const step = ++counts.steps
    const scalars = { learningRate, step, ...(ema && { emaShare: emaShare(ema, step) }) }
    await this.#engine.run(applyPlan(architecture, this.#objective), { n: 1, inputs: [], scalars })
    counts.waiting = 0
    counts.samples = 0
  }

  #after<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}
