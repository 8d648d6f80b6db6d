import { expect, test } from 'vitest'
import { dense, histogram, sequential, weightHistograms } from '../../lib/index'
import { expectError } from '../support/models'

const of = (...values: number[]) => ({ shape: [values.length], data: Float32Array.from(values) })

test('counts lie in even parts from the least to the largest', () => {
  expect(histogram(of(0, 1, 2, 4, 3.9, 2), { bins: 4 })).toEqual({ edges: [0, 1, 2, 3, 4], counts: [1, 1, 2, 2], notFinite: 0 })
})

test('what is not finite is counted apart; all alike lie in the middle', () => {
  expect(histogram(of(Number.NaN, 1, Number.NEGATIVE_INFINITY), { bins: 2 })).toEqual({
    edges: [0.5, 1, 1.5],
    counts: [0, 1],
    notFinite: 2,
  })
  expect(histogram(of(Number.NaN), { bins: 1 })).toEqual({ edges: [0, 1], counts: [0], notFinite: 1 })
  const wide = histogram(of(-3.4e38, 3.4e38))
  expect([wide.counts[0], wide.counts.at(-1)]).toEqual([1, 1])
})

test('every weight tensor has one, by its name', async () => {
  const model = sequential({ input: [3], runtime: 'reference' }, dense(5))
  const found = await weightHistograms(model, { bins: 8 })
  expect(Object.keys(found)).toEqual(['dense/kernel', 'dense/bias'])
  expect(found['dense/kernel']!.counts.reduce((sum, count) => sum + count, 0)).toBe(15)
  await expectError(() => weightHistograms(model, { bins: 0 }), 'INVALID_ARGUMENT', 'bins')
})
