import { describe, expect, test } from 'vitest'
import { binding } from '../support/checkCase'
import { runNative, runReference } from '../support/executeStep'
import { expectSame } from '../support/expectSame'
import type { OpCase } from '../support/opCase'
import { Random } from '../support/random'
import { EPSILON } from '../support/tolerance'

const { NaN: nan, NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number
/** Longer than the widest vector and not a multiple of it, so that whole vectors and their tails see every value. */
const SIZE = 75
const spread = (values: readonly number[]) => Array.from({ length: SIZE }, (_, i) => values[i % values.length]!)
const unary = (op: string, attributes = {}): OpCase => ({ name: op, op, shapes: { x: [SIZE], y: [SIZE] }, attributes })
const map = (op: string, values: readonly number[], attributes = {}) =>
  expectSame(unary(op, attributes), { x: spread(values) }).y!.slice(0, values.length)
const pairs = (op: string, a: readonly number[], b: readonly number[]) => {
  const c: OpCase = { name: op, op, shapes: { a: [SIZE], b: [SIZE], y: [SIZE] }, attributes: {} }
  return expectSame(c, { a: spread(a), b: spread(b) }).y!.slice(0, a.length)
}

describe('NaN, infinities and zeros', () => {
  test('in functions of one number', () => {
    expect(map('exp', [nan, low, high, 0, -200])).toEqual([nan, 0, high, 1, 0])
    expect(Array.from(runNative(binding, unary('exp'), { x: Float32Array.from(spread([89])) }).y!)).toEqual(spread([high]))
    expect(map('log', [nan, low, high, 0, -1, 1])).toEqual([nan, nan, high, low, nan, 0])
    expect(map('sqrt', [nan, low, high, 0, -1, 9])).toEqual([nan, nan, high, 0, nan, 3])
    expect(map('abs', [nan, low, high, -0, -1])).toEqual([nan, high, high, 0, 1])
    expect(map('sign', [nan, low, high, 0, -3])).toEqual([nan, -1, 1, 0, -1])
    expect(map('clip', [nan, low, high, 0.5], { low: -1, high: 2 })).toEqual([nan, -1, 2, 0.5])
    expect(map('clip', [nan, low, high], {})).toEqual([nan, low, high])
  })

  test('in quotients and comparisons', () => {
    expect(pairs('div', [1, -1, 0, high, 1, nan], [0, 0, 0, high, high, 1])).toEqual([high, low, nan, nan, 0, nan])
    const [a, b] = [
      [nan, 1, nan, high, low, 0, 2],
      [1, nan, nan, high, high, -0, 1],
    ]
    expect(pairs('minimum', a, b).map(Math.abs)).toEqual([nan, nan, nan, high, high, 0, 1])
    expect(pairs('maximum', a, b).map(Math.abs)).toEqual([nan, nan, nan, high, high, 0, 2])
    expect(pairs('equal', a, b)).toEqual([0, 0, 0, 1, 0, 1, 0])
    expect(pairs('notEqual', a, b)).toEqual([1, 1, 1, 0, 1, 0, 1])
    expect(pairs('less', a, b)).toEqual([0, 0, 0, 0, 1, 0, 0])
    expect(pairs('lessEqual', a, b)).toEqual([0, 0, 0, 1, 1, 1, 0])
  })

  test('where takes nothing from what it leaves out; NaN is not 0', () => {
    const shapes = { condition: [SIZE], a: [SIZE], b: [SIZE], y: [SIZE] }
    const c: OpCase = { name: 'where', op: 'where', shapes, attributes: {} }
    const { y } = expectSame(c, {
      condition: spread([0, -0, nan, low, 1]),
      a: spread([nan, nan, 1, 2, 3]),
      b: spread([5, 6, nan, nan, nan]),
    })
    expect(y!.slice(0, 5)).toEqual([5, 6, 1, 2, 3])
  })

  test('NaN is the largest and the smallest, wherever it lies', () => {
    for (const op of ['max', 'min'])
      for (const shape of [[SIZE], [SIZE, 1], [1, SIZE], [5, 15]])
        for (const at of [0, 7, 37, 74]) {
          const c: OpCase = { name: op, op, shapes: { x: shape, y: [] }, attributes: { axes: [0, shape.length - 1] } }
          expect(expectSame(c, { x: spread([1, low, high]).fill(nan, at, at + 1) }).y).toEqual([nan])
          expect(expectSame(c, { x: spread([high]) }).y).toEqual([high])
          expect(expectSame(c, { x: spread([low]) }).y).toEqual([low])
        }
    const columns: OpCase = { name: 'max', op: 'max', shapes: { x: [3, 25], y: [25] }, attributes: { axes: [0, 0] } }
    const { y } = expectSame(columns, { x: spread([1]).fill(nan, 30, 31) })
    expect(y!.map(Number.isNaN)).toEqual(Array.from({ length: 25 }, (_, i) => i === 5))
  })
})

test('gather gives NaN for an index outside the axis instead of reading there', () => {
  const outside = [-1, 3, 2 ** 31 - 1, -(2 ** 31)]
  const c: OpCase = { name: 'gather', op: 'gather', shapes: { x: [3, SIZE], indices: [5], y: [5, SIZE] }, attributes: { axis: 0 } }
  const { y } = expectSame(c, { x: [...spread([1]), ...spread([2]), ...spread([3])], indices: [...outside, 1] })
  expect(y).toEqual([...new Array(4 * SIZE).fill(nan), ...spread([2])])
})

describe('pow', () => {
  const specials = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -2.5, 2 ** 100, -(2 ** 100), 8388609, -8388609, 2 ** 24, high, low, nan]

  test('is that of C for zeros, infinities, NaN, whole and other exponents', () => {
    for (const b of specials) {
      const c: OpCase = { name: 'pow', op: 'pow', shapes: { a: [SIZE], b: [], y: [SIZE] }, attributes: {} }
      const { y } = runNative(binding, c, { a: Float32Array.from(spread(specials)), b: Float32Array.of(b) })
      for (const [i, a] of specials.entries()) {
        const expected = Math.fround(a === 1 || (a === -1 && Math.abs(b) === high) ? 1 : a ** b)
        if (Number.isNaN(expected) || !Number.isFinite(expected) || Math.abs(expected) < 1e-37) {
          const found = Math.abs(y![i]!) < 1e-37 ? 0 : y![i]
          const wanted = Math.abs(expected) < 1e-37 ? 0 : expected
          expect(found! + 0, `${a} ** ${b}`).toBe(wanted + 0)
          if (expected === 0 && a === 0) expect(Object.is(y![i], expected), `sign of ${a} ** ${b}`).toBe(true)
        } else expect(Math.abs(y![i]! / expected - 1), `${a} ** ${b}`).toBeLessThan(4 * EPSILON)
      }
    }
  })
})

