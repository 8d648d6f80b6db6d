import { describe, expect, test } from 'vitest'
import type { Operand, ProgramSpec, Step } from '../../binding'
import { settledMemory } from '../support/nativeMemory'
import { native, operand } from './programs.cjs'

const batched = { batched: true }
const input = (offset: number, width = 4): Operand => operand('input', offset, [8, width], batched)
const arena = operand('arena', 0, [8, 4], batched)
const relu = (x: Operand, y: Operand): Step => ({ op: 'relu', x, y })
const dropout = (x: Operand, y: Operand): Step => ({ op: 'dropout', x, y, rate: 0.5, stream: 0 })
const given = { dtype: 'float32' as const, shape: [8, 4], batched: true }
const prepared = { ...given, prepared: true }

/** Makes 2x of x beforehand, and y = relu(2x). */
const spec = (extra: Partial<ProgramSpec> = {}): ProgramSpec => ({
  capacity: 8,
  arenaElements: 32,
  inputs: [given, prepared],
  preparation: [{ op: 'scale', x: input(0), y: input(1), factor: 2 }],
  steps: [relu(input(1), arena)],
  outputs: [arena],
  lane: 'train',
  ...extra,
})
const rows = (n: number, value: number) => ({ n, inputs: [{ data: new Float32Array(n * 4).fill(value) }] })

describe('programs with preparation', () => {
  test('each run has inputs of its own, and results come in order', async () => {
    const program = native.createProgram(spec())
    for (let round = 0; round < 20; round++) {
      const runs = [program.run(rows(8, round)), program.run(rows(3, round + 100))]
      expect(() => program.run(rows(1, 0))).toThrow(expect.objectContaining({ code: 'BUSY' }))
      const [[first], [second]] = (await Promise.all(runs)) as [Float32Array[], Float32Array[]]
      expect([...new Set(first)]).toEqual([2 * round])
      expect(first).toHaveLength(32)
      expect([...new Set(second)]).toEqual([2 * round + 200])
      expect(second).toHaveLength(12)
    }
    program.dispose()
  })

  test('scalars reach it', async () => {
    const program = native.createProgram(spec({ preparation: [dropout(input(0), input(1))] }))
    const run = async (seed: number) => String((await program.run({ ...rows(8, 1), scalars: { seed, step: 1 } }))[0])
    expect(await run(1)).toBe(await run(1))
    expect(await run(1)).not.toBe(await run(2))
    expect(() => program.run(rows(1, 0))).toThrow(/scalars/)
    program.dispose()
  })

  test('staged and prepared inputs are counted, and do not grow', async () => {
    const before = (await settledMemory()).stagingBytes
    const program = native.createProgram(spec())
    expect(program.stagingBytes).toBe(0)
    await Promise.all([program.run(rows(8, 1)), program.run(rows(8, 1))])
    // Two runs, each with an input, a prepared one and an output of 128 bytes.
    expect(program.stagingBytes).toBe(2 * 3 * 128)
    expect(native.memory().stagingBytes).toBe(before + program.stagingBytes)
    for (let round = 0; round < 10; round++) await Promise.all([program.run(rows(8, 1)), program.run(rows(8, 1))])
    expect(native.memory().stagingBytes).toBe(before + 2 * 3 * 128)
    program.dispose()
    expect(native.memory().stagingBytes).toBe(before)
  })

  test('run takes the inputs that are not prepared, no others', () => {
    const program = native.createProgram(spec())
    expect(() => program.run({ n: 1, inputs: [{ data: new Float32Array(3) }] })).toThrow(/inputs\[0\]/)
    expect(() => program.run({ n: 1, inputs: [] })).toThrow(/inputs/)
    program.dispose()
  })
})

describe('createProgram refuses preparation', () => {
  const wrong: [string, Partial<ProgramSpec>, RegExp][] = [
    [
      'that writes what is given',
      { preparation: [relu(input(1), input(0))] },
      /^preparation 0 \(relu\): y is written and cannot be an input/,
    ],
    ['in the arena', { preparation: [relu(input(0), arena)] }, /^preparation 0 \(relu\): y: .*arena of 0/],
    ['of state', { preparation: [relu(operand('state', 0, [8, 4]), input(1))] }, /there is no state/],
    ['of inputs that there are not', { preparation: [relu(input(0), input(2))] }, /there is no input 2/],
    ['of another size', { preparation: [relu(input(0), operand('input', 1, [8, 5], batched))] }, /does not agree with input 1/],
    ['of an unknown op', { preparation: [{ op: 'nothing' }] }, /^preparation 0 \(nothing\): there is no op/],
    ['by the other steps', { steps: [relu(input(0), input(1))] }, /^step 0 \(relu\): y is written and cannot be an input/],
    ['with a given input behind', { inputs: [prepared, given] }, /^input 1 is given to run, and comes after one that is prepared/],
    ['that writes over what it reads', { preparation: [{ op: 'transpose', x: input(1), y: input(1), permutation: [0, 1] }] }, /overlaps x/],
  ]
  test.each(wrong)('%s', (_name, extra, message) => {
    expect(() => native.createProgram(spec(extra))).toThrow(
      expect.objectContaining({ code: 'INVALID_STEP', message: expect.stringMatching(message) }),
    )
  })
})
