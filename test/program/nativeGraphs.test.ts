import { expect, test } from 'vitest'
import { compileProgram } from '../../lib/program/compile'
import { nativeRuntime } from '../../lib/runtime/native'
import { randomTraining } from './randomGraph'
import { runSpec, scalars } from './runSpec'

/** Rounded to float32 and back, so that both runtimes begin with the same numbers. */
const rounded = (numbers: Float64Array) => Float64Array.from(Float32Array.from(numbers))

test('the native core takes what the compiler makes of random networks, and computes the same', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const graph = randomTraining(seed)
    const { spec } = compileProgram(graph)
    const expectedState = rounded(graph.initial())
    const state = nativeRuntime().createState(graph.layout.elements)
    await state.write(0, Float32Array.from(expectedState))
    const program = nativeRuntime().createProgram(spec, state)
    for (const n of [1, graph.capacity]) {
      const [x, labels, targets] = graph.arrays(n).map(rounded) as [Float64Array, Float64Array, Float64Array]
      const expected = runSpec(spec, expectedState, [x, labels, targets], n)
      const inputs = [{ data: Float32Array.from(x) }, { data: Int32Array.from(labels) }, { data: Float32Array.from(targets) }]
      const outputs = await program.run({ n, inputs, scalars })
      for (const [index, output] of outputs.entries()) expectClose(output, expected[index]!, `seed ${seed}, n ${n}, output ${index}`)
    }
    const { length } = expectedState
    expectClose(await state.read(0, length), Array.from(expectedState), `seed ${seed}, state`)
    program.dispose()
    state.dispose()
  }
})

function expectClose(actual: Float32Array | Int32Array, expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length)
  // A small loss is a difference of logits around 1, and has their rounding errors.
  const size = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0.1)
  const worst = expected.reduce((at, x, index) => (Math.abs(x - actual[index]!) > Math.abs(expected[at]! - actual[at]!) ? index : at), 0)
  expect(Math.abs(actual[worst]! - expected[worst]!) / size, `${what}, element ${worst}`).toBeLessThan(2e-5)
}
