import { describe, expect, test } from 'vitest'
import { checkGradients } from '../../lib/graph/checkGradients'
import { inputValue } from '../../lib/graph/sources'
import * as ops from '../../lib/ops'
import { tensor } from '../../lib/tensor'
import { scipyResults } from '../support/scipyResults'

const { correlate1d, correlate2d, correlateNd, convolve1d, convolve2d, convolveNd } = ops
const functions = { correlate1d, correlate2d, correlateNd, convolve1d, convolve2d, convolveNd }
const a = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3])
const f = tensor([10, 20, 30, 40], [2, 2])
const rotated = tensor([40, 30, 20, 10], [2, 2])

describe.each(['native', 'reference'] as const)('on the %s', (runtime) => {
  const o = { runtime }

  test('worked examples: valid and full', () => {
    expect(ops.correlate2d(a, f, 'valid', o)).toEqual(tensor([370, 470, 670, 770], [2, 2]))
    expect(ops.convolve2d(a, f, 'valid', o)).toEqual(tensor([230, 330, 530, 630], [2, 2]))
    expect(ops.correlate2d(a, rotated, 'valid', o)).toEqual(ops.convolve2d(a, f, 'valid', o))
    const full = [40, 110, 180, 90, 180, 370, 470, 210, 360, 670, 770, 330, 140, 230, 260, 90]
    expect(ops.correlate2d(a, f, 'full', o)).toEqual(tensor(full, [4, 4]))
    const convolved = [10, 40, 70, 60, 70, 230, 330, 240, 190, 530, 630, 420, 210, 520, 590, 360]
    expect(ops.convolve2d(a, f, undefined, o)).toEqual(tensor(convolved, [4, 4]))
    expect(ops.correlate2d(a, rotated, 'full', o)).toEqual(ops.convolve2d(a, f, 'full', o))
  })

  test('a stack of maps adds over depth', () => {
    const maps = [a, tensor([9, 8, 7, 6, 5, 4, 3, 2, 1], [3, 3])]
    const filters = [tensor([1, 2, 3, 4], [2, 2]), tensor([5, 6, 7, 8], [2, 2])]
    const each = maps.map((map, i) => Array.from(ops.correlate2d(map, filters[i]!, 'valid', o).data))
    expect(each).toEqual([
      [37, 47, 67, 77],
      [175, 149, 97, 71],
    ])
    const stack = tensor(maps.flatMap(({ data }) => Array.from(data)), [2, 3, 3]) // biome-ignore format: one line
    const filterStack = tensor(filters.flatMap(({ data }) => Array.from(data)), [2, 2, 2]) // biome-ignore format: one line
    expect(ops.correlateNd(stack, filterStack, 'valid', o)).toEqual(tensor([212, 196, 164, 148], [1, 2, 2]))
  })

  test('in the convolution sense the kernel is flipped: the first value is a · k1', () => {
    expect(ops.convolve1d(tensor([5, 7], [2]), tensor([2, 3], [2]), 'full', o)).toEqual(tensor([10, 29, 21], [3]))
    expect(ops.correlate1d(tensor([5, 7], [2]), tensor([2, 3], [2]), 'full', o)).toEqual(tensor([15, 31, 14], [3]))
  })

  test('results of scipy.signal, even kernels and longer kernels among them', () => {
    for (const [name, mode, [aShape, x], [bShape, v], [yShape, y]] of scipyResults) {
      const result = functions[name](tensor(x, aShape), tensor(v, bShape), mode, o)
      expect(result.shape, `${name} ${mode} ${aShape} ${bShape}`).toEqual(yShape)
      for (const [i, value] of y.entries()) expect(result.data[i]! - value, `${name} ${mode} ${aShape} ${bShape}`).toBe(0)
    }
  })
})

test('the order counts for correlation, and does not for convolution', () => {
  const [x, v] = [tensor([1, 5, 2, 7, -3], [5]), tensor([2, -1], [2])]
  for (const mode of ['full', 'valid'] as const) {
    const backwards = Array.from(ops.correlate1d(v, x, mode).data).reverse()
    expect(Array.from(ops.correlate1d(x, v, mode).data)).toEqual(backwards)
    expect(ops.convolve1d(v, x, mode)).toEqual(ops.convolve1d(x, v, mode))
  }
})

test('gradients follow from those of the ops', () => {
  const [x, v] = [tensor([0.3, -0.7, 0.9, 0.4, -0.2, 0.6], [2, 3]), tensor([0.5, -0.4, 0.8, 0.2], [2, 2])]
  for (const run of [ops.correlate2d, ops.convolve2d, ops.correlateNd])
    for (const mode of ['full', 'valid', 'same'] as const)
      for (const found of checkGradients((p, q) => run(p!, q!, mode), [x, v])) expect(found!.error).toBeLessThan(1e-6)
})

test('gradients along more axes than three', () => {
  const numbers = (shape: number[]) =>
    tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + 1)),
      shape,
    )
  const [x, v] = [numbers([2, 3, 2, 2]), numbers([2, 2, 1, 2])]
  for (const run of [ops.correlateNd, ops.convolveNd])
    for (const mode of ['full', 'valid', 'same'] as const)
      for (const found of checkGradients((p, q) => run(p!, q!, mode), [x, v])) expect(found!.error).toBeLessThan(1e-6)
})

describe('what is refused', () => {
  const one = tensor([1, 2], [2])
  const cases: [run: () => unknown, code: string, message: string][] = [
    [() => ops.correlate2d(one, f), 'INVALID_SHAPE', 'correlate2d: a and b must have rank 2, received [2] and [2, 2]'],
    [() => ops.convolveNd(one, f), 'INVALID_SHAPE', 'convolveNd: a and b must have one rank, received [2] and [2, 2]'],
    [
      () => ops.correlateNd(tensor([1], []), tensor([1], [])),
      'INVALID_SHAPE',
      'correlateNd: a and b must have one to six axes, received [] and []',
    ],
    [
      () => ops.convolve2d(tensor([1, 2], [1, 2]), tensor([1, 2], [2, 1]), 'valid'),
      'INVALID_SHAPE',
      "convolve2d: for mode 'valid' one of a and b must be at least as large as the other along every axis, received [1, 2] and [2, 1]",
    ],
    [
      () => ops.convolve1d(one, one, 'wrap' as never),
      'INVALID_ARGUMENT',
      "convolve1d: mode must be 'full', 'valid', 'same', received \"wrap\"",
    ],
    [
      () => ops.correlate1d(inputValue('a', [null]), inputValue('b', [2])),
      'INVALID_SHAPE',
      'correlate1d: signals have no batch, received [N] and [2]',
    ],
  ]
  test.each(cases.map(([run, code, message]) => ({ run, code, message })))('$message', ({ run, code, message }) => {
    expect(run).toThrow(expect.objectContaining({ code, message }))
  })
})
