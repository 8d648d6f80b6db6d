import { describe, expect, test } from 'vitest'
import type { ProgramSpec } from '../../binding'
import { gradients } from '../../lib/graph/gradients'
import { inputValue, parameterValue } from '../../lib/graph/sources'
import * as ops from '../../lib/ops'
import { compileProgram } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { selectRuntime } from '../../lib/runtime/select'

/** y = w · x for the rows of a batch; and one step of sgd on the squared error. */
function programs(): { forward: ProgramSpec; step: ProgramSpec; elements: number } {
  const layout = stateLayout([{ name: 'w', shape: [2, 1] }])
  const [x, t, w] = [inputValue('x', [null, 2]), inputValue('t', [null, 1]), parameterValue('w', [2, 1])]
  const y = ops.dense(x, w)
  const { loss } = ops.meanSquaredError(y, t)
  const [dw] = gradients([{ of: loss }], [w])
  const optimizer = { op: 'sgd', attributes: { momentum: 0, nesterov: false, weightDecay: 0 }, slots: [] } as const
  const common = { layout, capacity: 3 }
  return {
    forward: compileProgram({ ...common, inputs: [x], outputs: [y], lane: 'infer' }).spec,
    step: compileProgram({
      ...common,
      inputs: [x, t],
      outputs: [loss],
      updates: { gradients: new Map([['w', dw]]), optimizer },
      lane: 'train',
    }).spec,
    elements: layout.elements,
  }
}

