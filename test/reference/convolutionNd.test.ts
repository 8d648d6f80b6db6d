import { describe, expect, test } from 'vitest'
import { compute, type Input } from '../support/compute'

const attributes = (axes: number, changes = {}) => ({
  stride: new Array(axes).fill(1),
  padding: new Array(axes).fill([0, 0]),
  dilation: new Array(axes).fill(1),
  groups: 1,
  activation: 'linear',
  ...changes,
})
const [p, q, r, s, t] = [5, 7, 11, 13, 17]
const [k1, k2] = [2, 3]
const row = (...values: number[]): Input => ({ shape: [1, values.length, 1], data: values })
const kernel: Input = { shape: [2, 1, 1], data: [k1, k2] }

describe('conv1d', () => {
  const run = (x: Input, OL: number, changes = {}) =>
    Array.from(compute('conv1d', { x, w: kernel }, { y: [1, OL, 1] }, attributes(1, changes)).y!)
  const pairs = [p * k1 + q * k2, q * k1 + r * k2, r * k1 + s * k2, s * k1 + t * k2]

  test('valid; stride drops windows that do not fit', () => {
    expect(run(row(p, q, r, s, t), 4)).toEqual(pairs)
    expect(run(row(p, q, r, s), 2, { stride: [2] })).toEqual([pairs[0], pairs[2]])
    expect(run(row(p, q, r, s), 1, { stride: [3] })).toEqual([pairs[0]])
  })

  test('padding before and after, dilation', () => {
    expect(run(row(p, q), 3, { padding: [[2, 0]] })).toEqual([0, p * k2, pairs[0]])
    expect(run(row(p, q), 3, { padding: [[0, 2]] })).toEqual([pairs[0], q * k1, 0])
    expect(run(row(p, q, r, s), 2, { dilation: [2] })).toEqual([p * k1 + r * k2, q * k1 + s * k2])
  })

  test('gradients, every term written out', () => {
    const [d1, d2] = [19, 23]
    const dy: Input = { shape: [1, 2, 1], data: [d1, d2] }
    const dx = compute('conv1dBackwardInput', { dy, w: kernel }, { dx: [1, 3, 1] }, attributes(1)).dx!
    expect(Array.from(dx)).toEqual([d1 * k1, d1 * k2 + d2 * k1, d2 * k2])
    const dw = compute('conv1dBackwardWeights', { dy, x: row(p, q, r) }, { dw: [2, 1, 1] }, attributes(1)).dw!
    expect(Array.from(dw)).toEqual([d1 * p + d2 * q, d1 * q + d2 * r])
  })
})

describe('conv3d', () => {
  const stack: Input = { shape: [1, 2, 3, 3, 1], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1] }
  const filters: Input = { shape: [2, 2, 2, 1, 1], data: [1, 2, 3, 4, 5, 6, 7, 8] }

  test('of two stacks of maps is the sum over depth', () => {
    const y = compute('conv3d', { x: stack, w: filters }, { y: [1, 1, 2, 2, 1] }, attributes(3)).y!
    expect(Array.from(y)).toEqual([212, 196, 164, 148])
  })

  test('padding, stride and dilation along the depth', () => {
    const padding = [
      [1, 1],
      [0, 0],
      [0, 0],
    ]
    const run = (OD: number, changes = {}) =>
      Array.from(compute('conv3d', { x: stack, w: filters }, { y: [1, OD, 2, 2, 1] }, attributes(3, { padding, ...changes })).y!)
    const behind = [
      1 * 5 + 2 * 6 + 4 * 7 + 5 * 8,
      2 * 5 + 3 * 6 + 5 * 7 + 6 * 8,
      4 * 5 + 5 * 6 + 7 * 7 + 8 * 8,
      5 * 5 + 6 * 6 + 8 * 7 + 9 * 8,
    ]
    const before = [9 + 8 * 2 + 6 * 3 + 5 * 4, 8 + 7 * 2 + 5 * 3 + 4 * 4, 6 + 5 * 2 + 3 * 3 + 2 * 4, 5 + 4 * 2 + 2 * 3 + 1 * 4]
    expect(run(3)).toEqual([...behind, 212, 196, 164, 148, ...before])
    expect(run(2, { stride: [2, 1, 1] })).toEqual([...behind, ...before])
    const second = [
      9 * 5 + 8 * 6 + 6 * 7 + 5 * 8,
      8 * 5 + 7 * 6 + 5 * 7 + 4 * 8,
      6 * 5 + 5 * 6 + 3 * 7 + 2 * 8,
      5 * 5 + 4 * 6 + 2 * 7 + 1 * 8,
    ]
    const first = [1 + 2 * 2 + 4 * 3 + 5 * 4, 2 + 3 * 2 + 5 * 3 + 6 * 4, 4 + 5 * 2 + 7 * 3 + 8 * 4, 5 + 6 * 2 + 8 * 3 + 9 * 4]
    expect(run(2, { dilation: [2, 1, 1] })).toEqual([...second, ...first])
  })

  test('bias per filter, then the activation', () => {
    const x: Input = { shape: [1, 1, 1, 2, 1], data: [2, 5] }
    const w: Input = { shape: [1, 1, 1, 1, 2], data: [1, -1] }
    const bias: Input = { shape: [2], data: [0.5, 3] }
    const { y } = compute('conv3d', { x, w, bias }, { y: [1, 1, 1, 2, 2] }, attributes(3, { activation: 'relu' }))
    expect(Array.from(y!)).toEqual([2.5, 1, 5.5, 0])
  })
})

describe('the transposed convolution', () => {
  test('each input pixel puts down the filter, scaled; stride sets them apart', () => {
    const run = (L: number, changes = {}) =>
      Array.from(compute('convTranspose1d', { x: row(p, q), w: kernel }, { y: [1, L, 1] }, attributes(1, changes)).y!)
    expect(run(3)).toEqual([p * k1, p * k2 + q * k1, q * k2])
    expect(run(4, { stride: [2] })).toEqual([p * k1, p * k2, q * k1, q * k2])
    expect(run(6, { stride: [3], padding: [[0, 0]] })).toEqual([p * k1, p * k2, 0, q * k1, q * k2, 0])
    expect(run(1, { padding: [[1, 1]] })).toEqual([p * k2 + q * k1])
    expect(run(4, { dilation: [2] })).toEqual([p * k1, q * k1, p * k2, q * k2])
  })

  test('channels: filters have those of the result before those of the input; groups apart', () => {
    const x: Input = { shape: [1, 1, 2], data: [p, q] }
    const w: Input = { shape: [1, 2, 2], data: [2, 3, 5, 7] }
    const y = (changes = {}, C = 2) => Array.from(compute('convTranspose1d', { x, w }, { y: [1, 1, C] }, attributes(1, changes)).y!)
    expect(y()).toEqual([p * 2 + q * 3, p * 5 + q * 7])
    expect(y({ groups: 2 }, 4)).toEqual([p * 2, p * 5, q * 3, q * 7])
  })

  test('bias and activation, where no filter reaches as well', () => {
    const bias: Input = { shape: [1], data: [-11] }
    const options = attributes(1, { stride: [3], activation: 'relu' })
    const { y } = compute('convTranspose1d', { x: row(p, q), w: kernel, bias }, { y: [1, 5, 1] }, options)
    expect(Array.from(y!)).toEqual([0, 4, 0, 3, 10])
  })
})
