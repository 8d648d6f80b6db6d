import type { EpochEvent, Results, StepEvent } from '../train/events'
import { StepCurves } from './curves'

/** What is known of a run before it begins. */
export interface RunFacts {
  readonly title: string
  /** In all, where that is known. */
  readonly epochs: number | undefined
}

/** An epoch, as the page gets it. */
interface EpochRow {
  readonly epoch: number
  /** The step it ended with. */
  readonly at: number
  readonly seconds: number
  readonly learningRate: number
  readonly imagesPerSecond: number
  readonly train: Readonly<Record<string, number>>
  readonly validation?: Readonly<Record<string, number>>
}

/** Why a run is over. */
export type End = { readonly why: 'done' | 'aborted' | 'earlyStopping' } | { readonly why: 'failed'; readonly message: string }

/** Epochs that are kept; beyond, every second of them. */
const MOST_EPOCHS = 1000

/** Tells the runs of this process apart, for pages that stay open from one to the next. */
let runs = 0

/** An event of a stream of server-sent events. What is not a finite number is `null` in it. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** What a run has told, as much as pages show: of bounded size, however long it is. */
export class RunLog {
  readonly #run: { readonly id: string } & RunFacts
  readonly #began = performance.now()
  readonly #curves = new StepCurves()
  #epochs: EpochRow[] = []
  /** The last step; the one before the first; seconds since the run began. */
  #now: (Omit<StepEvent, 'metrics'> & { readonly at: number; readonly start: number; readonly elapsed: number }) | undefined
  #at = 0
  #start: number | undefined
  /** How much of it pages know by the updates that they were sent. */
  #told = { points: 0, epochs: 0 }
  #isChanged = true
  /** Points or epochs that were told are others now; at first those of a run before. */
  #isRewritten = true
  #state: string | undefined

  constructor(facts: RunFacts) {
    this.#run = { id: `${process.pid}-${Date.now()}-${runs++}`, ...facts }
  }

  /** The number of the last step, over all epochs. */
  get at(): number {
    return this.#at
  }

  step(event: StepEvent): void {
    const { epoch, step, steps, loss, metrics, learningRate, gradientNorm, imagesPerSecond } = event
    this.#at = steps > 0 ? (epoch - 1) * steps + step : this.#at + 1
    this.#start ??= this.#at - 1
    const values: Record<string, number> = { loss, learningRate, gradientNorm, imagesPerSecond }
    for (const name in metrics) values[`metrics.${name}`] = metrics[name]!
    if (this.#curves.add(this.#at, values)) this.#isRewritten = true
    const place = { at: this.#at, start: this.#start, elapsed: (performance.now() - this.#began) / 1000 }
    this.#now = { epoch, step, steps, loss, learningRate, gradientNorm, imagesPerSecond, ...place }
    this.#isChanged = true
  }

  epoch({ epoch, loss, metrics, validation, learningRate, seconds, imagesPerSecond }: EpochEvent): void {
    const rest = { epoch, at: this.#at, seconds, learningRate, imagesPerSecond, train: { loss, ...metrics } }
    this.#epochs.push({ ...rest, ...(validation && { validation: numbersOf(validation) }) })
    if (this.#epochs.length > MOST_EPOCHS) {
      this.#epochs = this.#epochs.filter((_, index) => index % 2 === 0)
      this.#isRewritten = true
    }
    this.#isChanged = true
  }

  /** All that there is, for a page that knows nothing: as of the last update or later, which does not matter, since updates say where they begin. */
  get state(): string {
    const { stride, at, columns } = this.#curves
    const whole = () => ({ run: this.#run, now: this.#now, stride, from: 0, at, columns, epochsFrom: 0, epochs: this.#epochs })
    this.#state ??= eventText('state', whole())
    return this.#state
  }

  /** What came since the last call: nothing where nothing did. */
  update(): string | undefined {
    if (!this.#isChanged) return undefined
    this.#state = undefined
    const { points, epochs } = this.#told
    const { at, columns } = this.#curves
    const isRewritten = this.#isRewritten
    this.#told = { points: at.length, epochs: this.#epochs.length }
    this.#isChanged = false
    this.#isRewritten = false
    if (isRewritten) return this.state
    const fresh = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.slice(points)]))
    return eventText('update', {
      now: this.#now,
      from: points,
      at: at.slice(points),
      columns: fresh,
      epochsFrom: epochs,
      epochs: this.#epochs.slice(epochs),
    })
  }
}

function numbersOf(results: Results): Record<string, number> {
  return Object.fromEntries(Object.entries(results).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}
