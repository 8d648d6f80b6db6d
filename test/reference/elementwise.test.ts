import { describe, expect, test } from 'vitest'
import { compute, type Input, vector } from '../support/compute'

const list = (values: Float64Array | undefined) => Array.from(values!)
const map = (op: string, x: number[]) => list(compute(op, { x: vector(x) }, { y: [x.length] }).y)
const backward = (op: string, dy: number[], y: number[]) => list(compute(op, { dy: vector(dy), y: vector(y) }, { dx: [y.length] }).dx)

describe('activations', () => {
  test('relu is max(0, x), lets NaN through, and has no gradient at 0', () => {
    expect(map('relu', [-2, -0, 0, 3, Number.NaN, Number.NEGATIVE_INFINITY])).toEqual([0, 0, 0, 3, Number.NaN, 0])
    expect(backward('reluBackward', [5, 5, 5], [0, 2, -0])).toEqual([0, 5, 0])
  })

  test('sigmoid: ½ at 0, symmetric, no overflow; its derivative is at most ¼', () => {
    const [low, mid, one, high] = map('sigmoid', [-800, 0, 1, 800])
    expect([low, mid, high]).toEqual([0, 0.5, 1])
    expect(one).toBeCloseTo(0.7310585786300049, 15)
    expect(map('sigmoid', [-1])[0]).toBeCloseTo(1 - 0.7310585786300049, 15)
    expect(backward('sigmoidBackward', [1, 2], [0.5, 0.25])).toEqual([0.25, 0.375])
  })

  test('tanh: derivative 1 − y²', () => {
    expect(map('tanh', [0, 800, -800])).toEqual([0, 1, -1])
    expect(map('tanh', [1])[0]).toBeCloseTo(0.7615941559557649, 15)
    expect(backward('tanhBackward', [1, 2], [0, 0.5])).toEqual([1, 1.5])
  })

  test('softmax subtracts the maximum; two units with one logit 0 give the sigmoid', () => {
    const x = (data: number[]): Input => ({ shape: [1, data.length], data })
    const softmax = (data: number[]) => list(compute('softmax', { x: x(data) }, { y: [1, data.length] }).y)
    const [e0, e1, e2] = [Math.exp(1), Math.exp(2), Math.exp(3)]
    for (const [i, e] of [e0, e1, e2].entries()) expect(softmax([1, 2, 3])[i]).toBeCloseTo(e / (e0 + e1 + e2), 15)
    expect(softmax([1e4, 1e4])[0]).toBeCloseTo(0.5, 15)
    expect(softmax([-1e4, 0, -1e4])).toEqual([0, 1, 0])
    expect(softmax([0, 1.5])[1]).toBeCloseTo(map('sigmoid', [1.5])[0]!, 15)
    const { dx } = compute('softmaxBackward', { dy: x([1, 2]), y: x([0.25, 0.75]) }, { dx: [1, 2] })
    expect(list(dx)).toEqual([0.25 * (1 - 1.75), 0.75 * (2 - 1.75)])
  })
})

