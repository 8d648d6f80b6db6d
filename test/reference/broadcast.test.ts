import { describe, expect, test } from 'vitest'
import type { Attributes } from '../../lib/ops/op'
import { compute, type Input, vector } from '../support/compute'

const { NaN: nan, POSITIVE_INFINITY: high, NEGATIVE_INFINITY: low } = Number
const list = (values: Float64Array | undefined) => Array.from(values!)
const matrix = (rows: number[][]): Input => ({ shape: [rows.length, rows[0]!.length], data: rows.flat() })
const binary = (op: string, a: Input, b: Input, y: number[]) => list(compute(op, { a, b }, { y }).y)
const pairs = (op: string, a: number[], b: number[]) => binary(op, vector(a), vector(b), [a.length])
const map = (op: string, x: number[], attributes: Attributes = {}) => list(compute(op, { x: vector(x) }, { y: [x.length] }, attributes).y)

describe('two operands', () => {
  test('a row and a column make a table; the last axes are aligned', () => {
    const column = matrix([[10], [20]])
    expect(binary('sub', column, vector([1, 2, 3]), [2, 3])).toEqual([9, 8, 7, 19, 18, 17])
    expect(
      binary(
        'add',
        vector([1, 2]),
        matrix([
          [1, 2],
          [3, 4],
        ]),
        [2, 2],
      ),
    ).toEqual([2, 4, 4, 6])
    expect(binary('multiply', { shape: [2, 1, 2], data: [1, 2, 3, 4] }, matrix([[1], [10]]), [2, 2, 2])).toEqual([
      1, 2, 10, 20, 3, 4, 30, 40,
    ])
    expect(binary('div', { shape: [], data: [6] }, vector([1, 2, 4]), [3])).toEqual([6, 3, 1.5])
  })

  test('powers are those of C', () => {
    expect(pairs('pow', [2, 9, -2, -8, 0, nan, 1, -1], [10, 0.5, 3, 1 / 3, 0, 0, nan, high])).toEqual([1024, 3, -8, nan, 1, 1, 1, 1])
    expect(pairs('pow', [0, 0, 2, 0.5, 1], [3, -1, high, high, low])).toEqual([0, high, high, 0, 1])
  })

  test('the smaller and the larger; NaN where either is', () => {
    expect(pairs('minimum', [1, 2, nan, 5], [2, 1, 0, nan])).toEqual([1, 1, nan, nan])
    expect(pairs('maximum', [1, 2, nan, 5], [2, 1, 0, nan])).toEqual([2, 2, nan, nan])
  })

  test('comparisons give 1 or 0; NaN only differs', () => {
    const [a, b] = [
      [1, 2, 2, nan, nan],
      [2, 2, 1, nan, 0],
    ]
    expect(pairs('equal', a, b)).toEqual([0, 1, 0, 0, 0])
    expect(pairs('notEqual', a, b)).toEqual([1, 0, 1, 1, 1])
    expect(pairs('less', a, b)).toEqual([1, 0, 0, 0, 0])
    expect(pairs('lessEqual', a, b)).toEqual([1, 1, 0, 0, 0])
  })

  test('where takes a unless the condition is 0', () => {
    const where = { condition: matrix([[0], [-2], [nan]]), a: vector([1, 2]), b: { shape: [], data: [nan] } }
    expect(list(compute('where', where, { y: [3, 2] }).y)).toEqual([nan, nan, 1, 2, 1, 2])
  })
})

describe('one operand', () => {
  test('exp, log, sqrt, abs, sign, clip', () => {
    expect(map('exp', [0, 1, low])).toEqual([1, Math.E, 0])
    expect(map('log', [1, Math.E, 0, -1])).toEqual([0, 1, low, nan])
    expect(map('sqrt', [4, 0, -1])).toEqual([2, 0, nan])
    expect(map('abs', [-2, 3, low])).toEqual([2, 3, high])
    expect(map('sign', [-7, 0, 4, nan])).toEqual([-1, 0, 1, nan])
    expect(map('clip', [-3, 0.5, 3, nan], { low: -1, high: 2 })).toEqual([-1, 0.5, 2, nan])
    expect(map('clip', [-3, 3], { low: -1 })).toEqual([-1, 3])
    expect(map('clip', [-3, 3], { high: 2 })).toEqual([-3, 2])
  })
})

