import type { Binding } from '../binding'
import type { Driver } from './peers/driver'
import { takeTurn } from './peers/protocol'
import type { Buffer, PreparedProblem, Problem } from './problem'
import type { Row } from './row'

const ROUNDS = 5
/** The transforms of the largest tiles multiply by numbers of up to 21/4 and back. */
const WINOGRAD_SLACK = 64
const PROBE_SECONDS = 0.005
/** Threads of other libraries go on spinning for as long as this when their work is done. */
const SETTLE_MS = 40
export const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS))

/** One way to compute a problem: an algorithm of convlane's, or a library's. */
export interface Contender {
  readonly peer: string
  /** Of a library other than convlane. */
  readonly version?: string
  readonly fmt: string
  readonly algo: string
  readonly chosen: boolean
  /** Runs for about so many milliseconds; what each run took. */
  turn(milliseconds: number): Promise<number[]>
  /** Of each round, what its runs took. */
  readonly rounds: number[][]
}

export interface Options {
  /** For each contender, in all rounds together. */
  readonly seconds: number
  /** Of convlane's algorithms only the one that it takes by itself. */
  readonly chosenOnly: boolean
  /** Of the peers that are asked. */
  readonly drivers: readonly Driver[]
}

/**
 * One row for each algorithm and each way that a peer has. Results are checked first; then all take turns, five rounds of them, so that a slow phase of the
 * machine meets everybody. Before each of convlane's turns a probe measures what the processor can do at that moment.
 */
export async function measure(binding: Binding, problem: Problem, { seconds, chosenOnly, drivers }: Options): Promise<Row[]> {
  const threads = binding.threads()
  const prepared = problem.prepare()
  const rod = new Rod(binding, problem)
  const algorithms = algorithmsOf(binding, prepared)
  const own = algorithms.slice(0, chosenOnly ? 1 : undefined).map(({ name, calls }, i): Contender => {
    const run = () => {
      let seconds = 0
      for (const { step, buffers, scalars } of calls) seconds += binding.execute(step, buffers, scalars)
      return 1000 * seconds
    }
    clear(prepared.outputs)
    run()
    prepared.check(slackOf(name))
    const turn = (milliseconds: number) => {
      rod.measure()
      return takeTurn(run, milliseconds)
    }
    return { peer: 'convlane', fmt: problem.fmt, algo: name, chosen: i === 0, turn, rounds: [] }
  })
  const others: Contender[] = []
  for (const driver of drivers) others.push(...(await contendersOf(driver, problem, prepared, threads)))
  const contenders = [...own, ...others]
  await takeTurns(contenders, seconds)
  return contenders.map(({ peer, version, fmt, algo, chosen, rounds }) => {
    const { kind, item, pass } = problem
    const times = summarize(rounds)
    const kernels = version === undefined ? { isa: binding.isa() } : { version }
    return { kind, peer, threads, item, fmt, pass, algo, ...times, chosen, ...kernels, ...rod.rates(times.min_ms) }
  })
}

/** What the processor could do with a problem, the best of several probes. */
class Rod {
  private readonly threads: number
  private peak = 0
  private triad = 0
  private pastCaches = 0

  constructor(
    private readonly binding: Binding,
    private readonly problem: Problem,
  ) {
    this.threads = binding.threads()
    this.stream()
  }

  private stream(): void {
    const bytes = Math.max(64 * this.threads, Math.ceil(this.problem.bytes / 3)) // of each of three arrays
    this.triad = Math.max(this.triad, this.binding.probeTriad(bytes, this.threads))
    this.pastCaches = Math.max(this.pastCaches, this.binding.probeTriad(bytes, this.threads, true))
  }

  /** Before each turn: arithmetic or, where there is none, bandwidth. */
  measure(): void {
    this.peak = Math.max(this.peak, this.binding.probeFma(PROBE_SECONDS, this.threads))
    if (this.problem.flops === 0) this.stream()
  }

  rates(ms: number): Partial<Row> {
    const { flops, bytes } = this.problem
    const [gflops, gbytes_per_s] = [flops / ms / 1e6, bytes / ms / 1e6]
    const limit = Math.max(flops / this.peak, bytes / Math.max(this.triad, this.pastCaches))
    return {
      ...(flops > 0 ? { gflops, fma_peak_gflops: this.peak / 1e9 } : { gbytes_per_s }),
      triad_gbytes_per_s: this.triad / 1e9,
      triad_past_caches_gbytes_per_s: this.pastCaches / 1e9,
      of_limit: (1000 * limit) / ms,
    }
  }
}

export async function takeTurns(contenders: readonly Contender[], seconds: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const { turn, rounds } of contenders) rounds.push(await turn((1000 * seconds) / ROUNDS))
  }
}

/** What a peer's driver has for the problem, checked. */
async function contendersOf(driver: Driver, problem: Problem, prepared: PreparedProblem, threads: number): Promise<Contender[]> {
  const { contenders } = await driver.ask(`open ${problem.order}`)
  const result: Contender[] = []
  for (const [i, { fmt, algo }] of contenders!.entries()) {
    clear(prepared.outputs)
    for (const [output, positions] of prepared.samples.entries()) {
      const { values } = await driver.ask(`sample ${i} ${output} ${positions.join(' ')}`)
      positions.forEach((at, k) => {
        prepared.outputs[output]![at] = values![k] ?? Number.NaN
      })
    }
    try {
      prepared.check(slackOf(algo))
    } catch (error) {
      throw new Error(`${driver.peer}, ${fmt}, ${algo}: ${(error as Error).message}`)
    }
    const turn = async (milliseconds: number) => {
      const { times } = await driver.ask(`run ${i} ${milliseconds}`)
      if (threads > 1) await settle()
      return times!
    }
    result.push({ peer: driver.peer, version: driver.version, fmt, algo, chosen: false, turn, rounds: [] })
  }
  return result
}

const slackOf = (algorithm: string) => (algorithm.includes('wino') ? WINOGRAD_SLACK : 1)

/** The calls once per algorithm, the default first. A step that takes no algorithm is the same in all of them. */
function algorithmsOf(binding: Binding, { calls }: PreparedProblem): { name: string; calls: PreparedProblem['calls'] }[] {
  const main = calls.find(({ step }) => 'algorithm' in step)
  if (main === undefined) return [{ name: binding.algorithms(calls[0]!.step)[0] || 'default', calls }]
  const using = (name: string) => calls.map((call) => (call === main ? { ...call, step: { ...call.step, algorithm: name } } : call))
  return binding.algorithms(main.step).map((name) => ({ name, calls: using(name) }))
}

function clear(outputs: readonly Buffer[]): void {
  for (const output of outputs) output.fill(output instanceof Float32Array ? Number.NaN : -1)
}

/** `round_ms`, the median of each round's least, is what comparisons go by: no single lucky run decides them. */
export function summarize(rounds: readonly (readonly number[])[]): Pick<Row, 'min_ms' | 'median_ms' | 'round_ms' | 'reps'> {
  const all = rounds.flat()
  const least = rounds.map((times) => times.reduce((low, time) => Math.min(low, time), Number.POSITIVE_INFINITY)) // there may be too many for arguments
  return { min_ms: Math.min(...least), median_ms: median(all), round_ms: median(least), reps: all.length }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
