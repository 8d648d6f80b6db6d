import { ConvlaneError } from '../errors'
import type { RunOutputs } from '../model/runner'
import type { Batch, Source } from './batches'
import type { FitProgress } from './checkpoint'
import type { Checkpointer } from './checkpointer'
import { withLooks } from './classification'
import type { Callback, EpochEvent, History, Results } from './events'
import { Means } from './means'
import type { Report } from './objective'
import { pipeline } from './pipeline'

/** One step that was done. */
export interface StepResult {
  /** Loss, then reports, then the norm of the gradients. */
  readonly outputs: RunOutputs
  /** Of the update that its batch goes into. */
  readonly learningRate: number
}

/** What fit needs of a model. */
export interface Trainer {
  readonly reports: readonly Report[]
  /** Queues one step. */
  step(batch: Batch): Promise<StepResult>
  /** The rate of the last step since `compile`. */
  readonly lastRate: number
  /** Number of the next epoch since `compile`, over all calls of fit: what its order of samples follows from. */
  nextEpoch(): number
  /** Batches since `compile`, those under way included. */
  readonly steps: number
  /** After the last batch of an epoch. */
  endEpoch(): Promise<void>
  /** Shows a schedule and the like an epoch. */
  watch(event: EpochEvent): Promise<void>
  /** Whether what was shown says that it is enough. */
  stops(): boolean
  /** After the last epoch, unless it was stopped by a signal. */
  finish(): Promise<void>
  /** Where a number that is not finite comes from in a batch, as far as that can be told. */
  diagnose(batch: Batch): Promise<string | undefined>
  evaluate(source: Source, signal: AbortSignal | undefined): Promise<Results>
}

export interface FitPlan {
  readonly epochs: number
  readonly data: Source
  readonly validation: Source | undefined
  readonly signal: AbortSignal | undefined
  readonly callbacks: readonly Callback[]
  readonly checkpoints?: Checkpointer | undefined
  /** Where to go on. */
  readonly resume?: FitProgress | undefined
}

/** Training, with the callbacks around it. */
export async function runFit(trainer: Trainer, plan: FitPlan): Promise<History> {
  const { callbacks, checkpoints, resume } = plan
  await checkpoints?.begin()
  try {
    const start = { epoch: (resume?.done.length ?? 0) + 1, step: resume?.position ?? 0, steps: stepsIn(plan.data) }
    for (const callback of callbacks) await callback.onTrainBegin?.(start)
    const history = await runEpochs(trainer, plan, (resume?.done ?? []).map(fromFile))
    for (const callback of callbacks) await callback.onTrainEnd?.(history)
    return history
  } catch (error) {
    for (const callback of callbacks)
      await Promise.resolve(error)
        .then(callback.onTrainError?.bind(callback))
        .catch(() => {})
    throw error
  }
}

/** Of an epoch; 0 where that is not known. */
const stepsIn = ({ length, batchSize }: Source): number => (length === undefined ? 0 : Math.ceil(length / batchSize))

/** The training loop. `done`: epochs before. */
async function runEpochs(trainer: Trainer, plan: FitPlan, done: EpochEvent[]): Promise<History> {
  const { epochs, callbacks, checkpoints } = plan
  const aborted = () => plan.signal?.aborted === true
  while (done.length < epochs && !aborted() && !trainer.stops()) {
    const number = trainer.nextEpoch()
    const event = await fitEpoch(trainer, plan, number, done)
    if (!event) break
    done.push(event)
    await trainer.watch(event)
    for (const callback of callbacks) await callback.onEpoch?.(event)
    await checkpoints?.take({ epoch: number + 1, position: 0, samples: 0, sums: [], seconds: 0, done })
  }
  await checkpoints?.end()
  const early = done.length < epochs && trainer.stops()
  if (early || done.length >= epochs) await trainer.finish()
  return done.length < epochs ? { epochs: done, stopped: early ? 'earlyStopping' : 'aborted' } : { epochs: done }
}