describe('axes', () => {
  const x: Input = { shape: [2, 2, 3], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
  const reduce = (op: string, axes: number[], y: number[], attributes: Attributes = {}) =>
    list(compute(op, { x }, { y }, { axes, ...attributes }).y)

  test('sum and mean', () => {
    expect(reduce('sum', [0, 2], [])).toEqual([78])
    expect(reduce('sum', [0, 0], [2, 3])).toEqual([8, 10, 12, 14, 16, 18])
    expect(reduce('sum', [1, 1], [2, 1, 3])).toEqual([5, 7, 9, 17, 19, 21])
    expect(reduce('sum', [2, 2], [2, 2], { mean: true })).toEqual([2, 5, 8, 11])
  })

  test('the largest and the smallest; NaN wins', () => {
    expect(reduce('max', [0, 1], [3])).toEqual([10, 11, 12])
    expect(reduce('min', [1, 2], [2])).toEqual([1, 7])
    expect(list(compute('max', { x: vector([1, nan, 3]) }, { y: [] }, { axes: [0, 0] }).y)).toEqual([nan])
    expect(list(compute('min', { x: vector([nan, 1, 3]) }, { y: [] }, { axes: [0, 0] }).y)).toEqual([nan])
  })

  test('broadcastTo repeats; with mean, each by its share', () => {
    const column = matrix([[2], [4]])
    expect(list(compute('broadcastTo', { x: column }, { y: [2, 2] }).y)).toEqual([2, 2, 4, 4])
    expect(list(compute('broadcastTo', { x: vector([2, 4]) }, { y: [2, 2] }, { mean: true }).y)).toEqual([1, 2, 1, 2])
  })

  test('transpose: axis i of y is axis permutation[i] of x', () => {
    const transpose = (y: number[], permutation: number[]) => list(compute('transpose', { x }, { y }, { permutation }).y)
    expect(transpose([3, 2, 2], [2, 1, 0])).toEqual([1, 7, 4, 10, 2, 8, 5, 11, 3, 9, 6, 12])
    expect(transpose([2, 3, 2], [1, 2, 0])).toEqual([1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12])
  })
})

describe('moving', () => {
  const x: Input = { shape: [2, 2, 3], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }

  test('concat along an axis; slice cuts a box', () => {
    const [x0, x1] = [
      matrix([[1, 2]]),
      matrix([
        [3, 4],
        [5, 6],
      ]),
    ]
    expect(list(compute('concat', { x0, x1 }, { y: [3, 2] }, { count: 2, axis: 0 }).y)).toEqual([1, 2, 3, 4, 5, 6])
    const [row, rows] = [
      { shape: [2, 1, 1], data: [1, 2] },
      { shape: [2, 2, 1], data: [3, 4, 5, 6] },
    ]
    expect(list(compute('concat', { x0: row, x1: rows }, { y: [2, 3, 1] }, { count: 2, axis: 1 }).y)).toEqual([1, 3, 4, 2, 5, 6])
    expect(list(compute('slice', { x }, { y: [1, 2, 2] }, { start: [1, 0, 1] }).y)).toEqual([8, 9, 11, 12])
  })

  test('pad', () => {
    const pad = (mode: string, padding: number[][], value = 0) =>
      list(compute('pad', { x: vector([1, 2, 3]) }, { y: [3 + padding[0]![0]! + padding[0]![1]!] }, { padding, mode, value }).y)
    expect(pad('constant', [[1, 2]], 9)).toEqual([9, 1, 2, 3, 9, 9])
    expect(pad('edge', [[2, 1]])).toEqual([1, 1, 1, 2, 3, 3])
    expect(pad('reflect', [[2, 2]])).toEqual([3, 2, 1, 2, 3, 2, 1])
    const corner = compute(
      'pad',
      {
        x: matrix([
          [1, 2],
          [3, 4],
        ]),
      },
      { y: [3, 3] },
      {
        padding: [
          [1, 0],
          [0, 1],
        ],
        mode: 'reflect',
      },
    )
    expect(list(corner.y)).toEqual([3, 4, 3, 1, 2, 1, 3, 4, 3])
    const back = (mode: string) =>
      list(compute('padBackward', { dy: vector([1, 2, 3, 4, 5]) }, { dx: [3] }, { padding: [[1, 1]], mode }).dx)
    expect(back('constant')).toEqual([2, 3, 4])
    expect(back('edge')).toEqual([3, 3, 9])
    expect(back('reflect')).toEqual([2, 9, 4])
  })

  test('gather takes places, scatterAdd puts them back; one-hot rows; an index outside is NaN, nothing, a row of 0', () => {
    const indices = vector([1, 1, 2])
    expect(list(compute('gather', { x, indices: vector([1, 0]) }, { y: [2, 2, 3] }, { axis: 1 }).y)).toEqual([
      4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9,
    ])
    expect(
      list(
        compute(
          'gather',
          {
            x: matrix([
              [1, 2],
              [3, 4],
            ]),
            indices,
          },
          { y: [3, 2] },
          { axis: 0 },
        ).y,
      ),
    ).toEqual([3, 4, 3, 4, nan, nan])
    const dy = matrix([
      [1, 2],
      [10, 20],
      [100, 200],
    ])
    expect(list(compute('scatterAdd', { dy, indices }, { dx: [2, 2] }, { axis: 0 }).dx)).toEqual([0, 0, 11, 22])
    expect(list(compute('oneHot', { indices: vector([1, 3, 0]) }, { y: [3, 2] }).y)).toEqual([0, 1, 0, 0, 1, 0])
  })

  test('prelu: b is the slope where a is not positive', () => {
    const a = matrix([
      [3, -2, 0],
      [-1, nan, 5],
    ])
    expect(list(compute('prelu', { a, b: vector([10, 0.5, 7]) }, { y: [2, 3] }).y)).toEqual([3, -1, 0, -10, nan, 5])
    expect(list(compute('prelu', { a: vector([-4]), b: vector([0]) }, { y: [1] }).y)).toEqual([0])
  })

  test('cast to whole numbers goes towards zero', () => {
    expect(map('cast', [1.9, -1.9, nan, 1e12, -1e12], { to: 'int32' })).toEqual([1, -1, 0, 2 ** 31 - 1, -(2 ** 31)])
    expect(map('cast', [1.5, -3], { to: 'float32' })).toEqual([1.5, -3])
  })

  test('matmul of stacks', () => {
    const a = { shape: [2, 1, 2], data: [1, 2, 3, 4] }
    expect(
      list(
        compute(
          'matmul',
          {
            a,
            b: matrix([
              [1, 0],
              [10, 1],
            ]),
          },
          { y: [2, 1, 2] },
        ).y,
      ),
    ).toEqual([21, 2, 43, 4])
    const b = { shape: [2, 2, 1], data: [1, 1, 2, 0] }
    expect(list(compute('matmul', { a, b }, { y: [2, 1, 1] }).y)).toEqual([3, 6])
    expect(list(compute('matmul', { a: matrix([[1], [1]]), b }, { y: [2, 1, 1] }, { transposeA: true }).y)).toEqual([2, 2])
  })
})