describe.each(['native', 'reference'] as const)('%s', (name) => {
  const runtime = selectRuntime(name)
  const { forward, step, elements } = programs()
  const rows = Float32Array.of(1, 2, 3, 4, 5, 6)
  const refused = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ name: 'ConvlaneError', code })

  async function setUp() {
    const state = runtime.createState(elements)
    await state.write(0, Float32Array.of(10, 1))
    return { state, forward: runtime.createProgram(forward, state), step: runtime.createProgram(step, state) }
  }

  test('runs fewer rows than the capacity, and chosen rows', async () => {
    const { forward } = await setUp()
    const run = (n: number, chosen?: number[]) =>
      forward.run({ n, inputs: [{ data: rows, ...(chosen ? { rows: Int32Array.from(chosen) } : {}) }] })
    expect(await run(3)).toEqual([Float32Array.of(12, 34, 56)])
    expect(await run(2)).toEqual([Float32Array.of(12, 34)])
    expect(await run(3, [2, 0, 2])).toEqual([Float32Array.of(56, 12, 56)])
  })

  test('copies inputs before run returns, and values before write does', async () => {
    const { state, forward } = await setUp()
    const data = rows.slice()
    const chosen = Int32Array.of(1)
    const pending = forward.run({ n: 1, inputs: [{ data, rows: chosen }] })
    data.fill(0)
    chosen[0] = 2
    expect(await pending).toEqual([Float32Array.of(34)])
    const values = Float32Array.of(7, 8)
    const written = state.write(0, values)
    values.fill(0)
    await written
    expect(await state.read(0, 2)).toEqual(Float32Array.of(7, 8))
  })

  test('an update changes the state; losses are those before it', async () => {
    const { state, step } = await setUp()
    const run = () =>
      step.run({ n: 1, inputs: [{ data: Float32Array.of(1, 0) }, { data: Float32Array.of(8) }], scalars: { learningRate: 0.25 } })
    const [first, second] = await Promise.all([run(), run()])
    expect([first![0]![0], second![0]![0]]).toEqual([4, 1])
    expect(await state.read(0, 2)).toEqual(Float32Array.of(8.5, 1))
  })

  test('the third run at once is refused, and one after that works', async () => {
    const { forward } = await setUp()
    const run = () => forward.run({ n: 1, inputs: [{ data: rows }] })
    const [first, second, third] = [run(), run(), run()]
    await refused(third!, 'BUSY')
    await Promise.all([first, second])
    expect(await run()).toHaveLength(1)
  })

  test('bad runs', async () => {
    const { forward } = await setUp()
    for (const n of [0, 4, 1.5, Number.NaN]) await refused(forward.run({ n, inputs: [{ data: rows }] }), 'INVALID_ARGUMENT')
    await refused(forward.run({ n: 1, inputs: [] }), 'INVALID_ARGUMENT')
    await refused(forward.run({ n: 3, inputs: [{ data: rows.subarray(0, 4) }] }), 'INVALID_TENSOR')
    await refused(forward.run({ n: 1, inputs: [{ data: rows.subarray(0, 3) }] }), 'INVALID_TENSOR')
    await refused(forward.run({ n: 2, inputs: [{ data: rows, rows: Int32Array.of(0, 3) }] }), 'INVALID_TENSOR')
    await refused(forward.run({ n: 1, inputs: [{ data: rows, rows: Int32Array.of(-1) }] }), 'INVALID_TENSOR')
    await refused(forward.run({ n: 2, inputs: [{ data: rows, rows: Int32Array.of(0) }] }), 'INVALID_TENSOR')
    await refused(forward.run({ n: 1, inputs: [{ data: new Float32Array(new SharedArrayBuffer(8)) }] }), 'INVALID_TENSOR')
    const gone = new Float32Array(2)
    structuredClone(gone, { transfer: [gone.buffer] })
    await refused(forward.run({ n: 1, inputs: [{ data: gone }] }), 'INVALID_TENSOR')
  })

  test('after dispose', async () => {
    const { state, forward, step } = await setUp()
    const pending = forward.run({ n: 1, inputs: [{ data: rows }] })
    forward.dispose()
    forward.dispose()
    expect(await pending).toEqual([Float32Array.of(12)])
    await refused(forward.run({ n: 1, inputs: [{ data: rows }] }), 'DISPOSED')
    state.dispose()
    state.dispose()
    await refused(state.read(0, 1), 'DISPOSED')
    await refused(state.write(0, new Float32Array(1)), 'DISPOSED')
    await refused(step.run({ n: 1, inputs: [{ data: rows }, { data: rows }], scalars: { learningRate: 1 } }), 'DISPOSED')
  })

  test('places outside the state', async () => {
    const { state } = await setUp()
    await refused(state.read(0, elements + 1), 'INVALID_ARGUMENT')
    await refused(state.read(-1, 1), 'INVALID_ARGUMENT')
    await refused(state.write(elements, new Float32Array(1)), 'INVALID_ARGUMENT')
  })

  test('programs with unknown ops, or memory outside', () => {
    const state = runtime.createState(elements)
    const { steps } = forward
    const refusedSpec = (spec: Partial<ProgramSpec>) =>
      expect(() => runtime.createProgram({ ...forward, ...spec }, state)).toThrow(expect.objectContaining({ code: 'INVALID_STEP' }))
    refusedSpec({ steps: [{ ...steps[0]!, op: 'conv9d' }] })
    refusedSpec({ arenaElements: 0 })
    expect(() => runtime.createProgram(forward)).toThrow(expect.objectContaining({ code: 'INVALID_STEP' }))
  })

  test('the event loop turns while a program runs', async () => {
    const { forward } = await setUp()
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    while (turns < 3) await forward.run({ n: 3, inputs: [{ data: rows }] })
    clearInterval(timer)
    expect(turns).toBeGreaterThanOrEqual(3)
  })
})

describe('which runtime', () => {
  test('the option, else CONVLANE_RUNTIME, else native', () => {
    const before = process.env.CONVLANE_RUNTIME
    try {
      process.env.CONVLANE_RUNTIME = 'reference'
      expect(selectRuntime().name).toBe('reference')
      expect(selectRuntime('native').name).toBe('native')
      process.env.CONVLANE_RUNTIME = 'gpu'
      expect(() => selectRuntime()).toThrow("CONVLANE_RUNTIME must be 'native' or 'reference', received \"gpu\"")
      delete process.env.CONVLANE_RUNTIME
      expect(selectRuntime().name).toBe('native')
      expect(() => selectRuntime('gpu' as never)).toThrow("runtime must be 'native' or 'reference', received \"gpu\"")
    } finally {
      if (before === undefined) delete process.env.CONVLANE_RUNTIME
      else process.env.CONVLANE_RUNTIME = before
    }
  })
})
