import { describe, expect, test } from 'vitest'
import type { Binding, KernelInfo, Operand, Step } from '../../binding'
import { reference } from '../../lib/reference'
import type { ReferenceOperand } from '../../lib/reference/step'
import { allCases } from '../support/cases'
import { checkExpected } from '../support/checkCase'
import { runNative, runReference, tensorsOf, type Values } from '../support/executeStep'
import { denseCase } from '../support/productCases'
import { firstDifference, firstOtherBit, toleranceOf } from '../support/tolerance'

/** Tiles of several instruction sets, so that the list is looked at whatever this machine has. */
const tiles: KernelInfo[] = [
  { width: 1, vectors: 4, rows: [0, 4, 4, 4, 3] },
  { width: 8, vectors: 2, rows: [0, 12, 6] },
  { width: 16, vectors: 4, rows: [0, 16, 14, 8, 6] },
]

describe('the list of cases', () => {
  const lists = tiles.map(allCases)

  test('has as many cases of every op whatever the tiles', () => {
    const counts = lists.map((cases) => Object.keys(reference).map((op) => cases.filter((c) => c.op === op).length))
    expect(counts[0]!.every((count) => count > 0)).toBe(true)
    for (const other of counts) expect(other).toEqual(counts[0])
  })
})

describe('the comparison', () => {
  const c = denseCase(3, 4, 5)
  const tensors = tensorsOf(c, false)
  const expected = runReference(c, tensors)

  /** A core that computes with the reference and then does what it should not. */
  const coreThat = (spoil: (buffers: readonly Values[]) => void): Binding => {
    const execute = (step: Step, buffers: readonly Values[]) => {
      const operands: Record<string, ReferenceOperand> = {}
      for (const name of Object.keys(c.shapes)) {
        const { offset, shape } = step[name] as Operand
        operands[name] = { data: buffers[offset]!, shape }
      }
      reference[step.op]!({ operands, attributes: c.attributes, scalars: {} })
      spoil(buffers)
    }
    return { execute } as unknown as Binding
  }
  const differenceOf = (core: Binding) => {
    const y = runNative(core, c, tensors).y!
    return firstDifference(y, expected.y!, toleranceOf(c, 'y', expected.y!))
  }

  test('accepts rounding to float32', () => {
    expect(differenceOf(coreThat(() => {}))).toBe(undefined)
  })

  test('notices one wrong value, one missing value and one NaN', () => {
    for (const wrong of [expected.y![7]! + 1e-4, Number.NaN, Number.POSITIVE_INFINITY])
      expect(differenceOf(coreThat(([, , , y]) => y!.fill(wrong, 7, 8)))).toMatch(/^\[7\]/)
    expect(firstDifference([1, 2], [1, 2, 3], 1)).toBe('2 values instead of 3')
  })

  test('notices a write beyond either end of an operand, and into one that is only read', () => {
    const beyond = (by: number) => coreThat((buffers) => new Float32Array(buffers[3]!.buffer).fill(0, 67 + by, 68 + by))
    expect(() => differenceOf(beyond(-1))).toThrow('wrote beyond y')
    expect(() => differenceOf(beyond(15))).toThrow('wrote beyond y')
    expect(differenceOf(beyond(14))).toMatch(/^\[14\]/)
    expect(() => differenceOf(coreThat(([x]) => x!.fill(0, 2, 3)))).toThrow('changed x')
  })

  test('tells bits apart that compare equal', () => {
    expect(firstOtherBit(Float32Array.of(1, 0), Float32Array.of(1, -0))).toBe(7)
    expect(firstOtherBit(Float32Array.of(1, Number.NaN), Float32Array.of(1, Number.NaN))).toBe(undefined)
  })

  test('refuses a case whose result is not defined everywhere, or whose tolerance would hide a wrong term', () => {
    expect(() => checkExpected(c, { y: expected.y!.map((value, i) => (i === 3 ? Number.NaN : value)) })).toThrow('y is not finite')
    expect(() => checkExpected(c, { y: expected.y!.map((value) => value * 1e9).fill(0, 1) })).not.toThrow()
    const long = denseCase(1, 2 ** 20, 1)
    expect(() => checkExpected(long, { y: Float64Array.of(0.05) })).toThrow(/y may be off by 0\.\d+ of 0\.05/)
  })
})
