import { expect, test } from 'vitest'
import { expectSame } from '../support/expectSame'
import { poolPassesOf } from '../support/poolingCases'

const C = 75
const perPixel = (values: readonly number[]) => Array.from({ length: C * values.length }, (_, i) => values[Math.floor(i / C)]!)
const passes = (p: number) => poolPassesOf({ H: 2, W: 4, C, size: [2, 2], p }).filter(({ op }) => op.startsWith('lpPool'))

test.each([1, 2, 3])('p = %d: a window of zeros gives 0 and no gradient, NaN spoils its own window alone', (p) => {
  const [forward, backward] = passes(p)
  const zeros = perPixel([0, -0, 1, 0, 0, 0, 0, 0])
  expect(expectSame(forward!, { x: zeros }).y!.filter((_, i) => i % C === 0)).toEqual([0, 1])
  const { dx } = expectSame(backward!, { x: zeros, y: perPixel([0, 1]), dy: perPixel([5, 7]) })
  expect(dx!.filter((_, i) => i % C === 0).map((value) => value + 0)).toEqual([0, 0, 7, 0, 0, 0, 0, 0])
  const { y } = expectSame(forward!, { x: perPixel([Number.NaN, 0, 0, 2, 1, 1, 0, 0]) })
  expect([y![0], y![C]]).toEqual([Number.NaN, expect.closeTo(2, 6)])
})
