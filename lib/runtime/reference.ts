import type { ProgramSpec, RunInput, RunOptions } from '../../binding'
import { ConvlaneError } from '../errors'
import { reference } from '../reference/index'
import { checkInteger, elementCount, MAX_ELEMENTS, valueText } from '../shape'
import { allocate, checkArray } from '../tensor'
import { type InterpretedRun, interpret, isOperand, resolve } from './interpret'
import { Lock } from './lock'
import type { Program, Runtime, State } from './runtime'

/** Runs of a program that may be under way at once, as on the native core. */
const MAX_RUNS = 2

/** In double precision; rounded to float32 where it is read. */
class ReferenceState implements State {
  readonly lock = new Lock()
  readonly memory: Float64Array
  /** Another one after each change. */
  version = 1
  isDisposed = false

  constructor(readonly elements: number) {
    this.memory = allocate(Float64Array, checkInteger(elements, 'createState', 'elements', 1, MAX_ELEMENTS), 'createState')
  }

  async read(offset: number, length: number): Promise<Float32Array> {
    this.check(offset, length)
    return this.lock.hold(false, () => Float32Array.from(this.memory.subarray(offset, offset + length)))
  }

  async write(offset: number, values: Float32Array): Promise<void> {
    checkData(values, 'values', 'Float32Array')
    this.check(offset, values.length)
    const copy = values.slice()
    await this.lock.hold(true, () => this.set(copy, offset))
  }

  async readBits(): Promise<Float32Array> {
    this.check(0, this.elements)
    return this.lock.hold(false, () => new Float32Array(this.memory.slice().buffer))
  }

  async writeBits(bits: Float32Array): Promise<void> {
    this.check(0, bits.length / 2)
    const copy = new Float64Array(bits.slice().buffer)
    await this.lock.hold(true, () => this.set(copy, 0))
  }

  dispose(): void {
    this.isDisposed = true
  }

  private set(values: ArrayLike<number>, offset: number): void {
    this.version++
    this.memory.set(values, offset)
  }

  private check(offset: number, length: number): void {
    if (this.isDisposed) throw new ConvlaneError('DISPOSED', 'this state was disposed')
    checkInteger(offset, 'state', 'offset', 0, this.elements)
    checkInteger(length, 'state', 'length', 0, this.elements - offset)
  }
}

/** One run after the other within each lane, as on the native core. */
const lanes = { train: Promise.resolve(), infer: Promise.resolve() }

class ReferenceProgram implements Program {
  readonly arenaBytes: number
  /** Inputs are garbage of JavaScript's when a run ends. */
  readonly stagingBytes = 0
  readonly preparedBytes = 0
  private readonly arena: Float64Array
  private readonly kept: Float64Array
  /** Of the state that the prelude has run on. */
  private prepared = 0
  private runs = 0
  private isDisposed = false

  constructor(
    private readonly spec: ProgramSpec,
    private readonly state: ReferenceState | undefined,
  ) {
    checkSpec(spec, state?.elements ?? 0)
    this.arena = allocate(Float64Array, spec.arenaElements, 'createProgram')
    this.kept = allocate(Float64Array, spec.prelude?.elements ?? 0, 'createProgram')
    this.arenaBytes = this.arena.byteLength
  }

  async run(options: RunOptions): Promise<(Float32Array | Int32Array)[]> {
    if (this.isDisposed) throw new ConvlaneError('DISPOSED', 'this program was disposed')
    if (this.state?.isDisposed) throw new ConvlaneError('DISPOSED', "the program's state was disposed")
    const run = this.stage(options)
    if (this.runs === MAX_RUNS) throw new ConvlaneError('BUSY', 'two runs of this program are under way')
    this.runs++
    const result = lanes[this.spec.lane].then(() => this.execute(run))
    lanes[this.spec.lane] = result.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await result
    } finally {
      this.runs--
    }
  }

  dispose(): void {
    this.isDisposed = true
  }

  /** Checks and copies what the run is given. */
  private stage({ n, inputs, scalars = {} }: RunOptions): InterpretedRun {
    checkInteger(n, 'run', 'n', 1, this.spec.capacity)
    const [given, prepared] = [this.spec.inputs.filter((input) => !input.prepared), this.spec.inputs.filter((input) => input.prepared)]
    if (!Array.isArray(inputs) || inputs.length !== given.length) {
      const message = `run: takes ${given.length} inputs, received ${valueText(inputs?.length)}`
      throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: given.length, received: inputs?.length })
    }
    const staged = inputs.map((input, index) => stageInput(input, given[index]!, n, `inputs[${index}]`))
    const written = prepared.map(({ shape, batched }) =>
      allocate(Float64Array, elementCount(batched ? [n, ...shape.slice(1)] : shape, 'run'), 'run'),
    )
    const memory = { arena: this.arena, kept: this.kept, state: this.state?.memory ?? new Float64Array() }
    return { ...memory, inputs: [...staged, ...written], n, scalars: { ...scalars } }
  }

  private async execute(run: InterpretedRun): Promise<(Float32Array | Int32Array)[]> {
    const { updateFrom, outputs, preparation = [], prelude } = this.spec
    for (const _ of interpret(preparation, run)) await new Promise<void>((resume) => setImmediate(resume))
    const lock = this.state?.lock
    let writes = updateFrom === 0
    await lock?.acquire(writes)
    try {
      const version = this.state?.version ?? 1
      const from = prelude && this.prepared === version ? prelude.steps : 0
      if (from === 0) this.prepared = 0
      if (writes && this.state) this.state.version++
      for (const index of interpret(this.spec.steps, run, from)) {
        await new Promise<void>((resume) => setImmediate(resume))
        if (index === prelude?.steps) this.prepared = version
        if (index === updateFrom && !mayUpdate(this.spec, run)) break
        if (index !== updateFrom || writes) continue
        lock?.release(false)
        await lock?.acquire(true)
        writes = true
        if (this.state) this.state.version++
      }
      return outputs.map((operand) => {
        const { data } = resolve(operand, run)
        return operand.dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data)
      })
    } finally {
      lock?.release(writes)
    }
  }
}

