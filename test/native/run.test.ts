import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, test } from 'vitest'
import type { Program, RunOptions, State } from '../../binding'
import { settledMemory } from '../support/nativeMemory'
import { heavy, layout, native, operand, regression, type Sample } from './programs.cjs'

const made: (Program | State)[] = []
afterEach(() => {
  for (const object of made.splice(0)) object.dispose()
})

function create(sample: Sample): { state: State; program: Program } {
  const state = native.createState(sample.stateElements)
  const program = native.createProgram(sample.spec, state)
  made.push(state, program)
  return { state, program }
}

const ramp = (length: number, scale = 0.01) => Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7) + scale * i)
const batch = (n: number, extra: Partial<RunOptions> = {}): RunOptions => ({
  n,
  inputs: [{ data: ramp(n * 8) }, { data: ramp(n * 3, 0.05) }],
  scalars: { learningRate: 0.05 },
  ...extra,
})
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('a run', () => {
  test('trains: the loss falls and the state changes', async () => {
    const { state, program } = create(regression())
    const losses: number[] = []
    for (let step = 0; step < 30; step++) losses.push((await program.run(batch(16)))[0]![0]!)
    expect(losses[29]).toBeLessThan(losses[0]! / 2)
    expect((await state.read(0, 24)).every((w) => w !== 0)).toBe(true)
  })

  test('computes what plain loops compute', async () => {
    const { state, program } = create(regression(5))
    await state.write(0, ramp(24))
    await state.write(32, ramp(3, 1))
    const x = ramp(40)
    const [w, bias] = [ramp(24), ramp(3, 1)]
    const [, y] = await program.run(batch(5, { scalars: { learningRate: 0 } }))
    const expected = Array.from({ length: 15 }, (_, i) => {
      const [row, column] = [Math.floor(i / 3), i % 3]
      return Array.from({ length: 8 }, (_, k) => x[row * 8 + k]! * w[k * 3 + column]!).reduce((sum, p) => sum + p, bias[column]!)
    })
    expect(y).toHaveLength(15)
    for (let i = 0; i < 15; i++) expect(y![i]).toBeCloseTo(expected[i]!, 4)
  })

  test('takes any n up to the capacity, and gives n rows', async () => {
    const { program } = create(regression(16))
    for (const n of [1, 2, 7, 15, 16]) expect((await program.run(batch(n)))[1]).toHaveLength(n * 3)
  })

  test('gathers rows, in any order and more than once', async () => {
    const { program } = create(regression())
    const data = ramp(10 * 8)
    const rows = Int32Array.of(9, 0, 3, 3)
    const still = { learningRate: 0 }
    const targets = { data: new Float32Array(12) }
    const gathered = await program.run({ n: 4, inputs: [{ data, rows }, targets], scalars: still })
    const copied = new Float32Array(32)
    rows.forEach((row, i) => {
      copied.set(data.subarray(row * 8, row * 8 + 8), i * 8)
    })
    const plain = await program.run({ n: 4, inputs: [{ data: copied }, targets], scalars: still })
    expect(gathered).toEqual(plain)
  })

  test('copies its inputs before it returns', async () => {
    const { program } = create(regression())
    const options = batch(16, { scalars: { learningRate: 0 } })
    const expected = await program.run(options)
    const pending = program.run(options)
    for (const { data } of options.inputs) {
      data.fill(Number.NaN)
      structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })
    }
    expect(await pending).toEqual(expected)
  })

  test('gives int32 outputs as Int32Array', async () => {
    const arena = layout('arena')
    const y = arena.add([1, 1, 1, 2])
    const positions = arena.add([1, 1, 1, 2], { dtype: 'int32' })
    const x = operand('input', 0, [1, 2, 2, 2])
    const pool = {
      size: [2, 2],
      stride: [2, 2],
      padding: [
        [0, 0],
        [0, 0],
      ],
      dilation: [1, 1],
    }
    const program = native.createProgram({
      capacity: 1,
      arenaElements: arena.elements,
      inputs: [{ dtype: 'float32', shape: x.shape, batched: false }],
      outputs: [y, positions],
      steps: [{ op: 'maxPool2d', x, y, positions, ...pool }],
      lane: 'infer',
    })
    made.push(program)
    const outputs = await program.run({ n: 1, inputs: [{ data: Float32Array.of(1, 9, 5, 2, 3, 4, 0, 8) }] })
    expect(outputs).toEqual([Float32Array.of(5, 9), Int32Array.of(1, 0)])
  })

  test('keeps the async context', async () => {
    const storage = new AsyncLocalStorage<string>()
    const { program } = create(regression())
    const seen = await Promise.all(
      ['a', 'b'].map((name) =>
        storage.run(name, async () => {
          await program.run(batch(4))
          return storage.getStore()
        }),
      ),
    )
    expect(seen).toEqual(['a', 'b'])
  })

  test('gives the same bits with 1, 2 and 4 threads', async () => {
    const before = native.threads()
    const results: unknown[] = []
    for (const threads of [1, 2, 4]) {
      native.setThreads(threads)
      const { state, program } = create(regression(64))
      const losses: number[] = []
      for (let step = 0; step < 10; step++) losses.push((await program.run(batch(64)))[0]![0]!)
      const big = heavy(2, { size: 200, update: true })
      const product = create(big)
      await product.program.run({ n: 1, inputs: [], scalars: { learningRate: 0.1 } })
      results.push([losses, await state.read(0, state.elements), await product.state.read(0, 4096)])
    }
    native.setThreads(before)
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })
})

