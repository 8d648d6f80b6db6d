import { expect } from 'vitest'
import { algorithmsOf, binding, isWinograd } from './checkCase'
import { runNative, runReference, writtenBy } from './executeStep'
import type { OpCase } from './opCase'
import { opFacts } from './opFacts'
import { firstDifference, toleranceOf } from './tolerance'

/** Takes over what is expected wherever both, or the actual value alone beside one that is expected, aren't finite. */
function spread(actual: ArrayLike<number> & { fill(value: number, start: number, end: number): unknown }, expected: Float64Array): void {
  if (expected.every(Number.isFinite)) return
  for (let i = 0; i < expected.length; i++) if (!Number.isFinite(actual[i])) actual.fill(expected[i]!, i, i + 1)
}

/** Runs a case on values of the caller's: every algorithm gives what the reference gives. Returns that of the default algorithm. */
export function expectSame(c: OpCase, values: Readonly<Record<string, readonly number[] | Float32Array>>): Record<string, number[]> {
  const tensors = Object.fromEntries(
    Object.entries(values).map(([name, data]) => {
      const isWhole = opFacts[c.op]!.dtypes?.[name] === 'int32' || (name === 'labels' && c.shapes.labels!.length === 1)
      return [name, isWhole ? Int32Array.from(data) : Float32Array.from(data)]
    }),
  )
  const expected = runReference(c, tensors)
  const results = algorithmsOf(c).map((algorithm) => {
    const actual = runNative(binding, c, tensors, algorithm)
    // Winograd's sums mix the pixels of a tile: what is not finite spoils all of it, and is never lost.
    if (isWinograd(algorithm)) for (const name of writtenBy(c)) spread(actual[name]!, expected[name]!)
    for (const name of writtenBy(c))
      expect(
        firstDifference(actual[name]!, expected[name]!, toleranceOf(c, name, expected[name]!, algorithm)),
        `${c.name} ${algorithm} ${name}`,
      ).toBe(undefined)
    return actual
  })
  return Object.fromEntries(Object.entries(results[0]!).map(([name, data]) => [name, Array.from(data)]))
}
