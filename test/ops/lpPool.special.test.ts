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

test.each([3, 7.5, 64])('p = %d: powers beyond the range of float neither overflow nor vanish', (p) => {
  for (const size of [1e-30, 1e-3, 0.2, 5, 1e30]) {
    const [forward, backward] = passes(p)
    const { y } = expectSame(forward!, { x: perPixel([-1, 1, 0, 0, 0.5, 0.25, 0, -1].map((value) => value * size)) })
    expect(y![0]! / size).toBeCloseTo((2 + 0.5 ** p + 0.25 ** p) ** (1 / p), 5)
    expect(y![C]! / size).toBeCloseTo(1, 5)
    const { dx } = expectSame(backward!, { x: perPixel([0, 0, 0, 0, 0, 0, 0, -size]), y: perPixel([0, size]), dy: perPixel([5, 7]) })
    expect(dx!.at(-1)).toBeCloseTo(-7, 4)
  }
  const { POSITIVE_INFINITY: high, NaN: nan } = Number
  const { y } = expectSame(passes(p)[0]!, { x: perPixel([high, 1, nan, 2, -2, 0, 1, high]) })
  expect([y![0], y![C]]).toEqual([high, nan])
})
