import { describe, expect, test } from 'vitest'
import { compute, type Input, image } from '../support/compute'

const none = [
  [0, 0],
  [0, 0],
]
const window = (changes = {}) => ({ size: [2, 2], stride: [1, 1], padding: none, dilation: [1, 1], ...changes })
const x = image([
  [8, 0, 11, 1, 6],
  [10, 2, 4, 14, 17],
  [5, 16, 19, 15, 7],
  [12, 13, 9, 18, 3],
])
const shape = [1, 3, 4, 1]
const maxPool = (input: Input, y: readonly number[], attributes = window()) =>
  compute('maxPool2d', { x: input }, { y, positions: y }, attributes)

describe('maxPool2d', () => {
  test('overlapping windows, and the gradient that adds up where they overlap', () => {
    const { y, positions } = maxPool(x, shape)
    expect(Array.from(y!)).toEqual([10, 11, 14, 17, 16, 19, 19, 17, 16, 19, 19, 18])
    expect(Array.from(positions!)).toEqual([2, 1, 3, 3, 3, 3, 2, 1, 1, 1, 0, 2])
    const dy = { shape, data: new Array(12).fill(1) }
    const { dx } = compute('maxPool2dBackward', { dy, positions: { shape, data: positions! } }, { dx: [1, 4, 5, 1] }, window())
    expect(Array.from(dx!)).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 2, 0, 2, 4, 0, 0, 0, 0, 0, 1, 0])
  })

  test('of equal values the first in row-major order receives all', () => {
    const { positions } = maxPool(
      image([
        [3, 3],
        [3, 3],
      ]),
      [1, 1, 1, 1],
    )
    expect(Array.from(positions!)).toEqual([0])
    const second = maxPool(
      image([
        [1, 3],
        [3, 2],
      ]),
      [1, 1, 1, 1],
    )
    expect(Array.from(second.positions!)).toEqual([1])
  })

  test('NaN wins, the first of several; −∞ alone is a maximum', () => {
    const { NaN: nan, NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number
    const result = maxPool(
      image([
        [high, nan],
        [nan, 1],
      ]),
      [1, 1, 1, 1],
    )
    expect([result.y![0], result.positions![0]]).toEqual([nan, 1])
    const least = maxPool(
      image([
        [low, low],
        [low, low],
      ]),
      [1, 1, 1, 1],
    )
    expect([least.y![0], least.positions![0]]).toEqual([low, 0])
  })

  test('positions outside the image are left out, and numbered in the full window', () => {
    const attributes = window({
      size: [3, 3],
      stride: [2, 2],
      padding: [
        [1, 1],
        [1, 1],
      ],
    })
    const { y, positions } = maxPool(
      image([
        [-1, -2],
        [-3, -4],
      ]),
      [1, 1, 1, 1],
      attributes,
    )
    expect([y![0], positions![0]]).toEqual([-1, 4])
  })

  test('the ceil size takes a last window that reaches beyond the image', () => {
    const attributes = window({ stride: [2, 2] })
    expect(Array.from(maxPool(x, [1, 2, 3, 1], attributes).y!)).toEqual([10, 14, 17, 16, 19, 7])
    expect(Array.from(maxPool(x, [1, 2, 2, 1], attributes).y!)).toEqual([10, 14, 16, 19])
  })

  test('dilation: taps lie two apart', () => {
    const attributes = window({ dilation: [2, 2] })
    expect(Array.from(maxPool(x, [1, 2, 3, 1], attributes).y!)).toEqual([19, 16, 19, 12, 18, 17])
  })
})

describe('averagePool2d', () => {
  const average = (input: Input, y: readonly number[], attributes: ReturnType<typeof window>) =>
    Array.from(compute('averagePool2d', { x: input }, { y }, attributes).y!)
  const padded = {
    size: [2, 2],
    stride: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
  }
  const square = image([
    [4, 8],
    [12, 16],
  ])

  test('mean of the window; a gradient of 4 over 2×2 gives 1 each', () => {
    expect(average(x, shape, window())).toEqual([5, 4.25, 7.5, 9.5, 8.25, 10.25, 13, 13.25, 11.5, 14.25, 15.25, 10.75])
    const dy = { shape: [1, 1, 1, 1], data: [4] }
    expect(Array.from(compute('averagePool2dBackward', { dy }, { dx: [1, 2, 2, 1] }, window()).dx!)).toEqual([1, 1, 1, 1])
  })

  test('padding counts or does not', () => {
    expect(average(square, [1, 2, 2, 1], window({ ...padded, countPadding: false }))).toEqual([4, 8, 12, 16])
    expect(average(square, [1, 2, 2, 1], window({ ...padded, countPadding: true }))).toEqual([1, 2, 3, 4])
    const dy = { shape: [1, 2, 2, 1], data: [4, 8, 12, 16] }
    const dx = (countPadding: boolean) =>
      Array.from(compute('averagePool2dBackward', { dy }, { dx: [1, 2, 2, 1] }, window({ ...padded, countPadding })).dx!)
    expect(dx(false)).toEqual([4, 8, 12, 16])
    expect(dx(true)).toEqual([1, 2, 3, 4])
  })

  test('what only the ceil size adds beyond the padding never counts', () => {
    const row: Input = { shape: [1, 1, 3, 1], data: [6, 12, 18] }
    const attributes = window({
      size: [1, 3],
      stride: [1, 2],
      padding: [
        [0, 0],
        [0, 1],
      ],
    })
    expect(average(row, [1, 1, 2, 1], { ...attributes, ...{ countPadding: true } })).toEqual([12, 9])
    expect(average(row, [1, 1, 2, 1], { ...attributes, padding: none, ...{ countPadding: true } })).toEqual([12, 18])
  })
})

test('the sum of gradients is kept by both kinds of pooling', () => {
  const dy = { shape, data: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8] }
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
  const positions = { shape, data: maxPool(x, shape).positions! }
  expect(sum(compute('maxPool2dBackward', { dy, positions }, { dx: x.shape }, window()).dx!)).toBe(52)
  expect(sum(compute('averagePool2dBackward', { dy }, { dx: x.shape }, window()).dx!)).toBe(52)
})
