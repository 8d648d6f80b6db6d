import { describe, expect, test } from 'vitest'
import { type Initializer, initialValues } from '../../lib/layers/initializers'
import { philox4x32 } from '../../lib/random'

const shape = [3, 3, 8, 16] // 72 weights feed an output, an input feeds 144
const moments = (values: Float32Array) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length }
}

describe('initializers', () => {
  test.each<[Initializer, number]>([
    ['glorotUniform', 2 / (72 + 144)],
    ['glorotNormal', 2 / (72 + 144)],
    ['heUniform', 2 / 72],
    ['heNormal', 2 / 72],
  ])('%s has mean 0 and variance %f', (initializer, expected) => {
    const { mean, variance } = moments(initialValues(initializer, shape, 2, 0))
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(expected / 1152))
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.12)
  })

  test('uniform ones stay within their limit', () => {
    const limit = Math.sqrt(6 / (72 + 144))
    const values = initialValues('glorotUniform', shape, 3, 0)
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(limit)
    expect(Math.max(...values)).toBeGreaterThan(0.98 * limit)
  })

  test('zeros and ones', () => {
    expect([...initialValues('zeros', [3], 1, 0)]).toEqual([0, 0, 0])
    expect([...initialValues('ones', [3], 1, 0)]).toEqual([1, 1, 1])
  })

  test('seed and number of the parameter decide', () => {
    const first = initialValues('glorotUniform', shape, 1, 0)
    expect(initialValues('glorotUniform', shape, 1, 0)).toEqual(first)
    expect(initialValues('glorotUniform', shape, 2, 0)).not.toEqual(first)
    expect(initialValues('glorotUniform', shape, 1, 1)).not.toEqual(first)
  })

  test('the same numbers everywhere: words of Philox, mapped to the range', () => {
    const limit = Math.sqrt(6 / 4)
    const words = philox4x32([0, 7, 0, 0x80000001], [1, 0])
    const expected = words.map((word) => Math.fround(-limit + 2 * limit * (word / 2 ** 32)))
    expect([...initialValues('glorotUniform', [2, 2], 1, 7)]).toEqual(expected)
  })
})
