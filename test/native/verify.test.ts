import { afterAll, describe, expect, test } from 'vitest'
import type { Operand, ProgramSpec, Step } from '../../binding'
import { native, operand } from './programs.cjs'

const state = native.createState(64)
afterAll(() => state.dispose())

const arena = (offset: number, shape: readonly number[], options?: Partial<Operand>) => operand('arena', offset, shape, options)
const spec = (steps: readonly Step[], extra: Partial<ProgramSpec> = {}): ProgramSpec => ({
  capacity: 4,
  arenaElements: 128,
  inputs: [],
  outputs: [],
  steps,
  lane: 'infer',
  ...extra,
})
const create = (given: ProgramSpec, withState = true) => native.createProgram(given, withState ? state : undefined).dispose()
const relu = (x: Operand, y: Operand): Step => ({ op: 'relu', x, y })
const sgd = (param: Operand, grad: Operand): Step => ({ op: 'sgd', param, grad, momentum: 0, nesterov: false, weightDecay: 0 })
const refuses = (given: ProgramSpec, message: RegExp, withState = true) =>
  expect(() => create(given, withState)).toThrow(expect.objectContaining({ code: 'INVALID_STEP', message: expect.stringMatching(message) }))

describe('createProgram', () => {
  test('takes operands up to the last element, and refuses one more', () => {
    create(spec([relu(arena(0, [64]), arena(64, [64]))]))
    refuses(spec([relu(arena(0, [65]), arena(64, [65]))]), /^step 0 \(relu\): .*arena of 128/)
    refuses(spec([relu(arena(0, [16]), arena(128, [16]))]), /arena of 128/)
    refuses(spec([relu(arena(0, [1]), arena(128, [1]))]), /arena of 128/)
    create(spec([relu(operand('state', 0, [64]), arena(0, [64]))]))
    refuses(spec([relu(operand('state', 0, [65]), arena(0, [65]))]), /state of 64/)
    refuses(spec([relu(operand('state', 0, [64]), arena(0, [64]))]), /no state/, false)
  })

  test('refuses sizes whose product overflows', () => {
    for (const shape of [
      [2 ** 40, 2 ** 40],
      [2 ** 32, 2 ** 32, 2 ** 32],
      [2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20],
      [2 ** 40, 2],
    ]) {
      refuses(spec([relu(arena(0, shape), arena(0, shape))]), /too many elements/)
    }
  })

  test('refuses offsets that are not multiples of 16', () => {
    for (const offset of [1, 8, 15, 17]) refuses(spec([relu(arena(0, [4]), arena(offset + 16, [4]))]), /multiple of 16/)
  })

  test('refuses batched operands of another size than the capacity, and batched state', () => {
    create(spec([relu(arena(0, [4, 4], { batched: true }), arena(16, [4, 4], { batched: true }))]))
    refuses(spec([relu(arena(0, [5, 4], { batched: true }), arena(32, [5, 4], { batched: true }))]), /capacity 4/)
    refuses(spec([relu(arena(0, [], { batched: true }), arena(16, []))]), /batched/)
    refuses(spec([relu(operand('state', 0, [4, 4], { batched: true }), arena(16, [4, 4], { batched: true }))]), /batched/)
  })

  test('refuses element types that a space does not have', () => {
    refuses(spec([relu(arena(0, [4], { dtype: 'uint8' }), arena(16, [4]))]), /uint8/)
    refuses(spec([relu(operand('state', 0, [4], { dtype: 'int32' }), arena(16, [4]))]), /float32/)
    refuses(spec([relu(operand('buffer', 0, [4]), arena(16, [4]))]), /no buffer 0/)
  })

  test('refuses inputs that are missing, of another size or written', () => {
    const inputs = [{ dtype: 'float32' as const, shape: [4, 2], batched: true }]
    create(spec([relu(operand('input', 0, [4, 2], { batched: true }), arena(0, [4, 2], { batched: true }))], { inputs }))
    create(spec([relu(operand('input', 0, [4, 1, 2], { batched: true }), arena(0, [4, 1, 2], { batched: true }))], { inputs }))
    refuses(spec([relu(operand('input', 1, [4, 2], { batched: true }), arena(0, [4, 2], { batched: true }))], { inputs }), /no input 1/)
    for (const other of [
      operand('input', 0, [4, 3], { batched: true }),
      operand('input', 0, [4, 2]),
      operand('input', 0, [4, 2], { batched: true, dtype: 'int32' }),
    ]) {
      refuses(spec([relu(other, arena(0, other.shape, { batched: other.batched }))], { inputs }), /agree with input 0/)
    }
    refuses(spec([relu(arena(0, [4, 2], { batched: true }), operand('input', 0, [4, 2], { batched: true }))], { inputs }), /written/)
  })

  test('lets only steps from updateFrom on write the state', () => {
    const steps = [relu(arena(0, [16]), arena(16, [16])), sgd(operand('state', 0, [16]), arena(16, [16]))]
    create(spec(steps, { updateFrom: 1 }))
    create(spec(steps, { updateFrom: 0 }))
    refuses(spec(steps, { updateFrom: 2 }), /^step 1 \(sgd\): param writes the state before updateFrom/)
    refuses(spec(steps), /before updateFrom/)
  })

  test('lets a prelude read weights and write kept memory, and nothing else', () => {
    const kept = (offset: number, shape: readonly number[], options?: Partial<Operand>) => operand('kept', offset, shape, options)
    const [weights, x, y] = [operand('state', 0, [16]), arena(0, [16]), arena(16, [16])]
    const prelude = { steps: 1, elements: 32 }
    const steps = [relu(weights, kept(0, [16])), relu(kept(0, [16]), y)]
    create(spec(steps, { prelude }))
    create(
      spec([relu(weights, kept(0, [16])), relu(kept(0, [16]), kept(16, [16])), relu(kept(16, [16]), y)], {
        prelude: { ...prelude, steps: 2 },
      }),
    )
    refuses(spec(steps), /^step 0 \(relu\): y: elements 0 to 16 do not lie in the kept memory of 0/)
    refuses(spec(steps, { prelude: { ...prelude, steps: 2 } }), /^step 1 \(relu\): y is written in the prelude, and does not lie in kept/)
    refuses(spec(steps, { prelude: { ...prelude, steps: 3 } }), /prelude.steps/)
    refuses(spec(steps, { prelude: { ...prelude, elements: 8 } }), /kept memory of 8/)
    refuses(spec([relu(x, kept(0, [16]))], { prelude }), /x is not there for the prelude/)
    refuses(spec([relu(x, kept(0, [16]))], { prelude: { ...prelude, steps: 0 } }), /y writes kept behind the prelude/)
    refuses(spec([relu(weights, weights)], { prelude }), /y is written in the prelude, and does not lie in kept/)
    refuses(spec([relu(weights, kept(0, [4, 4], { batched: true }))], { prelude }), /kept cannot be batched/)
    refuses(spec([relu(weights, kept(8, [16]))], { prelude }), /multiple of 16/)
    refuses(spec(steps, { prelude, outputs: [kept(0, [16])] }), /^output 0: must lie in the arena/)
    const dropout = { op: 'dropout', x: weights, y: kept(0, [16]), rate: 0.5, stream: 0 }
    refuses(spec([dropout], { prelude }), /what changes from run to run is not there for the prelude/)
    const execute = () => native.execute(relu(kept(0, [1]), operand('buffer', 0, [1])), [new Float32Array(1)])
    expect(execute).toThrow(expect.objectContaining({ code: 'INVALID_STEP' }))
  })

  test('takes as guards only numbers of float32 outputs', () => {
    const steps = [relu(arena(0, [16]), arena(16, [16])), sgd(operand('state', 0, [16]), arena(16, [16]))]
    const outputs = [arena(16, [16]), arena(0, [16], { dtype: 'int32' })]
    const guarded = (...guards: unknown[]) => spec(steps, { updateFrom: 1, outputs, guards: guards as number[] })
    create(guarded())
    create(guarded(0, 0))
    for (const guard of [-1, 2, 0.5, '0']) refuses(guarded(guard), /guards\[0\]/)
    refuses(guarded(1), /guard 1: there is no float32 output of this number/)
  })

  test('refuses what is written over something else', () => {
    const x = arena(0, [32])
    create(spec([relu(x, x)]))
    refuses(spec([relu(x, arena(16, [32]))]), /overlaps x/)
    refuses(spec([relu(arena(0, [16]), arena(0, [32]))]), /overlaps x/)
    refuses(
      spec([{ op: 'softmaxCrossEntropy', logits: arena(0, [4, 4]), labels: arena(16, [4], { dtype: 'int32' }), loss: arena(16, []) }]),
      /overlaps labels/,
    )
    refuses(spec([{ op: 'dense', x: arena(0, [4, 4]), w: arena(16, [4, 4]), y: arena(0, [4, 4]), activation: 'linear' }]), /overlaps x/)
    refuses(
      spec([
        { op: 'meanSquaredError', predictions: arena(0, [4]), targets: arena(16, [4]), loss: arena(32, []), dpredictions: arena(32, [4]) },
      ]),
      /overlaps/,
    )
    refuses(spec([sgd(operand('state', 0, [16]), operand('state', 0, [16]))], { updateFrom: 0 }), /overlaps grad/)
  })

  test('refuses missing operands, and ops and steps that there are not', () => {
    refuses(spec([{ op: 'relu', x: arena(0, [4]) }]), /^step 0 \(relu\): .*y/)
    refuses(spec([{ op: 'relu', y: arena(0, [4]) }]), /x/)
    refuses(spec([{ op: 'nothing' }]), /no op of this name/)
    refuses(spec([{} as Step]), /op must be a string/)
    refuses(spec([undefined as unknown as Step]), /step 0/)
  })

  test('refuses outputs outside the arena', () => {
    create(spec([], { outputs: [arena(112, [16])] }))
    refuses(spec([], { outputs: [arena(112, [17])] }), /^output 0/)
    refuses(spec([], { outputs: [operand('state', 0, [4])] }), /arena/)
  })

  test('a program without steps runs', async () => {
    const program = native.createProgram(spec([]))
    expect(await program.run({ n: 1, inputs: [] })).toEqual([])
    program.dispose()
  })
})
