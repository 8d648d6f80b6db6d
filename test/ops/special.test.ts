import { describe, expect, test } from 'vitest'
import { activations } from '../support/activations'
import { algorithmsOf, binding } from '../support/checkCase'
import { passesOf } from '../support/convolutionCases'
import { runNative, runReference } from '../support/executeStep'
import { expectSame } from '../support/expectSame'
import type { OpCase } from '../support/opCase'
import { poolPassesOf } from '../support/poolingCases'
import { denseCase } from '../support/productCases'
import { Random } from '../support/random'

const { NaN: nan, NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number
/** Longer than the widest vector and not a multiple of it, so that whole vectors and their tails see every value. */
const SIZE = 75
const spread = (values: readonly number[]) => Array.from({ length: SIZE }, (_, i) => values[i % values.length]!)
const unary = (op: string): OpCase => ({ name: op, op, shapes: { x: [SIZE], y: [SIZE] }, attributes: {} })
const map = (op: string, values: readonly number[]) => {
  const { y } = expectSame(unary(op), { x: spread(values) })
  for (const [i, value] of y!.entries()) expect(value, `${op}[${i}]`).toEqual(y![i % values.length])
  return y!.slice(0, values.length)
}
const reals = (count: number, seed: number) => {
  const random = new Random(seed)
  return Float32Array.from({ length: count }, () => random.between(-1, 1))
}

describe('NaN, infinities and zeros in elementwise ops', () => {
  test('relu', () => {
    const [zero, ...others] = map('relu', [-0, nan, low, high, 0, -1, 3])
    expect(others).toEqual([nan, 0, high, 0, 0, 3])
    expect(Math.abs(zero!)).toBe(0)
  })

  test('sigmoid', () => {
    expect(map('sigmoid', [nan, low, high, -0, 0, -200, 200])).toEqual([nan, 0, 1, 0.5, 0.5, 0, 1])
  })

  test('tanh keeps the sign of zero', () => {
    expect(map('tanh', [nan, low, high, -0, 0, -200, 200])).toEqual([nan, -1, 1, -0, 0, -1, 1])
  })

  test('the other activations let NaN through and have their limits at infinity', () => {
    for (const [op, atLow, atHigh] of [
      ['leakyRelu', low, high],
      ['elu', -1.5, high],
      ['selu', Math.fround(-1.7580993408473768), high],
      ['softplus', 0, high],
      ['hardSigmoid', 0, 1],
      ['linearThreshold', low, 0.75],
    ] as const) {
      const { y } = expectSame({ ...unary(op), attributes: activations[op]!.attributes }, { x: spread([nan, low, high]) })
      expect(y!.slice(0, 3), op).toEqual([nan, atLow, atHigh])
    }
    for (const op of ['silu', 'mish', 'gelu', 'geluTanh', 'hardSwish'])
      expect(map(op, [nan, high, 300, 1e30]), op).toEqual([nan, high, 300, Math.fround(1e30)])
  })

  test('small results keep their digits', () => {
    const rows: [op: string, x: number, y: number][] = [
      ['elu', -1e-4, Math.expm1(-1e-4) * 1.5],
      ['softplus', -30, Math.log1p(Math.exp(-30))],
      ['gelu', -8, -8 * 6.220960574271785e-16],
    ]
    for (const [op, x, expected] of rows) {
      const { y } = runNative(binding, { ...unary(op), attributes: activations[op]!.attributes }, { x: Float32Array.from(spread([x])) })
      for (const result of y!) expect(Math.abs(result / expected - 1), op).toBeLessThan(1e-5)
    }
  })

  test('add with relu lets NaN through', () => {
    const c: OpCase = { name: 'add', op: 'add', shapes: { a: [SIZE], b: [SIZE], y: [SIZE] }, attributes: { activation: 'relu' } }
    const { y } = expectSame(c, { a: spread([nan, high, low, 1, -2]), b: spread([1, low, 1, -1, 1]) })
    expect(y!.slice(0, 5)).toEqual([nan, nan, 0, 0, 0])
  })

  test('relu has no gradient at 0, at −0 and at NaN', () => {
    const c: OpCase = { name: 'reluBackward', op: 'reluBackward', shapes: { dy: [SIZE], y: [SIZE], dx: [SIZE] }, attributes: {} }
    const { dx } = expectSame(c, { dy: spread([7]), y: spread([0, -0, nan, 2, high]) })
    expect(dx!.slice(0, 5)).toEqual([0, 0, 0, 7, 7])
  })

  test('dropout drops NaN as well', () => {
    const attributes = { rate: 0.5, stream: 0 }
    const c: OpCase = { name: 'dropout', op: 'dropout', shapes: { x: [SIZE], y: [SIZE] }, attributes, scalars: { seed: 0, step: 0 } }
    expect(expectSame(c, { x: spread([nan]) }).y!.slice(0, 4)).toEqual([0, nan, nan, nan])
  })
})

describe('convolution and dense', () => {
  const geometry = { N: 2, H: 7, W: 7, C: 3, OC: 21, KH: 3, KW: 3, bias: true, activation: 'relu' }
  const padded = passesOf({
    ...geometry,
    padding: [
      [1, 1],
      [1, 1],
    ],
  })
  const valid = passesOf(geometry)
  const sizes = { x: 2 * 49 * 3, w: 9 * 3 * 21, dy: 2 * 49 * 21, validDy: 2 * 25 * 21 }
  const withOne = (count: number, seed: number, at: number, value: number) => reals(count, seed).fill(value, at, at + 1)

  // In a weight, or in a gradient that meets the padding, they may also be multiplied by the zeros there: the padded cases have them elsewhere.
  for (const value of [nan, high])
    test(`${value} reaches what it is multiplied into and nothing else, past relu`, () => {
      const [x, w, bias] = [reals(sizes.x, 2), reals(sizes.w, 3), reals(21, 1)]
      const { y } = expectSame(padded[0]!, { x: withOne(sizes.x, 2, 3 * (3 * 7 + 3), value), w, bias })
      expect(y!.filter((result) => !Number.isFinite(result)).length).toBeGreaterThan(0)
      expectSame(padded[0]!, { x, w, bias: withOne(21, 1, 20, value) })
      expectSame(valid[0]!, { x, w: withOne(sizes.w, 3, 20, value), bias })
      expectSame(padded[1]!, { dy: withOne(sizes.dy, 4, 21 * (3 * 7 + 3), value), w })
      expectSame(valid[1]!, { dy: withOne(sizes.validDy, 4, 17, value), w })
      expectSame(padded[2]!, { dy: reals(sizes.dy, 4), x: withOne(sizes.x, 2, 3 * (3 * 7 + 3), value) })
      expectSame(valid[2]!, { dy: withOne(sizes.validDy, 4, 17, value), x })
    })

  test('where few channels are computed, a NaN takes neighbours of its line with it at most', () => {
    const [line, column] = [1, 2]
    for (const W of [8, 9]) {
      const c = passesOf({ N: 2, H: 4, W, C: 1, OC: 21, KH: 2, KW: 2 })[1]!
      const [dy, w] = [withOne(2 * 3 * (W - 1) * 21, 4, (line * (W - 1) + column) * 21, nan), reals(4 * 21, 3)]
      const { dx: expected } = runReference(c, { dy, w })
      for (const algorithm of algorithmsOf(c))
        for (const [i, value] of runNative(binding, c, { dy, w }, algorithm).dx!.entries()) {
          const [h, x] = [Math.floor(i / W), i % W]
          const isNear = algorithm === 'direct' && (h === line || h === line + 1) && Math.abs(x - column) <= 4
          if (Number.isNaN(expected![i])) expect(value).toBeNaN()
          else if (!isNear || !Number.isNaN(value)) expect(value, `${algorithm} ${W}: ${i}`).toBeCloseTo(expected![i]!, 4)
        }
    }
  })

  test.each([1, 2])('depthwise, stride %d: an infinite pixel reaches the windows that it lies in', (stride) => {
    for (const padding of [0, 1]) {
      const [H, W, C] = [7, 10, 64]
      const around: [number, number] = [padding, padding]
      const passes = passesOf({ H, W, C, OC: C, KH: 3, KW: 3, groups: C, stride: [stride, stride], padding: [around, around] })
      const gradients = passes[2]!.shapes.dy!.reduce((a, b) => a * b)
      const [w, dy] = [reals(9 * C, 3), reals(gradients, 4)]
      for (let pixel = 0; pixel < H * W; ++pixel) {
        const x = withOne(H * W * C, 2, pixel * C + (pixel % C), high)
        expectSame(passes[0]!, { x, w })
        expectSame(passes[2]!, { x, dy })
      }
    }
  })

  test('dense: one NaN spoils one row', () => {
    const { y } = expectSame(denseCase(5, 9, 19, true, 'relu'), { x: withOne(45, 5, 20, nan), w: reals(171, 6), bias: reals(19, 7) })
    expect(y!.map(Number.isNaN)).toEqual(Array.from({ length: 95 }, (_, i) => Math.floor(i / 19) === 2))
  })

  test('infinities of both signs give NaN', () => {
    const c = denseCase(1, 2, 1, false)
    expect(expectSame(c, { x: [high, high], w: [1, -1] }).y).toEqual([nan])
    expect(expectSame(c, { x: [high, 1], w: [1, -1] }).y).toEqual([high])
  })
})

describe('maxPool2d', () => {
  const [C, pixels] = [SIZE, 16]
  const passes = poolPassesOf({ H: 4, W: 4, C, size: [3, 3], stride: [1, 1] })
  const pool = (perPixel: readonly number[]) => {
    const { y, positions } = expectSame(passes[0]!, { x: Array.from({ length: C * pixels }, (_, i) => perPixel[Math.floor(i / C)]!) })
    return { y: [0, 1, 2, 3].map((window) => y![window * C]!), positions: [0, 1, 2, 3].map((window) => positions![window * C]!) }
  }

  test('NaN wins, the first of several', () => {
    const image = [0, 1, 2, 3, 4, nan, high, 7, 8, 9, nan, 11, 12, 13, 14, 15]
    expect(pool(image)).toEqual({ y: [nan, nan, nan, nan], positions: [4, 3, 1, 0] })
  })

  test('the first of equals, zeros of both signs being equal', () => {
    expect(pool(new Array(16).fill(5)).positions).toEqual([0, 0, 0, 0])
    const zeros = Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? -0 : 0))
    expect(pool(zeros).positions).toEqual([0, 0, 0, 0])
  })

  test('of nothing but −∞', () => {
    expect(pool(new Array(16).fill(low))).toEqual({ y: [low, low, low, low], positions: [0, 0, 0, 0] })
  })
})

