import { describe, expect, test } from 'vitest'
import { compute, differences, sizeOf } from '../support/compute'

const row = (data: number[]) => ({ shape: [1, data.length, 1], data })
const resized = (data: number[], size: number, interpolation: string) =>
  Array.from(compute('resize1d', { x: row(data) }, { y: [1, size, 1] }, { interpolation }).y!)

describe('results by hand: pixels lie at the middle of their area', () => {
  test('along one axis', () => {
    expect(resized([1, 2], 4, 'linear')).toEqual([1, 1.25, 1.75, 2])
    expect(resized([10, 20, 30], 5, 'linear').map((value) => Math.round(value * 1e9) / 1e9)).toEqual([10, 14, 20, 26, 30])
    expect(resized([1, 2, 3, 4], 2, 'linear')).toEqual([1.5, 3.5])
    expect(resized([1, 2, 3, 4, 9], 1, 'linear')).toEqual([3])
    expect(resized([5, 6, 7], 3, 'linear')).toEqual([5, 6, 7])
    expect(resized([1, 2], 4, 'nearest')).toEqual([1, 1, 2, 2])
    expect(resized([10, 20, 30], 5, 'nearest')).toEqual([10, 10, 20, 30, 30])
    expect(resized([1, 2, 3, 4, 5], 2, 'nearest')).toEqual([2, 4])
  })

  test('along two axes: the product of the weights', () => {
    const x = { shape: [1, 2, 2, 1], data: [0, 4, 8, 16] }
    const { y } = compute('resize2d', { x }, { y: [1, 4, 4, 1] }, { interpolation: 'linear' })
    expect(Array.from(y!)).toEqual([0, 1, 3, 4, 2, 3.25, 5.75, 7, 6, 7.75, 11.25, 13, 8, 10, 14, 16])
  })

  test('infinity reaches only what reads it', () => {
    expect(resized([Number.POSITIVE_INFINITY, 1, 2], 3, 'linear')).toEqual([Number.POSITIVE_INFINITY, 1, 2])
  })

  test('the gradient goes back by the same weights', () => {
    const back = (interpolation: string) =>
      Array.from(compute('resize1dBackward', { dy: row([1, 10, 100, 1000]) }, { dx: [1, 2, 1] }, { interpolation }).dx!)
    expect(back('linear')).toEqual([1 + 7.5 + 25, 2.5 + 75 + 1000])
    expect(back('nearest')).toEqual([11, 1100])
  })
})

test.each([
  { x: [2, 3, 2], y: [2, 7, 2] },
  { x: [1, 5, 4, 2], y: [1, 3, 9, 2] },
  { x: [1, 2, 3, 2, 1], y: [1, 5, 2, 3, 1] },
])('finite differences, $x to $y', ({ x: from, y: to }) => {
  const op = `resize${from.length - 2}d`
  for (const interpolation of ['linear', 'nearest']) {
    const data = Float64Array.from({ length: sizeOf(from) }, (_, i) => Math.sin(7.3 * i + 1))
    const dy = Float64Array.from({ length: sizeOf(to) }, (_, i) => Math.cos(3.1 * i))
    const { dx } = compute(`${op}Backward`, { dy: { shape: to, data: dy } }, { dx: from }, { interpolation })
    const loss = () =>
      compute(op, { x: { shape: from, data } }, { y: to }, { interpolation }).y!.reduce((sum, value, i) => sum + value * dy[i]!, 0)
    for (const [i, slope] of differences(loss, data).entries()) expect(dx![i]).toBeCloseTo(slope, 6)
  }
})
