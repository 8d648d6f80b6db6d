import { expect, test } from 'vitest'
import { allCases } from '../support/cases'
import { algorithmsOf, binding, checkBits } from '../support/checkCase'
import { sizeOf } from '../support/compute'
import { PROPERTY_CASES } from '../support/describeCases'
import { tensorsOf } from '../support/executeStep'
import type { OpCase } from '../support/opCase'
import { isBatched } from '../support/opFacts'
import { denseCase, matmulCase } from '../support/productCases'
import { openProgram } from '../support/runProgram'
import { firstOtherBit } from '../support/tolerance'

const MOST = 1 << 22 // elements of a program's operands
const capacities = [1, 3, 16, 100, 257, 1023, 1024, 4096]
const cases = allCases(binding.kernelInfo())
/** One case in so many: all of them take minutes. `.ci/run`, which asks for all property cases, takes more. */
const [every, everyRun] = PROPERTY_CASES >= 500 ? [7, 31] : [29, 61]

/** Memory that a step needs beside its operands, in a program of this capacity. */
function scratchOf(c: OpCase, algorithm: string, capacity: number): number {
  const program = openProgram(binding, c, algorithm, capacity)
  program.dispose()
  return program.scratchBytes
}

/** Elements of all operands for one row of the batch; 0 where there is none. */
const rowOf = (c: OpCase): number =>
  Object.keys(c.shapes).reduce((sum, name) => sum + (isBatched(c, name) ? sizeOf(c.shapes[name]!.slice(1)) : 0), 0)

/** A program has the memory that a run of its capacity needs: one of fewer rows must not need more, whatever way it is computed. */
function expectToGrow(c: OpCase): void {
  const row = rowOf(c)
  if (row === 0) return
  for (const algorithm of algorithmsOf(c)) {
    const bytes = capacities.filter((capacity) => capacity * row <= MOST).map((capacity) => scratchOf(c, algorithm, capacity))
    expect(bytes, `${c.name} ${algorithm}`).toEqual(bytes.toSorted((a, b) => a - b))
  }
}

test('a run of fewer rows than the capacity needs no more scratch memory', () => {
  for (const [i, c] of cases.entries()) if (i % every === 0) expectToGrow(c)
}, 300_000)

// How weight gradients are multiplied depends on the number of rows, and the ways differ in what they pack.
test('nor does a weight gradient of a dense layer', () => {
  for (const inputs of [13, 40, 130, 185, 235, 297])
    for (const outputs of [30, 32, 261, 300, 338, 692]) expectToGrow(matmulCase(inputs, outputs, 1, true))
})

/** The case with so many rows in its batch. */
const withRows = (c: OpCase, rows: number): OpCase => ({
  ...c,
  shapes: Object.fromEntries(
    Object.entries(c.shapes).map(([name, shape]) => [name, isBatched(c, name) ? [rows, ...shape.slice(1)] : shape]),
  ),
})

/** A program of this capacity gives the same for its first rows as one for no more than these, whatever it has left in its memory before. */
async function expectSameRows(c: OpCase, capacity: number, rows: readonly number[]): Promise<void> {
  const full = withRows(c, capacity)
  const tensors = tensorsOf(full, false)
  for (const algorithm of algorithmsOf(full)) {
    const program = openProgram(binding, full, algorithm, capacity)
    await program.run(tensors, capacity)
    for (const n of rows) {
      const own = openProgram(binding, withRows(c, n), algorithm, n)
      checkBits(c, algorithm, `${n} rows of ${capacity}`, await own.run(tensors, n), await program.run(tensors, n))
      own.dispose()
    }
    program.dispose()
  }
}

test('fewer rows than the capacity give what they give alone', async () => {
  const capacity = 35
  for (const [i, c] of cases.entries()) {
    const row = rowOf(c)
    if (i % everyRun === 0 && row > 0 && row * capacity <= 1 << 18) await expectSameRows(c, capacity, [1, 2, 7, 16, 33, 34])
  }
}, 300_000)

// What a predictor answers for a sample must not depend on those that it is computed with.
test('a row of a dense layer has the same bits alone as among others', async () => {
  const capacity = 20
  for (const [inputs, outputs] of [
    [40, 500],
    [1030, 37],
    [2100, 530],
    [2050, 2051], // so many weights that few rows go a way of their own
  ] as const) {
    const full = denseCase(capacity, inputs, outputs, true, 'relu')
    const tensors = tensorsOf(full, false)
    const program = openProgram(binding, full, '', capacity)
    const all = (await program.run(tensors, capacity)).y!.slice()
    for (const n of [1, 2, 3, 4, 7, 16, 17]) {
      const { y } = await program.run(tensors, n)
      expect(firstOtherBit(y!.subarray(0, n * outputs), all.subarray(0, n * outputs)), `${inputs} to ${outputs}, ${n} rows`).toBeUndefined()
    }
    program.dispose()
  }
})
