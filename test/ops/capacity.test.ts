import { expect, test } from 'vitest'
import { allCases } from '../support/cases'
import { algorithmsOf, binding } from '../support/checkCase'
import { sizeOf } from '../support/compute'
import type { OpCase } from '../support/opCase'
import { isBatched } from '../support/opFacts'
import { matmulCase } from '../support/productCases'
import { programOf } from '../support/runProgram'

const MOST = 1 << 22 // elements of a program's operands
const capacities = [1, 3, 16, 100, 257, 1023, 1024, 4096]

/** Memory that a step needs beside its operands, in a program of this capacity. */
function scratchOf(c: OpCase, algorithm: string, capacity: number): number {
  const { spec, stateElements } = programOf(c, algorithm, capacity)
  const state = stateElements > 0 ? binding.createState(stateElements) : undefined
  const program = binding.createProgram(spec, state)
  const bytes = program.arenaBytes - 4 * spec.arenaElements
  program.dispose()
  state?.dispose()
  return bytes
}

/** A program has the memory that a run of its capacity needs: one of fewer rows must not need more, whatever way it is computed. */
function expectToGrow(c: OpCase): void {
  const row = Object.keys(c.shapes).reduce((sum, name) => sum + (isBatched(c, name) ? sizeOf(c.shapes[name]!.slice(1)) : 0), 0)
  if (row === 0) return
  for (const algorithm of algorithmsOf(c)) {
    const bytes = capacities.filter((capacity) => capacity * row <= MOST).map((capacity) => scratchOf(c, algorithm, capacity))
    expect(bytes, `${c.name} ${algorithm}`).toEqual(bytes.toSorted((a, b) => a - b))
  }
}

test('a run of fewer rows than the capacity needs no more scratch memory', () => {
  const some = allCases(binding.kernelInfo()).filter((_, i) => i % 7 === 0) // all of them take minutes
  for (const c of some) expectToGrow(c)
}, 300_000)

// How weight gradients are multiplied depends on the number of rows, and the ways differ in what they pack.
test('nor does a weight gradient of a dense layer', () => {
  for (const inputs of [13, 40, 130, 185, 235, 297])
    for (const outputs of [30, 32, 261, 300, 338, 692]) expectToGrow(matmulCase(inputs, outputs, 1, true))
})