describe('arithmetic and moving', () => {
  const a = vector([1, -2, 3])
  const b = vector([4, 1, -6])

  test('add, with an activation; multiply; scale', () => {
    expect(list(compute('add', { a, b }, { y: [3] }).y)).toEqual([5, -1, -3])
    expect(list(compute('add', { a, b }, { y: [3] }, { activation: 'relu' }).y)).toEqual([5, 0, 0])
    expect(list(compute('multiply', { a, b }, { y: [3] }).y)).toEqual([4, -2, -18])
    expect(list(compute('scale', { x: a }, { y: [3] }, { factor: 2 }).y)).toEqual([2, -4, 6])
    expect(list(compute('scale', { x: a, s: { shape: [], data: [3] } }, { y: [3] }).y)).toEqual([3, -6, 9])
    expect(list(compute('scale', { x: a, s: { shape: [], data: [3] } }, { y: [3] }, { factor: -0.5 }).y)).toEqual([-1.5, 3, -4.5])
  })

  test('concat and slice go along the last axis', () => {
    const x0 = { shape: [2, 1], data: [1, 2] }
    const x1 = { shape: [2, 2], data: [3, 4, 5, 6] }
    expect(list(compute('concat', { x0, x1 }, { y: [2, 3] }, { count: 2 }).y)).toEqual([1, 3, 4, 2, 5, 6])
    expect(list(compute('slice', { x: x1 }, { y: [2, 1] }, { start: 1 }).y)).toEqual([4, 6])
  })

  test('normalize: one scale for all or one per channel', () => {
    const x = { shape: [1, 2, 2], data: [0, 255, 51, 102] }
    expect(list(compute('normalize', { x }, { y: [1, 2, 2] }, { scale: 1 / 255, offset: 0 }).y)).toEqual([0, 1, 51 / 255, 102 / 255])
    expect(list(compute('normalize', { x }, { y: [1, 2, 2] }, { scale: [1, 2], offset: [-1, 5] }).y)).toEqual([-1, 515, 50, 209])
  })

  test('fill', () => {
    expect(list(compute('fill', {}, { y: [3] }, { value: 1.5 }).y)).toEqual([1.5, 1.5, 1.5])
  })
})

describe('products', () => {
  const x = { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }
  const w = { shape: [3, 2], data: [1, -1, 2, 0, 0, 3] }

  test('dense: bias and activation', () => {
    expect(list(compute('dense', { x, w }, { y: [2, 2] }).y)).toEqual([5, 8, 14, 14])
    const bias = vector([1, -10])
    expect(list(compute('dense', { x, w, bias }, { y: [2, 2] }, { activation: 'relu' }).y)).toEqual([6, 0, 15, 4])
  })

  test('matmul, with either operand transposed', () => {
    const transposed = { shape: [2, 3], data: [1, 2, 0, -1, 0, 3] }
    const tall = { shape: [3, 2], data: [1, 4, 2, 5, 3, 6] }
    const product = [5, 8, 14, 14]
    expect(list(compute('matmul', { a: x, b: w }, { y: [2, 2] }).y)).toEqual(product)
    expect(list(compute('matmul', { a: x, b: transposed }, { y: [2, 2] }, { transposeB: true }).y)).toEqual(product)
    expect(list(compute('matmul', { a: tall, b: w }, { y: [2, 2] }, { transposeA: true }).y)).toEqual(product)
    expect(list(compute('matmul', { a: tall, b: transposed }, { y: [2, 2] }, { transposeA: true, transposeB: true }).y)).toEqual(product)
  })
})

describe('dropout', () => {
  const x = { shape: [8], data: [1, 2, 3, 4, 5, 6, 7, 8] }
  const drop = (rate: number, seed: number, step: number, stream = 0) =>
    list(compute('dropout', { x }, { y: [8] }, { rate, stream }, { seed, step }).y)

  test('keeps what the published words say and scales it', () => {
    // Counter 0 with key 0: 6627e8d5 e169c58d bc57ac4c 9b00dbd8; half of 2³² is 80000000.
    expect(drop(0.5, 0, 0).slice(0, 4)).toEqual([0, 4, 6, 8])
    expect(drop(0.75, 0, 0).slice(0, 4)).toEqual([0, 8, 0, 0])
    expect(drop(0, 7, 1)).toEqual(x.data)
  })

  test('depends on seed, step and stream, all of their 64 bits', () => {
    const masks = [
      drop(0.5, 1, 1),
      drop(0.5, 2, 1),
      drop(0.5, 1, 2),
      drop(0.5, 1, 1, 1),
      drop(0.5, 1 + 2 ** 32, 1),
      drop(0.5, 1, 1 + 2 ** 32),
    ]
    expect(drop(0.5, 1, 1)).toEqual(masks[0])
    expect(new Set(masks.map(String)).size).toBe(masks.length)
  })
})
