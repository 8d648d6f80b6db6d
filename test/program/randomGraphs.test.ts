import { expect, test } from 'vitest'
import { compileProgram } from '../../lib/program/compile'
import { firstOtherBit } from '../support/tolerance'
import { randomTraining } from './randomGraph'
import { memoryFaults, runSpec } from './runSpec'

const off = { fuse: false, order: false, inPlace: false, share: false }
const passes = ['fuse', 'order', 'inPlace', 'share'] as const
const GRAPHS = 150

/** Outputs and state after two training steps. */
function train(seed: number, on: Partial<typeof off>) {
  const graph = randomTraining(seed)
  const { spec } = compileProgram({ ...graph, passes: { ...off, ...on, sums: false } })
  const faults = memoryFaults(spec)
  const state = graph.initial()
  const n = Math.max(1, graph.capacity - 1)
  const outputs = [n, graph.capacity].map((rows) => runSpec(spec, state, graph.arrays(rows), rows))
  return { spec, faults, numbers: Float64Array.from([...outputs.flat(2), ...state]) }
}

test('on random networks no pass changes a bit of losses, outputs and weights', () => {
  let [fused, shared] = [0, 0]
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const plain = train(seed, {})
    expect(plain.faults, `seed ${seed}`).toEqual([])
    expect(plain.numbers.every(Number.isFinite), `seed ${seed}`).toBe(true)
    const all = train(seed, { fuse: true, order: true, inPlace: true, share: true })
    expect(all.faults, `seed ${seed}`).toEqual([])
    expect(firstOtherBit(all.numbers, plain.numbers), `seed ${seed}`).toBe(undefined)
    for (const pass of passes) {
      const one = train(seed, { [pass]: true })
      expect(one.faults, `seed ${seed}, ${pass}`).toEqual([])
      expect(firstOtherBit(one.numbers, plain.numbers), `seed ${seed}, ${pass}`).toBe(undefined)
    }
    if (all.spec.steps.length < plain.spec.steps.length) fused++
    if (all.spec.arenaElements < plain.spec.arenaElements) shared++
  }
  // The passes had something to do.
  expect(fused).toBeGreaterThan(GRAPHS / 2)
  expect(shared).toBeGreaterThan(GRAPHS * 0.9)
}, 120_000)
