import type { RunOutputs } from '../model/runner'
import type { Details, Results } from './events'
import type { Report } from './objective'

/** What runs report, over all their samples: means, the smaller last batch weighed as it should be, and counts. */
export class Means {
  readonly #reports: readonly Report[]
  /** The loss, then the numbers of the reports, then, of several outputs, what the loss is more than the outputs' losses. */
  readonly #sums: number[]
  #samples = 0

  /** @param start sums that are gone on with; those that are missing are of runs without weights */
  constructor(
    reports: readonly Report[],
    start: { readonly samples: number; readonly sums: readonly number[] } = { samples: 0, sums: [] },
  ) {
    this.#reports = reports
    const first = [0, ...reports.flatMap(({ gives, size }) => new Array<number>(size).fill(gives === 'weight' ? start.samples : 0)), 0]
    this.#sums = first.map((value, index) => start.sums[index] ?? value)
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
    const loss = outputs[0]![0]!
    const weights = this.#reports.flatMap(({ gives }, index) => (gives === 'weight' ? [outputs[index + 1]![0]!] : []))
    this.#samples += n
    this.#sums[0]! += loss * (weights.length === 1 ? weights[0]! : n)
    let at = 1
    let rest = loss
    this.#reports.forEach(({ gives, size, output, share }, index) => {
      const given = outputs[index + 1]!
      const factor = gives === 'mean' ? n : gives === 'loss' ? weights[output]! : 1
      for (let k = 0; k < size; k++) this.#sums[at++]! += given[k]! * factor
      if (gives === 'loss') rest -= given[0]! * share
    })
    this.#sums[at]! += rest * n
  }

  /** Of several outputs with weights, the sum of their losses, each a mean by its own weights; 0 where nothing has a weight. */
  get loss(): number {
    const weights = this.#reports.flatMap((report, index) => (report.gives === 'weight' ? [this.#of(index)[0]!] : []))
    if (weights.length === 1) return quotient(this.#sums[0]!, weights[0]!)
    if (weights.every((weight) => weight === this.#samples)) return this.#sums[0]! / this.#samples
    const losses = this.#reports.map((report, index) => (report.gives === 'loss' ? report.share * this.#mean(index) : 0))
    return losses.reduce((sum, loss) => sum + loss, this.#sums.at(-1)! / this.#samples)
  }

  get metrics(): Record<string, number> {
    const named = this.#reports.flatMap((report, index) => {
      if (report.gives === 'loss') return [[report.name, this.#mean(index)] as const]
      const sums = this.#of(index)
      return report.metrics.map(({ name, value }) => [name, value(sums, this.#samples)] as const)
    })
    return Object.fromEntries(named)
  }

  get details(): Details {
    const found = this.#reports.flatMap(({ details, outputName }, index) => (details ? [{ outputName, of: details(this.#of(index)) }] : []))
    if (found.length === 0) return {}
    const outputs: Record<string, object> = {}
    for (const { outputName, of } of found) {
      // Where metrics of classes have other thresholds, the first one's are given.
      outputs[outputName] = { ...of, ...outputs[outputName] }
    }
    const several = this.#reports.some(({ gives }) => gives === 'loss')
    return several ? { outputs } : (Object.values(outputs)[0] as Details)
  }

  get results(): Results {
    return { loss: this.loss, ...this.metrics, ...this.details } as Results
  }

  /** The sums of a report. */
  #of(index: number): number[] {
    const start = this.#reports.slice(0, index).reduce((sum, { size }) => sum + size, 1)
    return this.#sums.slice(start, start + this.#reports[index]!.size)
  }

  /** Of an output's loss. */
  #mean(index: number): number {
    const { output } = this.#reports[index]!
    const weight = this.#reports.findIndex((report) => report.gives === 'weight' && report.output === output)
    return quotient(this.#of(index)[0]!, this.#of(weight)[0]!)
  }
}

const quotient = (sum: number, weight: number) => (weight === 0 ? 0 : sum / weight)

/** Of one batch alone. */
export function resultsOf(outputs: RunOutputs, n: number, reports: readonly Report[]): Results {
  const means = new Means(reports)
  means.add(outputs, n)
  return means.results
}
