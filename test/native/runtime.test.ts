import { describe, expect, test } from 'vitest'
import { ConvlaneError } from '../../lib/errors'
import { isa, isaAvailable, setThreads, threads } from '../../lib/machine'
import { nativeRuntime } from '../../lib/runtime/native'
import { regression } from './programs.cjs'

const convlane = (code: string) => expect.objectContaining({ name: 'ConvlaneError', code })

describe('the runtime on the addon', () => {
  const runtime = nativeRuntime()
  const { spec, stateElements } = regression(4)
  const good = { n: 4, inputs: [{ data: new Float32Array(32) }, { data: new Float32Array(12) }], scalars: { learningRate: 0 } }

  test('turns what is refused into a ConvlaneError of the same code, thrown or rejected', async () => {
    const state = runtime.createState(stateElements)
    const program = runtime.createProgram(spec, state)
    expect(() => runtime.createState(-1)).toThrow(convlane('INVALID_ARGUMENT'))
    expect(() => runtime.createProgram({ ...spec, capacity: 0 }, state)).toThrow(convlane('INVALID_STEP'))
    expect(() => runtime.createProgram(spec)).toThrow(convlane('INVALID_STEP'))
    await expect(program.run({ ...good, n: 5 })).rejects.toThrow(convlane('INVALID_ARGUMENT'))
    await expect(program.run({ ...good, inputs: [] })).rejects.toBeInstanceOf(ConvlaneError)
    await expect(state.read(0, stateElements + 1)).rejects.toThrow(convlane('INVALID_ARGUMENT'))
    await expect(state.write(stateElements, new Float32Array(1))).rejects.toThrow(convlane('INVALID_ARGUMENT'))
    const runs = [program.run(good), program.run(good), program.run(good)]
    await expect(runs[2]).rejects.toThrow(convlane('BUSY'))
    await Promise.all(runs.slice(0, 2))
    program.dispose()
    state.dispose()
    await expect(program.run(good)).rejects.toThrow(convlane('DISPOSED'))
    await expect(state.read(0, 1)).rejects.toThrow(convlane('DISPOSED'))
  })

  test('does not take another runtime’s state for its own', () => {
    const other = { ...runtime.createState(stateElements) }
    expect(() => runtime.createProgram(spec, other)).toThrow(convlane('INVALID_ARGUMENT'))
  })
})

describe('the machine', () => {
  test('takes a number of threads, and refuses anything else', () => {
    const before = threads()
    setThreads(3)
    expect(threads()).toBe(3)
    for (const n of [0, -1, 1.5, 1025, Number.NaN, Number.POSITIVE_INFINITY, '2', null, undefined]) {
      expect(() => setThreads(n as number)).toThrow(convlane('INVALID_ARGUMENT'))
    }
    expect(threads()).toBe(3)
    setThreads(before)
  })

  test('names its instruction set', () => expect(isaAvailable()).toContain(isa()))
})
