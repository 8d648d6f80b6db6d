import { expect, test } from 'vitest'
import * as ops from '../../lib/ops'
import { tensor } from '../../lib/tensor'

test('outputPadding beyond the stride cuts less off, then adds places that only the bias reaches', () => {
  const [x, w] = [tensor([1, 2], [1, 2, 1]), tensor([10, 100], [2, 1, 1])]
  const run = (options: object) => Array.from(ops.convTranspose1d(x, w, { dilation: 3, ...options }).data)
  expect(run({})).toEqual([10, 20, 0, 100, 200])
  expect(run({ padding: 2 })).toEqual([0])
  expect(run({ padding: 2, outputPadding: 1 })).toEqual([0, 100])
  expect(run({ padding: 2, outputPadding: 2 })).toEqual([0, 100, 200])
  expect(run({ padding: [2, 1], outputPadding: 2, bias: tensor([7], [1]) })).toEqual([7, 107, 207, 7])
})
