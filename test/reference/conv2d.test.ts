import { describe, expect, test } from 'vitest'
import { compute, convolution, filter, type Input, image } from '../support/compute'

const a = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
]
const f = [
  [10, 20],
  [30, 40],
]
const rotated = [
  [40, 30],
  [20, 10],
]
const full = convolution({
  padding: [
    [1, 1],
    [1, 1],
  ],
})

const correlate = (x: Input, w: Input, [OH, OW]: [number, number], attributes = convolution()) =>
  Array.from(compute('conv2d', { x, w }, { y: [1, OH, OW, w.shape[3]!] }, attributes).y!)

describe('conv2d is the cross-correlation of scipy.signal', () => {
  test('valid', () => {
    expect(correlate(image(a), filter(f), [2, 2])).toEqual([370, 470, 670, 770])
    expect(correlate(image(a), filter(rotated), [2, 2])).toEqual([230, 330, 530, 630])
  })

  test('full, by padding', () => {
    expect(correlate(image(a), filter(f), [4, 4], full)).toEqual([
      40, 110, 180, 90, 180, 370, 470, 210, 360, 670, 770, 330, 140, 230, 260, 90,
    ])
    expect(correlate(image(a), filter(rotated), [4, 4], full)).toEqual([
      10, 40, 70, 60, 70, 230, 330, 240, 190, 530, 630, 420, 210, 520, 590, 360,
    ])
  })

  test('a stack of maps adds over depth', () => {
    const b = [
      [9, 8, 7],
      [6, 5, 4],
      [3, 2, 1],
    ]
    const stack: Input = { shape: [1, 3, 3, 2], data: a.flatMap((row, h) => row.flatMap((value, w) => [value, b[h]![w]!])) }
    const filters: Input = { shape: [2, 2, 2, 1], data: [1, 5, 2, 6, 3, 7, 4, 8] }
    expect(correlate(stack, filters, [2, 2])).toEqual([212, 196, 164, 148])
    const depthwise = convolution({ groups: 2 })
    const separate: Input = { shape: [2, 2, 1, 2], data: [1, 5, 2, 6, 3, 7, 4, 8] }
    expect(correlate(stack, separate, [2, 2], depthwise)).toEqual([37, 175, 47, 149, 67, 97, 77, 71])
  })

  test('one dimension: stride drops windows that do not fit, full flips the kernel of a convolution', () => {
    const [k1, k2] = [2, 3]
    const row = (...values: number[]): Input => ({ shape: [1, 1, values.length, 1], data: values })
    const kernel: Input = { shape: [1, 2, 1, 1], data: [k1, k2] }
    const [p, q, r, s, t] = [5, 7, 11, 13, 17]
    const pairs = [p * k1 + q * k2, q * k1 + r * k2, r * k1 + s * k2, s * k1 + t * k2]
    expect(correlate(row(p, q, r, s, t), kernel, [1, 4])).toEqual(pairs)
    expect(correlate(row(p, q, r, s), kernel, [1, 2], convolution({ stride: [1, 2] }))).toEqual([pairs[0], pairs[2]])
    expect(correlate(row(p, q, r, s), kernel, [1, 1], convolution({ stride: [1, 3] }))).toEqual([pairs[0]])
    const flipped: Input = { shape: [1, 2, 1, 1], data: [k2, k1] }
    const padding = [
      [0, 0],
      [1, 1],
    ]
    expect(correlate(row(p, q, r), flipped, [1, 4], convolution({ padding }))).toEqual([p * k1, p * k2 + q * k1, q * k2 + r * k1, r * k2])
  })

  test('padding per side, stride and dilation per dimension', () => {
    const padding = [
      [1, 0],
      [0, 2],
    ]
    expect(correlate(image(a), filter(f), [3, 4], convolution({ padding }))).toEqual([110, 180, 90, 0, 370, 470, 210, 0, 670, 770, 330, 0])
    expect(correlate(image(a), filter(f), [1, 2], convolution({ stride: [2, 1] }))).toEqual([370, 470])
    expect(correlate(image(a), filter(f), [2, 1], convolution({ dilation: [1, 2] }))).toEqual([
      1 * 10 + 3 * 20 + 4 * 30 + 6 * 40,
      4 * 10 + 6 * 20 + 7 * 30 + 9 * 40,
    ])
  })

  test('bias per filter, then the activation', () => {
    const w: Input = { shape: [1, 1, 1, 2], data: [1, -1] }
    const x: Input = { shape: [1, 1, 2, 1], data: [2, 5] }
    const bias: Input = { shape: [2], data: [0.5, 3] }
    const y = (activation: string) => Array.from(compute('conv2d', { x, w, bias }, { y: [1, 1, 2, 2] }, convolution({ activation })).y!)
    expect(y('linear')).toEqual([2.5, 1, 5.5, -2])
    expect(y('relu')).toEqual([2.5, 1, 5.5, 0])
    expect(y('tanh')).toEqual([2.5, 1, 5.5, -2].map(Math.tanh))
    expect(y('sigmoid')[0]).toBeCloseTo(1 / (1 + Math.exp(-2.5)), 15)
  })
})