function mayUpdate({ guards = [], outputs }: ProgramSpec, run: InterpretedRun): boolean {
  return guards.every((guard) => Array.from(resolve(outputs[guard]!, run).data).every(Number.isFinite))
}

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const

function stageInput(input: RunInput, type: ProgramSpec['inputs'][number], n: number, what: string): InterpretedRun['inputs'][number] {
  const make = arrays[type.dtype]
  const data = input?.data
  checkData(data, what, make.name)
  const count = elementCount(type.shape, 'run')
  const refuse = (message: string) => new ConvlaneError('INVALID_TENSOR', `run: ${what}${message}`)
  if (!type.batched) {
    if (input.rows) throw new ConvlaneError('INVALID_ARGUMENT', `run: ${what}.rows: this input has no batch`)
    if (data.length !== count) throw refuse(`.data has ${data.length} elements, expected ${count}`)
    return new make(data)
  }
  const row = count / type.shape[0]!
  if (data.length % row !== 0) throw refuse(`.data has ${data.length} elements, not a multiple of the ${row} of a row`)
  const available = data.length / row
  if (!input.rows) {
    if (available < n) throw refuse(`.data has ${available} rows, fewer than n = ${n}`)
    return new make(data.subarray(0, n * row))
  }
  checkArray({ shape: [n], data: input.rows }, 'run', `${what}.rows`, ['Int32Array'])
  const staged = new make(n * row)
  input.rows.forEach((from, to) => {
    if (from < 0 || from >= available) throw refuse(`.rows[${to}] is ${from}, and there are ${available} rows`)
    staged.set(data.subarray(from * row, (from + 1) * row), to * row)
  })
  return staged
}

/** Throws unless it is a typed array of that class in ordinary memory, however long. */
function checkData(data: unknown, what: string, type: string): void {
  const shape = [Math.max(1, ArrayBuffer.isView(data) ? (data as Uint8Array).length : 1)]
  checkArray({ shape, data }, 'run', what, [type as 'Float32Array'])
}

/** Throws `INVALID_STEP` for an op that doesn't exist and for memory outside the arena or the state. */
function checkSpec({ steps, preparation = [], outputs, arenaElements, capacity, prelude }: ProgramSpec, stateElements: number): void {
  checkInteger(capacity, 'createProgram', 'capacity')
  const sizes = { arena: arenaElements, state: stateElements, kept: prelude?.elements ?? 0 }
  const operands = [...preparation, ...steps].flatMap((step, index) => {
    if (!(step.op in reference)) throw new ConvlaneError('INVALID_STEP', `steps[${index}]: there is no op ${valueText(step.op)}`)
    return Object.values(step).filter(isOperand)
  })
  for (const { space, offset, shape } of [...operands, ...outputs]) {
    if (space === 'input') continue
    const limit = space === 'buffer' ? 0 : sizes[space]
    if (offset + elementCount(shape, 'createProgram') <= limit) continue
    throw new ConvlaneError('INVALID_STEP', `an operand at ${space} ${offset} of shape [${shape}] ends outside its ${limit} elements`)
  }
}

const runtime: Runtime = {
  name: 'reference',
  createState: (elements) => new ReferenceState(elements),
  createProgram: (spec, state) => new ReferenceProgram(spec, state as ReferenceState | undefined),
}

/**
 * Runs programs by plain loops in double precision: for checking, and where the native core cannot run; slow by nature. State and arena are doubles;
 * rounding to float32 happens where they are read. The event loop turns between steps.
 */
export function referenceRuntime(): Runtime {
  return runtime
}
