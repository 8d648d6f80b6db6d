import type { Callback, StepEvent } from '../train/events'

/** Some steps in a row: means over them. */
export interface StepPoint {
  /** Where they end, in epochs from 0: 1.5 is the middle of the second. */
  readonly at: number
  /** Of their batches, before the updates. */
  readonly loss: number
  /** Of their updates. */
  readonly learningRate: number
  /** Over the epoch so far, as the last of them tells it. */
  readonly imagesPerSecond: number
  /** Length of the gradient of all weights together, before any clipping. */
  readonly gradientNorm: number
}

interface Sum {
  epoch: number
  step: number
  count: number
  loss: number
  learningRate: number
  gradientNorm: number
  imagesPerSecond: number
}

/** Most points that are kept. */
const MOST = 1024

/**
 * A callback of `fit` that keeps the steps' losses, learning rates, lengths of gradients and speeds for the curves of a {@link report}: of long runs means over 2, 4, 8, … steps in
 * a row, so that it never holds more than 1024 points.
 */
export class StepLog implements Callback {
  #sums: Sum[] = []
  /** Steps in each point. */
  #width = 1
  /** Steps of each epoch: of an iterable, as far as they have come. */
  readonly #lengths = new Map<number, number>()

  /** Begins anew: the points are those of one call of fit. */
  onTrainBegin(): void {
    this.#sums = []
    this.#width = 1
    this.#lengths.clear()
  }

  onStep({ epoch, step, steps, loss, learningRate, gradientNorm, imagesPerSecond }: StepEvent): void {
    this.#lengths.set(epoch, steps || step)
    const own = { epoch, step, count: 1, loss, learningRate, gradientNorm, imagesPerSecond }
    const last = this.#sums.at(-1)
    if (last && last.count < this.#width) merge(last, own)
    else this.#sums.push(own)
    if (this.#sums.length <= MOST) return
    this.#width *= 2
    const halves: Sum[] = []
    this.#sums.forEach((sum, k) => {
      if (k % 2 === 0) halves.push(sum)
      else merge(halves.at(-1)!, sum)
    })
    this.#sums = halves
  }

  /** What is kept, in order. */
  get points(): StepPoint[] {
    return this.#sums.map(({ epoch, step, count, loss, learningRate, gradientNorm, imagesPerSecond }) => ({
      at: epoch - 1 + step / this.#lengths.get(epoch)!,
      loss: loss / count,
      learningRate: learningRate / count,
      gradientNorm: gradientNorm / count,
      imagesPerSecond,
    }))
  }
}

/** Adds later steps to earlier ones. */
function merge(into: Sum, more: Sum): void {
  into.count += more.count
  into.loss += more.loss
  into.learningRate += more.learningRate
  into.gradientNorm += more.gradientNorm
  Object.assign(into, { epoch: more.epoch, step: more.step, imagesPerSecond: more.imagesPerSecond })
}

/** Makes a {@link StepLog}: `fit(data, { callbacks: [log] })`, then `report(model, history, data, { steps: log.points })`. */
export function stepLog(): StepLog {
  return new StepLog()
}
