import { inspect } from 'node:util'
import type { Operand, RunInput, Step } from '../../binding'
import { ConvlaneError } from '../errors'
import { threads } from '../machine'
import { RandomStream } from '../random'
import { fromNative } from '../runtime/native'
import { textTable } from '../text-table'
import type { Form } from '../train/data'
import type { Engine, Plan } from './engine'
import type { Case } from './plans'

/** One step of a program. */
export interface ProfileRow {
  /** As docs/steps.md names it. */
  readonly op: string
  /** The layer that it comes from. */
  readonly layer?: string
  /** Form of the computation that was chosen. */
  readonly algorithm: string
  /** Mean time of one run. */
  readonly seconds: number
  /** Billions of floating-point operations per second, those of the direct way; absent for steps that do few. */
  readonly gflops?: number
  /** Billions of bytes per second, each operand counted once, and twice where it is changed in place. */
  readonly gbytesPerSecond: number
  /**
   * Share of the machine's limit: the time that arithmetic at its peak, or the memory's bandwidth for as many bytes, needs at least (the longer of the two), by the
   * time that was taken. Above 1 where an algorithm needs fewer multiplications than the direct way, or operands lie in a cache.
   */
  readonly ofLimit: number
}

/** What the machine could do, measured beside the steps on the same threads. */
export interface ProfileLimits {
  /** Of the kernels, and of these measurements. */
  readonly threads: number
  /** Of multiplications with addition in registers. */
  readonly gflops: number
  /** Of a stream of two arrays read and one written, as large as the largest step's operands. */
  readonly gbytesPerSecond: number
}

/** Where the time of a program goes. Prints as a table. */
export class Profile {
  constructor(
    /** What was timed: a step of training, or `predict`. */
    readonly mode: 'train' | 'predict',
    /** Samples in each run. */
    readonly batchSize: number,
    /** In the order in which they run. */
    readonly steps: readonly ProfileRow[],
    /** What the machine could do meanwhile. */
    readonly limits: ProfileLimits,
  ) {}

  /** Of one run, all steps together. */
  get seconds(): number {
    return this.steps.reduce((sum, { seconds }) => sum + seconds, 0)
  }

  /** A table: a row for each step, and the total. */
  toString(): string {
    const rows = this.steps.map(({ op, layer, algorithm, seconds, gflops, gbytesPerSecond, ofLimit }) => [
      op,
      layer ?? '',
      algorithm,
      (seconds * 1e6).toFixed(1),
      `${((100 * seconds) / this.seconds).toFixed(1)} %`,
      gflops === undefined ? '' : gflops.toFixed(1),
      gbytesPerSecond.toFixed(1),
      `${(100 * ofLimit).toFixed(0)} %`,
    ])
    const total = `${this.mode}, batch ${this.batchSize}: ${(this.seconds * 1e3).toFixed(3)} ms, ${(this.batchSize / this.seconds).toFixed(0)} samples/s`
    const { threads, gflops, gbytesPerSecond } = this.limits
    const limits = `limits on ${threads} ${threads === 1 ? 'thread' : 'threads'}: ${gflops.toFixed(0)} GFLOP/s, ${gbytesPerSecond.toFixed(0)} GB/s`
    const heads = ['op', 'layer', 'algorithm', 'µs', 'share', 'GFLOP/s', 'GB/s', 'of limit']
    return `${textTable(heads, rows, [3, 4, 5, 6, 7])}\n${total}; ${limits}`
  }

  /** The table, for `console.log`. */
  [inspect.custom](): string {
    return this.toString()
  }
}

/** Runs a program on random samples and a copy of the state, and times its steps. */
export function profileOf(
  engine: Engine,
  plan: Plan,
  given: Case,
  mode: Profile['mode'],
  runs: number,
  scalars: Record<string, number>,
): Promise<Profile> {
  return engine.onCopy(async (state, layout, runtime) => {
    const { spec, labels } = engine.compile(plan, layout)
    const program = runtime.createProgram(spec, state)
    try {
      if (!program.profile)
        throw new ConvlaneError('UNSUPPORTED', 'profile: the reference runtime is not timed', { received: runtime.name })
      const options = { n: given.capacity, inputs: [...given.x, ...given.y].map((form) => sampleInput(form, given.capacity)), scalars }
      await program.run(options)
      program.profile(true)
      for (let run = 0; run < runs; run++) await program.run(options)
      const times = program.profile(false)
      const machine = new Machine()
      const rows = times.flatMap(({ op, algorithm, seconds, runs: count }, index): ProfileRow[] => {
        // Steps of the prelude have run before, and need not run on the same weights.
        if (count === 0) return []
        const mean = Math.max(seconds / count, 1e-9)
        const step = spec.steps[index]!
        const [flops, bytes] = [flopsOf(step), bytesOf(step)]
        const layer = labels[index]
        const row = {
          op,
          ...(layer !== undefined && { layer }),
          algorithm,
          seconds: mean,
          ...(flops > 0 && { gflops: flops / mean / 1e9 }),
        }
        return [{ ...row, gbytesPerSecond: bytes / mean / 1e9, ofLimit: machine.leastSeconds(flops, bytes) / mean }]
      })
      return new Profile(mode, given.capacity, rows, machine.limits())
    } finally {
      program.dispose()
    }
  })
}

