import fc from 'fast-check'
import { describe, test } from 'vitest'
import type { KernelInfo } from '../../binding'
import { allCases } from './cases'
import { binding, checkCase, checkProgram } from './checkCase'
import { keepCounts } from './counts'
import { type OpCase, rowEdges, vectorEdges } from './opCase'

/** Elements that a case's operands may have together: larger ones are for `.ci/run`, and not for emulators, which would take a minute for some of them. */
const LARGEST = Number(process.env.CONVLANE_LARGEST_CASE ?? Number.POSITIVE_INFINITY)
const isLeftOut = ({ shapes }: OpCase): boolean =>
  Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0) > LARGEST

/** What sizes of cases are drawn to: vectors and tiles of the kernels in use, or of the emulated processor that this run computes results for. */
const tiles: KernelInfo = process.env.CONVLANE_KERNEL_INFO ? JSON.parse(process.env.CONVLANE_KERNEL_INFO) : binding.kernelInfo()

let list: readonly OpCase[] | undefined
/** The list, made once for all files of a process: making it for each op took half of the time. */
const listed = (): readonly OpCase[] => {
  list ??= allCases(tiles)
  return list
}

/** One test for each case of the list that belongs to the op: eager on every algorithm, and as a program. */
export function describeCases(op: string): void {
  const cases = new Map(
    listed()
      .filter((c) => c.op === op && !isLeftOut(c))
      .map((c, i) => [`${i + 1}: ${c.name}`, c] as const),
  )
  keepCounts()
  if (cases.size === 0) throw new Error(`no case in the list for ${op}`)
  describe(`${op} is the reference's`, () => {
    for (const [name, c] of cases)
      test(name, async () => {
        const own = { ...c } // tensors live as long as the case that they were made for
        await checkProgram(own, checkCase(own, 'listed'))
      })
  })
}

/** Sizes that random cases are drawn to: around those of vectors and tiles. */
export const edges: readonly number[] = [...vectorEdges(tiles), ...rowEdges(tiles)]

/** At least this many property cases for each op, pass and algorithm, on each instruction set; the first ones of a larger number. */
export const PROPERTY_CASES = Number(process.env.CONVLANE_PROPERTY_CASES)

/** One test over random cases; each of them may be several passes, which all count. */
export function property(name: string, cases: fc.Arbitrary<readonly OpCase[]>, runs = PROPERTY_CASES): void {
  keepCounts()
  test(`${name}, ${runs} random cases`, () => {
    fc.assert(
      fc.property(cases, (passes) => {
        for (const c of passes) checkCase(c, 'property')
      }),
      { seed: 20, numRuns: runs },
    )
  })
}
