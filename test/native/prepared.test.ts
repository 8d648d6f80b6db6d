import { expect, test } from 'vitest'
import { settledMemory } from '../support/nativeMemory'
import { native } from './programs.cjs'

/** y = conv2d(x, w), the filters in the state. */
function convolution(capacity: number, algorithm: string, updates = false) {
  const [x, w] = [
    [capacity, 12, 12, 40],
    [3, 3, 40, 72],
  ]
  const operand = (space: 'input' | 'state' | 'arena', shape: number[], batched: boolean) =>
    ({ space, offset: 0, dtype: 'float32', shape, batched }) as const
  const y = operand('arena', [capacity, 10, 10, 72], true)
  const attributes = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, activation: 'linear', algorithm }
  const filters = operand('state', w, false)
  const steps = [{ op: 'conv2d', x: operand('input', x, true), w: filters, y, ...attributes }]
  const constrain = { op: 'constrain', param: filters, rule: 'nonNegative', incoming: [9, 72, 40] }
  return {
    capacity,
    arenaElements: capacity * 7200,
    inputs: [{ dtype: 'float32', shape: x, batched: true } as const],
    outputs: [y],
    steps: updates ? [...steps, constrain] : steps,
    ...(updates && { updateFrom: 1 }),
    lane: 'infer' as const,
  }
}

test('small batches keep filters as kernels take them, and programs on one state share them', async () => {
  const state = native.createState(9 * 40 * 72)
  const [one, sixteen, many] = [1, 16, 256].map((capacity) => native.createProgram(convolution(capacity, 'winograd4'), state))
  expect(one!.preparedBytes).toBeGreaterThanOrEqual(36 * 40 * 72 * 4)
  const { arenaBytes } = await settledMemory()
  expect(sixteen!.preparedBytes).toBe(one!.preparedBytes)
  expect(many!.preparedBytes).toBe(0)
  const again = native.createProgram(convolution(1, 'winograd4'), state)
  expect(native.memory().arenaBytes).toBe(arenaBytes)
  for (const program of [one, sixteen, many, again]) program!.dispose()
  expect(native.createProgram(convolution(1, 'winograd4', true), state).preparedBytes).toBe(0)
  state.dispose()
})