describe('the queue', () => {
  test('takes two runs; a third is BUSY, and the two give their results', async () => {
    const { program } = create(heavy(3))
    const run = () => program.run({ n: 1, inputs: [] })
    const first = run()
    const second = run()
    expect(run).toThrow(code('BUSY'))
    expect(await Promise.all([first, second])).toEqual([[Float32Array.of(1)], [Float32Array.of(1)]])
    expect(await run()).toEqual([Float32Array.of(1)])
  })

  test('leaves nothing taken by a run that was refused', async () => {
    const { program } = create(regression())
    for (let i = 0; i < 5; i++) expect(() => program.run({ n: 17, inputs: [] })).toThrow(code('INVALID_ARGUMENT'))
    for (let i = 0; i < 5; i++)
      expect(() => program.run(batch(16, { inputs: [{ data: ramp(1) }, { data: ramp(48) }] }))).toThrow(code('INVALID_TENSOR'))
    await Promise.all([program.run(batch(16)), program.run(batch(3))])
  })

  test('a program of the other lane does not wait for a training step', async () => {
    const order: string[] = []
    const slow = create(heavy(60))
    const quick = create(regression(4, 'infer'))
    const training = slow.program.run({ n: 1, inputs: [] }).then(() => order.push('train'))
    await quick.program.run(batch(4)).then(() => order.push('infer'))
    await training
    expect(order).toEqual(['infer', 'train'])
  })

  test('a read in the middle of a step sees the state before it, and does not wait for its end', async () => {
    const { state, program } = create(heavy(60, { update: true }))
    let done = false
    const run = program.run({ n: 1, inputs: [], scalars: { learningRate: 1 } }).then(() => {
      done = true
    })
    const during = await state.read(0, state.elements)
    expect(done).toBe(false)
    expect(during.every((x) => x === 0)).toBe(true)
    await run
    expect((await state.read(0, state.elements)).every((x) => x === 1)).toBe(true)
  })

  test('reads never see half an update, and a write waits for the whole step', async () => {
    const { state, program } = create(heavy(1, { size: 64, update: true, updates: 4 }))
    const seen = new Set<number>()
    for (let step = 1; step <= 20; step++) {
      const run = program.run({ n: 1, inputs: [], scalars: { learningRate: 1 } })
      const values = await state.read(0, state.elements)
      expect(values.every((x) => x === values[0])).toBe(true)
      seen.add(values[0]! % 4)
      await run
    }
    expect([...seen]).toEqual([0])
    const run = program.run({ n: 1, inputs: [], scalars: { learningRate: 1 } })
    await state.write(0, new Float32Array(state.elements).fill(0.5))
    await run
    const last = await state.read(0, state.elements)
    expect(last.every((x) => x === last[0])).toBe(true)
    expect([0.5, 4.5]).toContain(last[0])
  })

  test('keeps reads and writes in order', async () => {
    const state = native.createState(100)
    made.push(state)
    const reads = [1, 2, 3].map((value) => {
      void state.write(0, Float32Array.of(value))
      return state.read(0, 1)
    })
    expect((await Promise.all(reads)).map((values) => values[0])).toEqual([1, 2, 3])
  })
})

