import type { Operand, Step } from '../../binding'
import { readTuning, rememberTuning, tuningFile, tuningScope } from '../io/tuning-cache'
import { loadNative } from '../native'
import type { ConvolutionAlgorithm } from '../ops/convolution'
import { type AlgorithmChoices, geometryOf, isOpen } from '../program/algorithms'
import type { Program, Runtime } from '../runtime/runtime'
import { align } from '../shape'

/** Options of `autotune`. */
export interface AutotuneOptions {
  /** File that remembers what was found, or `false` for none. Default: `convlane/algorithms.json` in `$XDG_CACHE_HOME`, else in `~/.cache`. */
  readonly cache?: string | false
}

/** Milliseconds that one model's convolutions are timed for, at most, all together. */
const BUDGET = 200
/** Runs of each algorithm that are planned for, the first of which is not counted. */
const RUNS = 5
/** Multiply-adds in a millisecond that are reckoned with beforehand. */
const PACE = 50e6
/** Those that are timed only where they are the default: others do as well or better. */
const passedOver = ['im2col', 'winograd2']
/** What another algorithm must take less than the default one's time to be chosen. */
const GAIN = 0.95

/** Chooses the algorithms of one model's convolutions by timing them. */
export class Autotune {
  #choices: AlgorithmChoices = {}
  #left = BUDGET
  #remembered: Promise<AlgorithmChoices> | undefined

  /** What was chosen, and what files have said: by `geometryOf`. */
  get choices(): AlgorithmChoices {
    return this.#choices
  }

  /** Takes up the choices of a file, in place of those that there are. */
  adopt(choices: AlgorithmChoices): void {
    this.#choices = { ...choices }
  }

  /** The choice for a step, where there is one. */
  choiceOf(step: Step): ConvolutionAlgorithm | undefined {
    return this.#choices[geometryOf(step, loadNative().isa())]
  }

  /** Chooses for those of the steps that there is no choice for: for good, so what fails, or has no time left, gets the default. */
  async tune(steps: readonly Step[], runtime: Runtime, { cache }: AutotuneOptions, winograd: boolean): Promise<void> {
    const { isa, version } = loadNative()
    const open = new Map(steps.filter(isOpen).map((step) => [geometryOf(step, isa()), step]))
    for (const key of open.keys()) if (key in this.#choices) open.delete(key)
    if (open.size === 0) return
    const file = cache === false ? undefined : (cache ?? tuningFile())
    const scope = tuningScope(version)
    this.#remembered ??= file === undefined ? Promise.resolve({}) : readTuning(file, scope)
    const remembered = await this.#remembered
    const timed: Record<string, ConvolutionAlgorithm> = {}
    const defaults: Record<string, ConvolutionAlgorithm> = {}
    for (const [key, step] of open) {
      const names = candidatesOf(step, winograd)
      const known = remembered[key]
      if (known && names.includes(known)) this.#choices = { ...this.#choices, [key]: known }
      else defaults[key] = names[0]!
    }
    const start = performance.now()
    const end = start + this.#left
    // The cheapest first: what they leave of their share is for the others.
    const keys = Object.keys(defaults).sort((a, b) => workOf(open.get(a)!) - workOf(open.get(b)!))
    for (const [index, key] of keys.entries()) {
      const share = (end - performance.now()) / (keys.length - index)
      const fastest = await fastestOf(open.get(key)!, candidatesOf(open.get(key)!, winograd), runtime, share).catch(() => undefined)
      if (fastest) timed[key] = fastest
    }
    this.#left = Math.max(0, this.#left - (performance.now() - start))
    this.#choices = { ...this.#choices, ...defaults, ...timed }
    if (file !== undefined && Object.keys(timed).length > 0) await rememberTuning(file, scope, timed)
  }
}

const operandsOf = (step: Step): [string, Operand][] =>
  Object.entries(step).filter((entry): entry is [string, Operand] => typeof entry[1] === 'object' && 'space' in entry[1])

/** What can run the step, the default first. */
function candidatesOf(step: Step, winograd: boolean): ConvolutionAlgorithm[] {
  const buffers = operandsOf(step).map(
    ([name, operand], offset) => [name, { ...operand, space: 'buffer', offset, batched: false }] as const,
  )
  const names = loadNative().algorithms({ ...step, ...Object.fromEntries(buffers), algorithm: 'auto' }) as ConvolutionAlgorithm[]
  const may = winograd && process.env.CONVLANE_WINOGRAD !== '0'
  const left = may ? names : names.filter((name) => !name.startsWith('winograd'))
  return left.filter((name, index) => index === 0 || !passedOver.includes(name))
}

/** Multiply-adds of one sample: the filters once at each pixel of the convolution's result. */
function workOf(step: Step): number {
  const { y, x, dy, w, dw } = step as unknown as Record<string, Operand | undefined>
  const result = /^convTranspose/.test(step.op) ? x! : (dy ?? y!)
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1)
  return product(result.shape.slice(1, -1)) * product((w ?? dw)!.shape)
}

/** Runs the algorithms in turns for about so many milliseconds. Nothing where that is too short for one round that counts. */
async function fastestOf(
  step: Step,
  names: readonly ConvolutionAlgorithm[],
  runtime: Runtime,
  milliseconds: number,
): Promise<ConvolutionAlgorithm | undefined> {
  const end = performance.now() + milliseconds
  if (names.length === 1) return names[0]
  const capacity = operandsOf(step).find(([, { batched }]) => batched)?.[1].shape[0] ?? 1
  const rounds = (milliseconds * PACE) / (workOf(step) * names.length)
  if (!(rounds >= 2)) return undefined
  const program = programOf(step, names, Math.min(capacity, Math.max(1, Math.floor(rounds / RUNS))), runtime)
  try {
    const least = names.map(() => Number.POSITIVE_INFINITY)
    const n = program.capacity
    for (let run = 0; run === 0 || performance.now() < end; run++) {
      await program.run({ n, inputs: [] })
      program.profile!(true).forEach(({ seconds }, index) => {
        if (run > 0) least[index] = Math.min(least[index]!, seconds)
      })
      if (run >= RUNS) break
    }
    const best = least.indexOf(Math.min(...least))
    if (least[best] === Number.POSITIVE_INFINITY) return undefined
    return names[least[best]! < GAIN * least[0]! ? best : 0]
  } finally {
    program.dispose()
  }
}

/** A program that computes the step by each algorithm in turn, on whatever lies in memory. */
function programOf(
  step: Step,
  names: readonly ConvolutionAlgorithm[],
  n: number,
  runtime: Runtime,
): Program & { readonly capacity: number } {
  let arenaElements = 0
  const placed = operandsOf(step).map(([name, { shape, dtype, batched }]) => {
    const sizes = batched ? [n, ...shape.slice(1)] : shape
    const offset = arenaElements
    arenaElements += align(sizes.reduce((product, size) => product * size, 1))
    return [name, { space: 'arena', offset, dtype, shape: sizes, batched }] as const
  })
  const steps = names.map((algorithm): Step => ({ ...step, ...Object.fromEntries(placed), algorithm }))
  const program = runtime.createProgram({ capacity: n, arenaElements, inputs: [], outputs: [], steps, lane: 'train' })
  program.profile!(true)
  return Object.assign(program, { capacity: n })
}
