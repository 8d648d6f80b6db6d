import { describe, expect, test } from 'vitest'
import type { Attributes } from '../../lib/ops/op'
import { compute, type Input, vector } from '../support/compute'

const list = (values: Float64Array | undefined) => Array.from(values!)
const map = (op: string, x: number[], attributes: Attributes = {}) => list(compute(op, { x: vector(x) }, { y: [x.length] }, attributes).y)
const backward = (op: string, dy: number[], y: number[], attributes: Attributes = {}, from = 'y') =>
  list(compute(op, { dy: vector(dy), [from]: vector(y) }, { dx: [y.length] }, attributes).dx)

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

describe('more activations', () => {
  const near = (found: readonly number[], expected: readonly number[]) =>
    expected.forEach((value, i) => {
      expect(found[i], `[${i}]`).toBeCloseTo(value, 14)
    })
  const inf = Number.POSITIVE_INFINITY

  test('leakyRelu: the slope below 0, its gradient too, 0 included', () => {
    expect(map('leakyRelu', [-4, 0, 3, -inf, Number.NaN], { slope: 0.25 })).toEqual([-1, 0, 3, -inf, Number.NaN])
    expect(backward('leakyReluBackward', [8, 8, 8], [-1, 0, 2], { slope: 0.25 })).toEqual([2, 2, 8])
  })

  test('elu and selu', () => {
    near(map('elu', [-1, 0, 3], { alpha: 2 }), [2 / Math.E - 2, 0, 3])
    expect(map('elu', [-inf], { alpha: 2 })).toEqual([-2])
    expect(backward('eluBackward', [3, 3, 3], [-1.5, 0, 2], { alpha: 2 })).toEqual([1.5, 6, 3])
    near(map('selu', [-1, 1, -inf]), [-1.1113307378125628, 1.0507009873554805, -1.7580993408473766])
    near(backward('seluBackward', [1, 2], [-1.7580993408473766, 1]), [0, 2.101401974710961])
  })

  test('softplus and softsign', () => {
    near(map('softplus', [0, 1, -1, -inf]), [Math.LN2, 1.3132616875182228, 0.31326168751822286, 0])
    expect(map('softplus', [1000])).toEqual([1000])
    near(backward('softplusBackward', [4], [Math.LN2]), [2])
    expect(map('softsign', [-1, 0, 3])).toEqual([-0.5, 0, 0.75])
    expect(backward('softsignBackward', [1, 1, 1], [-0.5, 0, 0.75])).toEqual([0.25, 1, 0.0625])
  })

  test('hardSigmoid and hardSwish', () => {
    near(map('hardSigmoid', [-4, -3, 0, 1.5, 3, 4]), [0, 0, 0.5, 0.75, 1, 1])
    near(backward('hardSigmoidBackward', [6, 6, 6], [0, 0.5, 1]), [0, 1, 0])
    near(map('hardSwish', [-4, -3, -1.5, 0, 1.5, 3, 4]), [0, 0, -0.375, 0, 1.125, 3, 4])
    near(backward('hardSwishBackward', [1, 1, 1, 1, 1], [-3, -1.5, 0, 1.5, 3], {}, 'x'), [0, 0, 0.5, 1, 1])
  })

  test('silu and mish: 0 at 0, with slopes 1/2 and 3/5', () => {
    near(map('silu', [-1, 0, 1]), [-0.2689414213699951, 0, 0.7310585786300049])
    near(backward('siluBackward', [2], [0], {}, 'x'), [1])
    near(map('mish', [0, Math.log(2)]), [0, Math.log(2) * 0.8])
    near(backward('mishBackward', [5], [0], {}, 'x'), [3])
  })

  test('gelu by the normal distribution: tables of it', () => {
    near(map('gelu', [-1, 0, 1, 2, -4, 4]), [
      -0.15865525393145707,
      0,
      0.8413447460685429,
      1.9544997361036416,
      -4 * 3.167124183311992e-5,
      4 * 0.9999683287581669,
    ])
    near(backward('geluBackward', [1, 1], [0, 1], {}, 'x'), [0.5, 0.8413447460685429 + 0.24197072451914337])
    near(map('geluTanh', [-1, 0, 1]), [-0.15880800939172324, 0, 0.8411919906082768])
    near(backward('geluTanhBackward', [2], [0], {}, 'x'), [1])
  })

  test('linearThreshold: cap, slope, threshold', () => {
    const attributes = { max: 6, slope: 0.5, threshold: 1 }
    expect(map('linearThreshold', [-3, 1, 2, 6, 7], attributes)).toEqual([-2, 1, 2, 6, 6])
    expect(backward('linearThresholdBackward', [2, 2, 2, 2, 2], [-3, 1, 2, 6, 7], attributes, 'x')).toEqual([1, 1, 2, 0, 0])
    expect(map('linearThreshold', [-inf, 9], { slope: 0, threshold: 0 })).toEqual([0, 9])
  })

  test('logSoftmax is the logarithm of softmax', () => {
    const x = { shape: [1, 3], data: [0, Math.log(2), Math.log(5)] }
    near(list(compute('logSoftmax', { x }, { y: [1, 3] }).y), [Math.log(1 / 8), Math.log(2 / 8), Math.log(5 / 8)])
    const y = { shape: [1, 2], data: [Math.log(0.25), Math.log(0.75)] }
    near(list(compute('logSoftmaxBackward', { dy: { shape: [1, 2], data: [1, 3] }, y }, { dx: [1, 2] }).dx), [0, 0])
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