describe('profile', () => {
  test('sums the time of each step over the runs while it is on', async () => {
    const { program } = create(regression())
    await program.run(batch(16))
    expect(program.profile(true).map(({ runs }) => runs)).toEqual([0, 0, 0, 0, 0, 0])
    await program.run(batch(16))
    await program.run(batch(16))
    const steps = program.profile(false)
    expect(steps.map(({ op, runs }) => [op, runs])).toEqual([
      ['dense', 2],
      ['meanSquaredError', 2],
      ['matmul', 2],
      ['biasGradient', 2],
      ['sgd', 2],
      ['sgd', 2],
    ])
    expect(steps.every(({ seconds }) => seconds > 0)).toBe(true)
    await program.run(batch(16))
    expect(program.profile(true)[0]!.runs).toBe(2)
    expect(program.profile(false)[0]!.runs).toBe(0)
  })
})

describe('dispose', () => {
  test('frees the memory, twice is allowed, and later use is DISPOSED', async () => {
    const before = await settledMemory()
    const { state, program } = create(regression())
    await program.run(batch(16))
    expect(native.memory().arenaBytes).toBeGreaterThanOrEqual(program.arenaBytes)
    expect(native.memory().stateBytes).toBe(before.stateBytes + 4 * state.elements)
    expect(native.memory().stagingBytes).toBeGreaterThan(before.stagingBytes)
    program.dispose()
    program.dispose()
    state.dispose()
    state.dispose()
    expect(native.memory()).toEqual({ ...before, scratchBytes: native.memory().scratchBytes })
    expect(() => program.run(batch(16))).toThrow(code('DISPOSED'))
    expect(() => program.profile(true)).toThrow(code('DISPOSED'))
    expect(() => state.read(0, 1)).toThrow(code('DISPOSED'))
    expect(() => state.write(0, new Float32Array(1))).toThrow(code('DISPOSED'))
    expect(() => native.createProgram(regression().spec, state)).toThrow(code('DISPOSED'))
  })

  test('in the middle of runs lets them finish', async () => {
    const before = await settledMemory()
    const { state, program } = create(heavy(5, { update: true }))
    const options = { n: 1, inputs: [], scalars: { learningRate: 1 } }
    const runs = [program.run(options), program.run(options), state.read(0, 8)] as const
    program.dispose()
    state.dispose()
    expect(await Promise.all(runs.slice(0, 2))).toEqual([[Float32Array.of(1)], [Float32Array.of(1)]])
    expect(await runs[2]).toHaveLength(8)
    const after = native.memory()
    expect([after.arenaBytes, after.stateBytes, after.stagingBytes]).toEqual([before.arenaBytes, before.stateBytes, before.stagingBytes])
  })

  test('of the state alone makes its programs refuse', async () => {
    const { state, program } = create(regression())
    state.dispose()
    expect(() => program.run(batch(16))).toThrow(code('DISPOSED'))
  })
})

test('memory that cannot be had is OUT_OF_MEMORY, and nothing changes', async () => {
  const before = await settledMemory()
  expect(() => native.createState(2 ** 40)).toThrow(code('OUT_OF_MEMORY'))
  const { spec } = heavy(1)
  expect(() => native.createProgram({ ...spec, arenaElements: 2 ** 40 })).toThrow(code('OUT_OF_MEMORY'))
  expect(native.memory()).toEqual(before)
  const { program } = create(regression())
  await program.run(batch(16))
})
