import type { RunOutputs } from '../model/runner'
import type { Results } from './events'
import type { Report } from './objective'

/** Means over samples of what runs report, the smaller last batch weighed as it should be. */
export class Means {
  readonly #reports: readonly Report[]
  readonly #sums: number[]
  #samples = 0

  /** @param start sums that are gone on with */
  constructor(
    reports: readonly Report[],
    start: { readonly samples: number; readonly sums: readonly number[] } = { samples: 0, sums: [] },
  ) {
    this.#reports = reports
    this.#sums = Array.from({ length: reports.length + 1 }, (_, index) => start.sums[index] ?? 0)
    this.#samples = start.samples
  }

  get sums(): readonly number[] {
    return [...this.#sums]
  }

  get samples(): number {
    return this.#samples
  }

  /** Adds a run of n samples: the loss first, then the reports; what else a run gives is left alone. */
  add(outputs: RunOutputs, n: number): void {
    this.#samples += n
    outputs.slice(0, this.#sums.length).forEach((output, index) => {
      const counted = index > 0 && this.#reports[index - 1]!.gives === 'count'
      this.#sums[index]! += counted ? output[0]! : output[0]! * n
    })
  }

  get loss(): number {
    return this.#sums[0]! / this.#samples
  }

  get metrics(): Record<string, number> {
    return Object.fromEntries(this.#reports.map(({ name }, index) => [name, this.#sums[index + 1]! / this.#samples]))
  }

  get results(): Results {
    return { loss: this.loss, ...this.metrics }
  }
}
