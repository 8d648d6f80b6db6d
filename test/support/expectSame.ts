import { expect } from 'vitest'
import { algorithmsOf, binding } from './checkCase'
import { runNative, runReference, writtenBy } from './executeStep'
import type { OpCase } from './opCase'
import { opFacts } from './opFacts'
import { firstDifference, toleranceOf } from './tolerance'

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
    for (const name of writtenBy(c))
      expect(firstDifference(actual[name]!, expected[name]!, toleranceOf(c, name, expected[name]!)), `${c.name} ${algorithm} ${name}`).toBe(
        undefined,
      )
    return actual
  })
  return Object.fromEntries(Object.entries(results[0]!).map(([name, data]) => [name, Array.from(data)]))
}
