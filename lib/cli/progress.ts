import type { EpochEvent, StepEvent } from '../train/events'

/** What is written to: a terminal when `isTTY`. */
export interface Output {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

const REDRAW_MS = 100
const LINE_MS = 10_000
const BAR = 30

/** Shows how training goes: a bar that redraws itself on a terminal; elsewhere a line per epoch, and one every ten seconds between. */
export class Progress {
  readonly #out: Output
  readonly #epochs: number
  readonly #now: () => number
  readonly #start: number
  #shown: number
  #drawn = false
  #epoch = 0
  #losses = { sum: 0, count: 0 }

  constructor(out: Output, epochs: number, now: () => number = performance.now.bind(performance)) {
    this.#out = out
    this.#epochs = epochs
    this.#now = now
    this.#start = now()
    this.#shown = out.isTTY ? Number.NEGATIVE_INFINITY : this.#start
  }

  onStep(event: StepEvent): void {
    if (event.epoch !== this.#epoch) {
      this.#epoch = event.epoch
      this.#losses = { sum: 0, count: 0 }
    }
    this.#losses.sum += event.loss
    this.#losses.count++
    const now = this.#now()
    if (now - this.#shown < (this.#out.isTTY ? REDRAW_MS : LINE_MS)) return
    this.#shown = now
    const done = (event.epoch - 1 + event.step / event.steps) / this.#epochs
    const left = ((now - this.#start) / 1000) * (1 / done - 1)
    const state = [...scores({ ...event, loss: this.#losses.sum / this.#losses.count }), `${durationText(left)} left`]
    if (this.#out.isTTY) this.#draw(event, state)
    else this.#out.write(`${this.#title(event.epoch)}  ${percent(event.step / event.steps)}  ${state.join('  ')}\n`)
  }

  onEpoch(event: EpochEvent): void {
    this.clear()
    this.#shown = this.#out.isTTY ? Number.NEGATIVE_INFINITY : this.#now()
    this.#out.write(`${this.#title(event.epoch)}  ${[...scores(event), durationText(event.seconds)].join('  ')}\n`)
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawn) this.#out.write('\r\x1b[K')
    this.#drawn = false
  }

  #draw({ epoch, step, steps }: StepEvent, state: readonly string[]): void {
    const columns = (this.#out.columns ?? 80) - 1
    const text = `${this.#title(epoch)}  `
    const tail = `  ${state.join('  ')}`
    const room = Math.min(BAR, columns - text.length - tail.length)
    const filled = Math.round((step / steps) * room)
    const bar = room >= 5 ? `${'━'.repeat(filled)}${'─'.repeat(room - filled)}` : percent(step / steps)
    this.#out.write(`\r${(text + bar + tail).slice(0, columns)}\x1b[K`)
    this.#drawn = true
  }

  #title(epoch: number): string {
    return `epoch ${String(epoch).padStart(String(this.#epochs).length)}/${this.#epochs}`
  }
}

function scores(event: Pick<StepEvent, 'loss' | 'metrics' | 'imagesPerSecond'>): string[] {
  const { accuracy } = event.metrics
  return [
    `loss ${event.loss.toFixed(4)}`,
    ...(accuracy === undefined ? [] : [`accuracy ${percent(accuracy)}`]),
    `${Math.round(event.imagesPerSecond).toLocaleString('en')} images/s`,
  ]
}

/** `0.98` → `98.00 %`, rounded down so that only all is 100. */
export function percent(share: number): string {
  return `${(Math.floor(share * 10_000 + 1e-9) / 100).toFixed(2)} %`
}

/** `65` → `1:05`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const tail = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(whole % 60).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}
