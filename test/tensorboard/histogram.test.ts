import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HistogramCounter } from '../../lib/tensorboard/histogram'

const histogramOf = (values: readonly number[]) => {
  const counter = new HistogramCounter()
  counter.add(values)
  return counter.histogram
}

test('buckets end at 0 and at 1.1 times the one before; a number that is an end belongs to the next', () => {
  const { bucketLimit, bucket, ...rest } = histogramOf([0, 1e-12, -1, 2])
  expect(rest).toEqual({ min: -1, max: 2, num: 4, sum: 1.000000000001, sumSquares: 5 })
  const filled = bucketLimit.filter((_, index) => bucket[index]! > 0)
  expect(filled[0]).toBeGreaterThan(-1)
  expect(filled[0]).toBeLessThan(-0.9)
  expect(filled.slice(1, 3)).toEqual([1e-12, 1e-12 * 1.1])
  expect(filled[3]).toBeGreaterThan(2)
  expect(filled[3]).toBeLessThan(2.2)
  expect(bucket.reduce((sum, count) => sum + count)).toBe(4)
  expect(bucketLimit.at(-1)).toBe(Number.MAX_VALUE)
})

test('empty buckets in a row are one', () => {
  const { bucketLimit, bucket } = histogramOf([5])
  expect(bucket).toEqual([0, 1, 0])
  expect(bucketLimit[0]! <= 5 && 5 < bucketLimit[1]!).toBe(true)
  expect(bucketLimit[1]! / bucketLimit[0]!).toBeCloseTo(1.1, 9)
})

test('every number is in the bucket that holds it, however large', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 30 }), (values) => {
      const { bucketLimit, bucket, num, min, max } = histogramOf(values)
      expect([num, min, max]).toEqual([values.length, Math.min(...values), Math.max(...values)])
      bucket.forEach((count, index) => {
        const low = index === 0 ? Number.NEGATIVE_INFINITY : bucketLimit[index - 1]!
        const isLast = index === bucket.length - 1
        expect(values.filter((value) => value >= low && (value < bucketLimit[index]! || isLast))).toHaveLength(count)
      })
    }),
  )
})