describe('backward through a 3×3 map and a 2×2 filter, every term written out', () => {
  const x = [2, 3, 5, 7, 11, 13, 17, 19, 23]
  const w = [29, 31, 37, 41]
  const dz = [43, 47, 53, 59]
  const [w11, w12, w21, w22] = w as [number, number, number, number]
  const [d11, d12, d21, d22] = dz as [number, number, number, number]

  test('input gradient: convolution, full, with the filter', () => {
    const step = { dy: { shape: [1, 2, 2, 1], data: dz }, w: { shape: [2, 2, 1, 1], data: w } }
    expect(Array.from(compute('conv2dBackwardInput', step, { dx: [1, 3, 3, 1] }, convolution()).dx!)).toEqual([
      d11 * w11,
      d11 * w12 + d12 * w11,
      d12 * w12,
      d11 * w21 + d21 * w11,
      d11 * w22 + d12 * w21 + d21 * w12 + d22 * w11,
      d12 * w22 + d22 * w12,
      d21 * w21,
      d21 * w22 + d22 * w21,
      d22 * w22,
    ])
  })

  test('weight gradient: correlation of the input with dz; bias gradient: the sum of dz', () => {
    const step = { dy: { shape: [1, 2, 2, 1], data: dz }, x: { shape: [1, 3, 3, 1], data: x } }
    const at = (h: number, v: number) => x[h * 3 + v]!
    const expected = [0, 1].flatMap((h) =>
      [0, 1].map((v) => d11 * at(h, v) + d12 * at(h, v + 1) + d21 * at(h + 1, v) + d22 * at(h + 1, v + 1)),
    )
    expect(Array.from(compute('conv2dBackwardWeights', step, { dw: [2, 2, 1, 1] }, convolution()).dw!)).toEqual(expected)
    expect(Array.from(compute('biasGradient', { dy: step.dy }, { db: [1] }).db!)).toEqual([d11 + d12 + d21 + d22])
  })

  test('stride 2 with a remainder: dz is spread with zeros between and at the end', () => {
    const dy: Input = { shape: [1, 1, 1, 1], data: [3] }
    const attributes = convolution({ stride: [2, 2] })
    const dx = compute('conv2dBackwardInput', { dy, w: filter(f) }, { dx: [1, 3, 3, 1] }, attributes).dx!
    expect(Array.from(dx)).toEqual([30, 60, 0, 90, 120, 0, 0, 0, 0])
    const dw = compute('conv2dBackwardWeights', { dy, x: image(a) }, { dw: [2, 2, 1, 1] }, attributes).dw!
    expect(Array.from(dw)).toEqual([3, 6, 12, 15])
  })

  test('padding: the border is cropped from dx', () => {
    const dy: Input = { shape: [1, 4, 4, 1], data: new Array(16).fill(1) }
    const dx = compute('conv2dBackwardInput', { dy, w: filter(f) }, { dx: [1, 3, 3, 1] }, full).dx!
    expect(Array.from(dx)).toEqual(new Array(9).fill(100))
    const dw = compute('conv2dBackwardWeights', { dy, x: image(a) }, { dw: [2, 2, 1, 1] }, full).dw!
    expect(Array.from(dw)).toEqual(new Array(4).fill(45))
  })
})