describe('functions of our own are within 4 units in the last place', () => {
  const COUNT = 20_000
  const random = new Random(5)
  const numbers = (next: () => number) => Float32Array.from({ length: COUNT }, next)
  const sizes = () => 2 ** random.between(-120, 120)
  const worst = (c: OpCase, tensors: Record<string, Float32Array>) => {
    const [actual, expected] = [runNative(binding, c, tensors).y!, runReference(c, tensors).y!]
    return expected.reduce((most, value, i) => {
      const isNormal = Math.abs(value) > 2 ** -125 && Math.abs(value) < 2 ** 127
      return isNormal ? Math.max(most, Math.abs(actual[i]! / value - 1)) : most
    }, 0)
  }
  const one = (op: string, next: () => number) =>
    worst({ name: op, op, shapes: { x: [COUNT], y: [COUNT] }, attributes: {} }, { x: numbers(next) })

  test('exp', () => expect(one('exp', () => random.between(-87, 88))).toBeLessThan(4 * EPSILON))
  test('log', () => {
    expect(one('log', sizes)).toBeLessThan(4 * EPSILON)
    expect(one('log', () => random.between(0.5, 2))).toBeLessThan(4 * EPSILON)
  })
  test('sqrt', () => expect(one('sqrt', sizes)).toBeLessThan(EPSILON))
  test('pow', () => {
    const shapes = { a: [COUNT], b: [COUNT], y: [COUNT] }
    const c: OpCase = { name: 'pow', op: 'pow', shapes, attributes: {} }
    const near = { a: numbers(() => random.between(0.5, 2)), b: numbers(() => random.between(-120, 120)) }
    expect(worst(c, near)).toBeLessThan(4 * EPSILON)
    const a = numbers(sizes)
    expect(worst(c, { a, b: a.map((x) => random.between(-125, 125) / Math.log2(x)) })).toBeLessThan(4 * EPSILON)
    expect(worst(c, { a, b: numbers(() => random.between(-1, 1)) })).toBeLessThan(4 * EPSILON)
  })
})
