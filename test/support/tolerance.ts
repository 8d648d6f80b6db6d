import type { OpCase } from './opCase'
import { opFacts } from './opFacts'

/** Distance between 1 and the next float32. */
export const EPSILON = 2 ** -23

/** What Winograd's transforms add to the rounding, by the number of points along a side: their factors grow with it. */
const winogradFactors: Readonly<Record<number, number>> = { 4: 2, 6: 8, 8: 64 }

function winogradFactor({ shapes }: OpCase, algorithm: string): number {
  const outputs = /^winograd(\d)$/.exec(algorithm)?.[1]
  return outputs ? winogradFactors[Number(outputs) + (shapes.w ?? shapes.dw)![0]! - 1]! : 1
}

/**
 * How far a float32 result may lie from the one in double precision: c · ε · K · max|expected|, with c and K of the op. Where terms cancel, the
 * largest expected value says nothing about the sizes of what was added, so it counts as at least 1, the size of the data (or the op's own floor).
 */
export function toleranceOf(c: OpCase, output: string, expected: Float64Array, algorithm = ''): number {
  const { factor, terms, floor } = opFacts[c.op]!
  let largest = floor ? floor(c, output) : 1
  for (const value of expected) if (Math.abs(value) > largest && Number.isFinite(value)) largest = Math.abs(value)
  return factor * EPSILON * terms(c, output) * largest * winogradFactor(c, algorithm)
}

/** Where `actual` first differs from `expected` by more than `tolerance`; NaN equals NaN, infinities equal themselves. */
export function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!]
    const isSame = a === e || (Number.isNaN(a) && Number.isNaN(e)) || Math.abs(a - e) <= tolerance
    if (!isSame) return `[${i}] is ${a} instead of ${e}, tolerance ${tolerance}`
  }
  return undefined
}

/** Where two arrays first differ in a bit. That they don't is the rule: the comparison of memory costs a hundredth of a walk over the bytes. */
export function firstOtherBit(a: ArrayBufferView, b: ArrayBufferView): number | undefined {
  const [x, y] = [a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) as [Uint8Array, Uint8Array]
  if (Buffer.compare(x, y) === 0) return undefined
  const at = x.findIndex((byte, i) => byte !== y[i])
  return at < 0 ? x.length : at
}
