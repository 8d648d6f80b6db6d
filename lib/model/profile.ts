import { inspect } from 'node:util'
import type { Operand, RunInput, Step } from '../../binding'
import { ConvlaneError } from '../errors'
import { RandomStream } from '../random'
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
  /** Billions of floating-point operations per second; absent for steps that do few. */
  readonly gflops?: number
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
  ) {}

  /** Of one run, all steps together. */
  get seconds(): number {
    return this.steps.reduce((sum, { seconds }) => sum + seconds, 0)
  }

  /** A table: a row for each step, and the total. */
  toString(): string {
    const rows = this.steps.map(({ op, layer, algorithm, seconds, gflops }) => [
      op,
      layer ?? '',
      algorithm,
      (seconds * 1e6).toFixed(1),
      `${((100 * seconds) / this.seconds).toFixed(1)} %`,
      gflops === undefined ? '' : gflops.toFixed(1),
    ])
    const total = `${this.mode}, batch ${this.batchSize}: ${(this.seconds * 1e3).toFixed(3)} ms, ${(this.batchSize / this.seconds).toFixed(0)} samples/s`
    return `${textTable(['op', 'layer', 'algorithm', 'µs', 'share', 'GFLOP/s'], rows, [3, 4, 5])}\n${total}`
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
      const rows = program.profile(false).flatMap(({ op, algorithm, seconds, runs: count }, index): ProfileRow[] => {
        // Steps of the prelude have run before, and need not run on the same weights.
        if (count === 0) return []
        const mean = seconds / count
        const flops = flopsOf(spec.steps[index]!)
        const layer = labels[index]
        const row = { op, algorithm, seconds: mean, ...(layer !== undefined && { layer }) }
        return [{ ...row, ...(flops > 0 && mean > 0 && { gflops: flops / mean / 1e9 }) }]
      })
      return new Profile(mode, given.capacity, rows)
    } finally {
      program.dispose()
    }
  })
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