/** Measures what the machine can do now: bandwidth once for each size of what is streamed, by powers of 4, since caches are faster. */
class Machine {
  readonly #threads = threads()
  readonly #flops = Math.max(...[1, 2, 3].map(() => fromNative((binding) => binding.probeFma(0.003, this.#threads))))
  readonly #bandwidths = new Map<number, number>()

  /** In bytes per second, where so many bytes are read and written. */
  #bandwidth(bytes: number): number {
    const power = Math.min(Math.max(Math.ceil(Math.log(bytes) / Math.log(4)), 7 + Math.ceil(Math.log(this.#threads) / Math.log(4))), 14)
    let rate = this.#bandwidths.get(power)
    if (rate === undefined) {
      const array = Math.floor(4 ** power / 3)
      rate = Math.max(...[false, true].map((past) => fromNative((binding) => binding.probeTriad(array, this.#threads, past))))
      this.#bandwidths.set(power, rate)
    }
    return rate
  }

  leastSeconds(flops: number, bytes: number): number {
    return Math.max(flops / this.#flops, bytes / this.#bandwidth(bytes))
  }

  limits(): ProfileLimits {
    const largest = Math.max(...this.#bandwidths.keys())
    return { threads: this.#threads, gflops: this.#flops / 1e9, gbytesPerSecond: (this.#bandwidths.get(largest) ?? 0) / 1e9 }
  }
}

/** Random samples of a form; class numbers are all 0. */
function sampleInput({ dtype, shape }: Form, n: number): RunInput {
  const elements = shape.reduce((product, size) => product * size, n)
  if (dtype === 'int32') return { data: new Int32Array(elements) }
  const stream = new RandomStream(0, 'data')
  const pattern = Float32Array.from({ length: Math.min(elements, 4096) }, () => stream.uniform())
  const data = dtype === 'uint8' ? new Uint8Array(elements) : new Float32Array(elements)
  for (let i = 0; i < elements; i++) data[i] = pattern[i % pattern.length]! * (dtype === 'uint8' ? 255 : 1)
  return { data }
}

const sizeOf = (step: Step, operand: string): number => (step[operand] as Operand).shape.reduce((product, size) => product * size, 1)

/** Operands that the step of an optimizer, or of what follows on it, reads and writes. */
const CHANGED = new Set(['param', 'velocity', 'm', 'v', 'square', 'mean', 'sum'])

/** Bytes that a step moves at least, at full batch. */
function bytesOf(step: Step): number {
  let bytes = 0
  for (const [name, value] of Object.entries(step)) {
    if (typeof value !== 'object' || Array.isArray(value)) continue
    const { dtype } = value as Operand
    bytes += sizeOf(step, name) * (dtype === 'uint8' ? 1 : 4) * ('param' in step && CHANGED.has(name) ? 2 : 1)
  }
  return bytes
}

/** Floating-point operations of a step at full batch, where they are most of its work: 2 for a multiplication with addition. */
function flopsOf(step: Step): number {
  const positions = (operand: string) => sizeOf(step, operand) / (step[operand] as Operand).shape.at(-1)!
  if (/^conv[123]d$/.test(step.op)) return 2 * positions('y') * sizeOf(step, 'w')
  if (/^convTranspose[123]d$/.test(step.op)) return 2 * positions('x') * sizeOf(step, 'w')
  if (/^conv[123]dBackwardInput$/.test(step.op)) return 2 * positions('dy') * sizeOf(step, 'w')
  if (/^conv[123]dBackwardWeights$/.test(step.op)) return 2 * positions('dy') * sizeOf(step, 'dw')
  if (step.op === 'dense') return 2 * positions('y') * sizeOf(step, 'w')
  if (step.op === 'matmul') return 2 * sizeOf(step, 'y') * (step.a as Operand).shape[step.transposeA ? 0 : 1]!
  return 0
}
