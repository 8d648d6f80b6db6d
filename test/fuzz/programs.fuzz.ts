import type { Binding, Program } from '../../binding'
import { loadNative } from '../../lib/native'
import type { Random } from '../support/random'
import { argumentsOf, decode, type Encoded } from './encoded'
import { fuzz, type Tally } from './fuzz'
import { mutated } from './mutate'
import { type Sample, sampleSpecs } from './specs'
import { wordsOf } from './words'

const binding: Binding = loadNative()
let samples: Sample[] = []
let words: readonly string[] = []
const arrayOf = { float32: 'Float32Array', int32: 'Int32Array', uint8: 'Uint8Array' } as const

/** The arguments of `run` for a program. */
function runOf({ spec }: Sample, random: Random): Encoded {
  const n = random.whole(1, spec.capacity)
  const rows = random.next() < 0.3
  const inputs = spec.inputs
    .filter(({ prepared }) => !prepared)
    .map(({ dtype, shape, batched }) => {
      const length = shape.reduce((all, size) => all * size, 1)
      const data = { $: 'typed', type: arrayOf[dtype], length, offset: 0 }
      return rows && batched ? { data, rows: { $: 'typed', type: 'Int32Array', length: n, offset: 0 } } : { data }
    })
  return [{ n, inputs, scalars: { learningRate: 0.01, step: random.whole(1, 5), seed: 3, ...Object.fromEntries(sharesOf(spec.steps)) } }]
}

const sharesOf = (steps: Sample['spec']['steps']) =>
  steps.flatMap(({ share }) => (typeof share === 'string' ? [[share, 0.5] as const] : []))

interface Input {
  readonly seed: number
  readonly threads: number
  readonly elements: Encoded
  readonly spec: Encoded
  readonly calls: readonly Call[]
}

interface Call {
  readonly on: string
  readonly name: string
  readonly with: Encoded
  readonly wait: boolean
}

/** A life of a state and a program: what is called on them, in which order, awaited or not. */
function lifeOf(sample: Sample, random: Random): Call[] {
  const length = Math.max(1, Math.min(20, sample.stateElements))
  const calls = Array.from({ length: random.whole(2, 6) }, (): Call => {
    const wait = random.next() < 0.6
    return random.of<() => Call>([
      () => ({ on: 'program', name: 'run', with: runOf(sample, random), wait }),
      () => ({ on: 'program', name: 'run', with: runOf(sample, random), wait }),
      () => ({ on: 'program', name: 'profile', with: [random.next() < 0.5], wait }),
      () => ({ on: 'state', name: 'read', with: [random.whole(0, 3), length - 3 > 0 ? length - 3 : 1], wait }),
      () => ({ on: 'state', name: 'write', with: [0, { $: 'typed', type: 'Float32Array', length, offset: 1 }], wait }),
    ])()
  })
  const ends = random.next() < 0.5 ? ['program', 'state'] : ['state', 'program']
  return [...calls, ...ends.map((on) => ({ on, name: 'dispose', with: [], wait: false }))]
}

const MOST_ELEMENTS = 1 << 22
/** What would take more memory than a test may isn't tried: sizes beyond what any machine has are. */
const isAffordable = (elements: unknown) => typeof elements !== 'number' || elements <= MOST_ELEMENTS || elements > 2 ** 44

async function live(targets: Record<string, object | undefined>, calls: readonly Call[], seed: number, tally: Tally): Promise<void> {
  const pending: Promise<void>[] = []
  for (const { on, name, with: list, wait } of calls) {
    const target = targets[on] as Record<string, (...args: unknown[]) => unknown> | undefined
    if (!target) continue
    const { value, intact } = decode(list, seed)
    const label = `${on}.${name}`
    const settled = tally.settle(
      label,
      tally.call(label, () => target[name]!(...argumentsOf(value))),
    )
    if (wait) await settled
    else pending.push(settled)
    if (!intact()) throw new Error(`${label}: wrote beyond an array`)
  }
  await Promise.all(pending)
}

let calm: Program | undefined
let expected: unknown

fuzz({
  name: 'programs',
  functions: [
    'createState',
    'createProgram',
    'program.run',
    'program.profile',
    'program.dispose',
    'state.read',
    'state.write',
    'state.dispose',
  ],
  least: 1000,
  async prepare() {
    samples = await sampleSpecs()
    words = wordsOf(samples.flatMap(({ spec }) => [spec, ...spec.steps]))
  },
  generate(random) {
    const sample = random.of(samples)
    const spec = sample.spec as unknown as Encoded
    const life = lifeOf(sample, random)
    const isSpec = random.next() < 0.4
    return {
      seed: random.whole(1, 1 << 30),
      threads: random.whole(1, 3),
      elements: mutated(random.next() < 0.9 ? sample.stateElements : 16, random, words),
      spec: isSpec ? mutated(spec, random, words) : spec,
      calls: life.map((call) => ({ ...call, with: isSpec ? call.with : mutated(call.with, random, words) })),
    }
  },
  async run(input, tally) {
    const { seed, threads, elements, spec, calls } = input as unknown as Input
    const [size, what] = argumentsOf(decode([elements, spec], seed).value) as [number, Sample['spec']]
    if (!isAffordable(size) || !isAffordable((spec as { arenaElements?: unknown } | null)?.arenaElements)) return
    binding.setThreads(threads)
    const state = tally.call('createState', () => binding.createState(size))
    const program = tally.call('createProgram', () => binding.createProgram(what, state))
    await live({ state, program }, calls, seed, tally)
    program?.dispose()
    state?.dispose()
  },
  /** A program that has lived beside all this computes what it did at first. */
  async check() {
    const { spec } = samples[1]!
    const inputs = spec.inputs.map(({ shape }) => ({ data: new Float32Array(shape[0]! * shape[1]!).map((_, i) => Math.cos(i)) }))
    calm ??= binding.createProgram(spec, binding.createState(samples[1]!.stateElements))
    const outputs = await calm.run({ n: spec.capacity, inputs, scalars: { learningRate: 0 } })
    expected ??= outputs
    if (JSON.stringify(outputs) !== JSON.stringify(expected)) throw new Error('another result than before')
  },
  finish() {
    calm?.dispose()
    calm = undefined
  },
})