/** An epoch of a checkpoint, which prints as it did. Earlier releases kept no learning rate. */
function fromFile(event: EpochEvent): EpochEvent {
  for (const details of [event, event.validation]) {
    if (details) withLooks(details)
    for (const own of Object.values(details?.outputs ?? {})) withLooks(own)
  }
  return { ...event, learningRate: event.learningRate ?? Number.NaN }
}

/** One epoch; nothing when it was stopped on the way, while validating too: it is whole with what it was validated by, which others watch. */
async function fitEpoch(trainer: Trainer, plan: FitPlan, number: number, done: readonly EpochEvent[]): Promise<EpochEvent | undefined> {
  const { data, validation, signal, callbacks, checkpoints, resume } = plan
  const epoch = done.length + 1
  const before = resume?.epoch === number ? resume : undefined
  const aborted = () => signal?.aborted === true
  const steps = stepsIn(data)
  const means = new Means(trainer.reports, before)
  const begin = performance.now()
  const seconds = () => (before?.seconds ?? 0) + (performance.now() - begin) / 1000
  let step = before?.position ?? 0
  let rate: number | undefined
  const after = async ({ outputs, learningRate }: StepResult, batch: Batch) => {
    step++
    rate = learningRate
    const loss = outputs[0]![0]!
    const gradientNorm = outputs[trainer.reports.length + 1]?.[0] ?? 0
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      const what = Number.isFinite(loss) ? `the norm of the gradients became ${gradientNorm}` : `the loss became ${loss}`
      throw notFinite(what, epoch, step, await trainer.diagnose(batch), Number.isFinite(loss) ? gradientNorm : loss)
    }
    means.add(outputs, batch.n)
    if (callbacks.length === 0) return
    const speed = { imagesPerSecond: means.samples / seconds() }
    const event = { epoch, step, steps, loss, metrics: means.metrics, gradientNorm, learningRate, ...speed }
    for (const callback of callbacks) await callback.onStep?.(event)
  }
  const checkpoint = async () =>
    checkpoints?.take({ epoch: number, position: step, samples: means.samples, sums: means.sums, seconds: seconds(), done })
  const { every } = checkpoints ?? {}
  const pause = every === undefined ? undefined : { due: () => trainer.steps % every === 0, run: checkpoint }
  await pipeline(data.batches(number, signal, step), (batch) => trainer.step(batch), after, aborted, pause)
  if (aborted() && !(steps > 0 && step === steps)) {
    await checkpoint()
    return undefined
  }
  await trainer.endEpoch()
  const trained = seconds()
  const { loss, metrics, details, samples } = means
  const learningRate = rate ?? trainer.lastRate
  const event = { epoch, loss, metrics, ...details, learningRate, seconds: trained, imagesPerSecond: samples / trained }
  if (!validation) return event
  try {
    return { ...event, validation: await trainer.evaluate(validation, signal) }
  } catch (error) {
    if (!(aborted() && error instanceof ConvlaneError && error.code === 'ABORTED')) throw error
    await checkpoint()
    return undefined
  }
}

function notFinite(what: string, epoch: number, step: number, where: string | undefined, received: number): ConvlaneError {
  const place = where === undefined ? '' : `, first in ${where}`
  const message = `fit: ${what} in epoch ${epoch}, step ${step}${place}: that step changed no weights; try a lower learning rate, and look for values that are not finite in the data`
  return new ConvlaneError('NOT_FINITE', message, { expected: 'a finite loss', received })
}

/** Loss and metrics over all samples. Throws ABORTED. */
export async function runEvaluate(
  source: Source,
  reports: readonly Report[],
  run: (batch: Batch) => Promise<RunOutputs>,
  signal: AbortSignal | undefined,
): Promise<Results> {
  const means = new Means(reports)
  const aborted = () => signal?.aborted === true
  await pipeline(source.batches(0, signal), run, (outputs, { n }) => means.add(outputs, n), aborted)
  if (aborted()) throw new ConvlaneError('ABORTED', 'evaluate: stopped by its signal', { cause: signal!.reason })
  return means.results
}