describe('softmax and its loss', () => {
  const softmax: OpCase = { name: 'softmax', op: 'softmax', shapes: { x: [2, SIZE], y: [2, SIZE] }, attributes: {} }
  const entropy = (labels: readonly number[]): OpCase => ({
    name: `softmaxCrossEntropy ${labels}`,
    op: 'softmaxCrossEntropy',
    shapes: { logits: [2, SIZE], labels: [2], loss: [], dlogits: [2, SIZE] },
    attributes: {},
  })
  const huge = [...spread([-3e38, 1e4, 3e38]), ...spread([-1e30, -1e30])]

  test('huge logits neither overflow nor vanish', () => {
    const { y } = expectSame(softmax, { x: huge })
    expect(y!.every(Number.isFinite)).toBe(true)
    expect(y![2]).toBeCloseTo(1 / 25, 6)
    expect(y![SIZE]).toBeCloseTo(1 / SIZE, 6)
    expectSame(entropy([2, 5]), { logits: huge.map((x) => x / 1e30), labels: [2, 5] })
  })

  test('−∞ has no probability; a row of NaN stays a row of NaN, and no other', () => {
    const { y } = expectSame(softmax, { x: [...spread([low, 0]), ...spread([1, 2, nan])] })
    expect(y![0]).toBe(0)
    expect(y!.map(Number.isNaN)).toEqual(Array.from({ length: 2 * SIZE }, (_, i) => i >= SIZE))
  })

  test('a label outside the classes gives NaN instead of reading beyond the row', () => {
    for (const label of [-1, SIZE, 2 ** 31 - 1]) {
      const { loss, dlogits } = expectSame(entropy([3, label]), { logits: reals(2 * SIZE, 8), labels: [3, label] })
      expect(loss).toEqual([nan])
      expect(dlogits!.map(Number.isNaN)).toEqual(Array.from({ length: 2 * SIZE }, (_, i) => i >= SIZE))
    }
  })
})

describe('numbers too small to be normal', () => {
  const multiply: OpCase = { name: 'multiply', op: 'multiply', shapes: { a: [SIZE], b: [SIZE], y: [SIZE] }, attributes: {} }
  const tensors = { a: Float32Array.from(spread([1e-20])), b: Float32Array.from(spread([1e-20])) }

  test('are flushed to zero by kernels, and only there', () => {
    expect(Array.from(runNative(binding, multiply, tensors).y!)).toEqual(new Array(SIZE).fill(0))
    expect(Number.MIN_VALUE * 1).toBeGreaterThan(0)
    expect(Math.fround(Math.fround(1e-20) * Math.fround(1e-20))).toBeGreaterThan(0)
  })
})
