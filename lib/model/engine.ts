import type { RunOptions } from '../../binding'
import { ConvlaneError } from '../errors'
import { initialValues } from '../layers/initializers'
import type { Parameter } from '../layers/layer'
import { type AlgorithmChoices, withAlgorithms } from '../program/algorithms'
import type { CompiledProgram } from '../program/compile'
import { type StateEntry, type StateLayout, slotLayout, stateLayout } from '../program/state-layout'
import type { Runtime, State } from '../runtime/runtime'
import { runtimeName, selectRuntime } from '../runtime/select'
import type { Tensor } from '../tensor'
import { Autotune, type AutotuneOptions } from './autotune'
import { Runner, type RunOutputs } from './runner'

/** A program that a model may need: how to compile it, and what tells it from the others. */
export interface Plan {
  readonly key: string
  compile(layout: StateLayout): CompiledProgram
}

/** How the convolutions of a model are computed where no layer says. */
export interface AlgorithmRules {
  readonly winograd: boolean
  /** Absent: by sizes and instruction set. */
  readonly autotune: AutotuneOptions | undefined
}

/** The state of an engine, as another thread takes it: its id, and what layout and programs follow from. */
export interface SharedState {
  readonly id: string
  readonly slots: readonly string[]
  readonly winograd: boolean
}

/** Engines whose state others may ask for at any time: dropping their model does not free it, `dispose` and the end of the thread do. */
const sharing = new Set<Engine>()

interface Opened {
  readonly layout: StateLayout
  readonly state: State
  /** Most recently used last. */
  readonly runners: Map<string, Runner>
  readonly version: number
}

/** Programs kept for one model; the longest unused goes first. */
const PROGRAMS = 8

/** The state of one model and the programs that use it, on one runtime. The state is made when something first needs it. */
export class Engine {
  readonly runtime: 'native' | 'reference'
  readonly #parameters: readonly Parameter[]
  readonly #seed: number
  readonly #given: Readonly<Record<string, Tensor>> | undefined
  /** First values that functions of the user's gave. */
  readonly #drawn = new Map<string, Float32Array>()
  /** Whether the state is another engine's, mostly of another thread. */
  readonly #isAdopted: boolean
  #slots: readonly string[] = []
  #winograd = true
  /** `'as before'`: nobody has said, but a file may have choices. */
  #autotune: AutotuneOptions | 'as before' | undefined = 'as before'
  readonly #tuning = new Autotune()
  /** The choices that other threads have. */
  #offered: AlgorithmChoices = {}
  /** Plans whose convolutions have been chosen for, since choices were last taken up. */
  readonly #tuned = new Set<string>()
  /** Counts what changes programs and leaves the state as it is. */
  #generation = 0
  #version = 0
  #opened: Opened | undefined
  #opening: Promise<Opened> | undefined
  /** Calls that wait for the state, and the end of the last one's wait. */
  #waiting = 0
  #turn: Promise<unknown> = Promise.resolve()
  /** The end of the last write that was asked for: a write reads what it leaves, so two at once would undo each other. */
  #written: Promise<unknown> = Promise.resolve()
  #disposed = false

  /** @param first values of the weights, by name, or another engine's state; absent: drawn as the parameters' initializers say */
  constructor(
    parameters: readonly Parameter[],
    seed: number,
    runtime: unknown,
    first: { readonly weights?: Readonly<Record<string, Tensor>> | undefined; readonly shared?: SharedState | undefined } = {},
  ) {
    this.runtime = runtimeName(runtime)
    this.#parameters = parameters
    this.#seed = seed
    this.#given = first.weights
    this.#isAdopted = first.shared !== undefined
    stateLayout(parameters)
    if (first.shared) this.#adopt(first.shared)
    else
      this.#parameters.forEach(({ name, initializer }, index) => {
        // A function of the user's may give what does not fit: that is told where the model is made.
        if (typeof initializer === 'function' && !this.#given?.[name]) this.#drawn.set(name, this.#draw(index))
      })
  }

  get disposed(): boolean {
    return this.#disposed
  }

  checkUsable(): void {
    if (this.#disposed) throw new ConvlaneError('DISPOSED', 'the model has been disposed')
  }

  /** Throws UNSUPPORTED where the state is another engine's. */
  checkWritable(method: string): void {
    this.checkUsable()
    if (!this.#isAdopted) return
    const message = `${method}: this model only predicts, by the weights of the model that shares them: ${method} that one`
    throw new ConvlaneError('UNSUPPORTED', message)
  }

  /** Throws UNSUPPORTED where the state has to stay the same one. */
  checkReplaceable(method: string): void {
    this.checkWritable(method)
    if (!this.isShared) return
    const message = `${method}: other threads share the weights, and would keep the old ones: ${method} before share()`
    throw new ConvlaneError('UNSUPPORTED', message)
  }

  /** Gives the state new optimizer slots, zero but for averages, with the weights kept, and programs another choice. Takes effect at the next use. */
  reset(slots: readonly string[], { winograd, autotune }: AlgorithmRules): void {
    this.#slots = slots
    this.#winograd = winograd
    this.#autotune = this.runtime === 'native' ? autotune : undefined
    this.#tuned.clear()
    this.#version++
  }

  /** Whether the state has been offered to other threads: from then on it stays the same one. */
  get isShared(): boolean {
    return sharing.has(this)
  }

  /** Whether the state holds moving averages of the weights. */
  get hasAverages(): boolean {
    return this.#slots.includes('average')
  }

  /** Offers the state to other threads, when choices for the plan have been made that these are to have too. */
  async share(plan: Plan): Promise<SharedState> {
    this.checkUsable()
    if (this.runtime !== 'native')
      throw new ConvlaneError('UNSUPPORTED', `share: the ${this.runtime} runtime shares nothing between threads`)
    sharing.add(this)
    return this.#enter(async ({ state }) => {
      this.#offered = this.choices
      return { id: state.share!(), slots: this.#slots, winograd: this.#winograd }
    }, plan)
  }

  #adopt({ id, slots, winograd }: SharedState): void {
    this.#slots = slots
    this.#winograd = winograd
    const { layout } = this
    const state = selectRuntime(this.runtime).adoptState?.(id)
    if (!state) throw new ConvlaneError('UNSUPPORTED', `the ${this.runtime} runtime shares nothing between threads`)
    if (state.elements !== layout.elements) {
      state.dispose()
      const message = `the shared weights are ${state.elements} numbers, the model has ${layout.elements}`
      throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: layout.elements, received: state.elements })
    }
    this.#opened = { layout, state, runners: new Map(), version: this.#version }
  }

  /** Whether `run` of this plan would start before it returns. */
  free(plan: Plan): boolean {
    const opened = this.#current()
    return opened !== undefined && this.#waiting === 0 && this.#isTuned(plan) && this.#runner(opened, plan).free
  }

  /** Runs a program, compiled when it is not at hand. */
  run(plan: Plan, options: RunOptions): Promise<RunOutputs> {
    return this.#enter((opened) => this.#runner(opened, plan).run(options), plan)
  }

  /** The weights as copies, after the last whole step; the trained ones, where asked for, as the slot `average` has them. */
  read(averages = false): Promise<Record<string, Tensor>> {
    return this.#enter(async ({ layout, state }) => {
      const values =
        layout.parameterElements > 0 ? await state.read(0, averages ? layout.elements : layout.parameterElements) : new Float32Array()
      const tensorOf = ({ name, shape, offset, elements }: StateEntry) => [name, { shape, data: values.slice(offset, offset + elements) }]
      return Object.fromEntries((averages ? slotLayout(layout, 'average') : layout).parameters.map(tensorOf))
    })
  }

  /** Replaces weights, all at once, and their averages. The names and sizes are the caller's to check. */
  async write(weights: ReadonlyMap<string, Float32Array>): Promise<void> {
    const copies = new Map([...weights].map(([name, data]) => [name, data.slice()]))
    const written = this.#written.then(() => this.#replace(copies))
    this.#written = written.catch(() => {})
    await written
  }

  async #replace(copies: ReadonlyMap<string, Float32Array>): Promise<void> {
    await this.#enter(async ({ layout, state }) => {
      if (copies.size === 0) return
      const { parameters, parameterElements, trainedElements, slots } = layout
      const replace = async (start: number, length: number) => {
        const values = await state.read(start, length)
        for (const { name, offset } of parameters) {
          const data = copies.get(name)
          if (data && offset < length) values.set(data, offset)
        }
        await state.write(start, values)
      }
      await replace(0, parameterElements)
      if (slots.average !== undefined && trainedElements > 0) await replace(slots.average, trainedElements)
    })
  }

  /** Weights, and what else the state holds, bit for bit: on a runtime in double precision all of it. */
  dump(): Promise<{ weights: Record<string, Tensor>; bits: Float32Array }> {
    return this.#enter(async ({ layout, state }) => {
      const whole = await state.readBits?.()
      const values = whole ? Float32Array.from(new Float64Array(whole.buffer)) : await state.read(0, layout.elements)
      const tensorOf = ({ name, shape, offset, elements }: StateEntry) => [name, { shape, data: values.slice(offset, offset + elements) }]
      return { weights: Object.fromEntries(layout.parameters.map(tensorOf)), bits: whole ?? values.subarray(layout.parameterElements) }
    })
  }

  /** Whether `restore` can take bits of this length. */
  fits(bits: Float32Array): boolean {
    const { elements, parameterElements } = this.layout
    return bits.length === (this.runtime === 'reference' ? 2 * elements : elements - parameterElements)
  }

  /** Takes up what `dump` gave. The sizes are the caller's to check. */
  async restore(weights: ReadonlyMap<string, Float32Array>, bits: Float32Array): Promise<void> {
    await this.#enter(async ({ layout, state }) => {
      if (state.writeBits) return state.writeBits(bits)
      const values = new Float32Array(layout.elements)
      for (const { name, offset } of layout.parameters) values.set(weights.get(name)!, offset)
      values.set(bits, layout.parameterElements)
      await state.write(0, values)
    })
  }

  /** Runs `work` on a state of its own that holds the present weights, and drops it. */
  onCopy<T>(work: (state: State, layout: StateLayout, runtime: Runtime) => Promise<T>): Promise<T> {
    return this.#enter(async ({ layout, state }) => {
      const runtime = selectRuntime(this.runtime)
      const copy = runtime.createState(layout.elements)
      try {
        await copy.write(0, await state.read(0, layout.elements))
        return await work(copy, layout, runtime)
      } finally {
        copy.dispose()
      }
    })
  }

  /** The plan as this engine's programs have it. */
  compile(plan: Plan, layout: StateLayout): CompiledProgram {
    const otherwise = this.#winograd ? 'auto' : 'noWinograd'
    return withAlgorithms(plan.compile(layout), (step) => (this.#takesChoices && this.#tuning.choiceOf(step)) || otherwise)
  }

  /** Algorithms of convolutions that were chosen by time. */
  get choices(): AlgorithmChoices {
    return this.#takesChoices ? this.#tuning.choices : {}
  }

  get #takesChoices(): boolean {
    return this.runtime === 'native' && this.#autotune !== undefined
  }

  /** Throws UNSUPPORTED where other threads compute otherwise than these choices say: their bits would not be this engine's any more. `what` begins the message. */
  checkAdoptable(choices: AlgorithmChoices, what: string): void {
    const other = Object.keys(this.#offered).find((key) => choices[key] !== this.#offered[key])
    if (other === undefined) return
    const message = `${what}: the threads that share the model compute convolutions otherwise (autotune): resume before share()`
    throw new ConvlaneError('UNSUPPORTED', message, { expected: this.#offered[other], received: choices[other] })
  }

  /** Takes up choices in place of those that there are, for programs that start from now on. */
  adopt(choices: AlgorithmChoices): void {
    this.#tuning.adopt(choices)
    this.#tuned.clear()
    this.#generation++
  }

  #isTuned(plan: Plan): boolean {
    return typeof this.#autotune !== 'object' || this.#tuned.has(plan.key)
  }

  /** Where weights and slots lie, whether the state is open or not. */
  get layout(): StateLayout {
    return stateLayout(this.#parameters, this.#slots)
  }

  memory(): { arenaBytes: number; stateBytes: number; stagingBytes: number } {
    const opened = this.#opened
    const largest = { train: 0, infer: 0, prepared: 0 }
    let stagingBytes = 0
    const preludes = new Map<string, number>()
    for (const { program, compiled } of opened?.runners.values() ?? []) {
      const { prelude, steps } = compiled.spec
      if (prelude) preludes.set(JSON.stringify(steps.slice(0, prelude.steps)), prelude.elements * 4)
      largest[compiled.spec.lane] = Math.max(largest[compiled.spec.lane], program.arenaBytes)
      stagingBytes += program.stagingBytes
      largest.prepared = Math.max(largest.prepared, program.preparedBytes)
    }
    const kept = [...preludes.values()].reduce((sum, bytes) => sum + bytes, 0)
    const stateBytes = opened ? opened.layout.elements * 4 : 0
    return { arenaBytes: largest.train + largest.infer + largest.prepared + kept, stateBytes, stagingBytes }
  }

  dispose(): void {
    this.#disposed = true
    sharing.delete(this)
    this.#close()
  }

  /** Does work that needs the state, and perhaps a plan that is tuned: at once when these are ready, else as soon as they are, in the order of the calls. */
  async #enter<T>(work: (opened: Opened) => Promise<T>, plan?: Plan): Promise<T> {
    this.checkUsable()
    const opened = this.#waiting === 0 && (!plan || this.#isTuned(plan)) ? this.#current() : undefined
    if (opened) return work(opened)
    const turn = this.#turn.then(async () => {
      const ready = this.#current() ?? (await this.#open())
      if (plan) await this.#tune(plan, ready.layout)
      return ready
    })
    this.#turn = turn.catch(() => {})
    this.#waiting++
    try {
      return work(await turn)
    } finally {
      this.#waiting--
    }
  }

  async #tune(plan: Plan, layout: StateLayout): Promise<void> {
    if (this.#isTuned(plan)) return
    const options = this.#autotune as AutotuneOptions
    await this.#tuning.tune(plan.compile(layout).spec.steps, selectRuntime(this.runtime), options, this.#winograd)
    this.#tuned.add(plan.key)
  }

  #current(): Opened | undefined {
    return this.#opened?.version === this.#version ? this.#opened : undefined
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#start().finally(() => {
      this.#opening = undefined
    })
    return this.#opening.then((opened) => (opened.version === this.#version ? opened : this.#open()))
  }

  async #start(): Promise<Opened> {
    const version = this.#version
    const { layout } = this
    const before = this.#opened
    await Promise.all([...(before?.runners.values() ?? [])].map((runner) => runner.drain()))
    const state = selectRuntime(this.runtime).createState(layout.elements)
    try {
      if (layout.parameterElements > 0) {
        const values = before ? await before.state.read(0, layout.parameterElements) : this.#initial(layout)
        await state.write(0, values)
        if (layout.slots.average !== undefined && layout.trainedElements > 0)
          await state.write(layout.slots.average, values.subarray(0, layout.trainedElements))
      }
      this.checkUsable()
    } catch (error) {
      state.dispose()
      throw error
    }
    this.#close()
    this.#opened = { layout, state, runners: new Map(), version }
    return this.#opened
  }

  #initial(layout: StateLayout): Float32Array {
    const values = new Float32Array(layout.parameterElements)
    this.#parameters.forEach(({ name }, index) => {
      const first = this.#given?.[name]?.data ?? this.#drawn.get(name) ?? this.#draw(index)
      values.set(first, layout.parameters[index]!.offset)
    })
    this.#drawn.clear()
    return values
  }

  #draw(index: number): Float32Array {
    const { name, shape, initializer } = this.#parameters[index]!
    return initialValues(initializer, shape, this.#seed, index, `"${name}"`)
  }

  #runner({ layout, state, runners }: Opened, plan: Plan): Runner {
    const id = `${this.#generation} ${plan.key}`
    let runner = runners.get(id)
    if (runner) runners.delete(id)
    else {
      const compiled = this.compile(plan, layout)
      runner = new Runner(selectRuntime(this.runtime).createProgram(compiled.spec, state), compiled)
      for (const [key, old] of runners) {
        if (runners.size < PROGRAMS) break
        if (!old.idle) continue
        old.program.dispose()
        runners.delete(key)
      }
    }
    runners.set(id, runner)
    return runner
  }

  #close(): void {
    for (const { program } of this.#opened?.runners.values() ?? []) program.dispose()
    this.#opened?.state.dispose()
    this.#opened = undefined
  }
}
