import { describe, expect, test } from 'vitest'
import { ConvlaneError } from '../lib/errors'
import { checkSeed, Permutation, type Purpose, permutation, philox4x32, RandomStream } from '../lib/random'

const draw = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next)

describe('RandomStream', () => {
  test('gives the words of Philox blocks: counter (block, index, purpose), key = seed as 64 bits', () => {
    const stream = new RandomStream(2 ** 40 + 7, 'shuffle', 2 ** 33 + 5)
    const block = (number: number) => philox4x32([number, 5, 2, 0x80000002], [7, 256])
    expect(draw(8, () => stream.word())).toEqual([...block(0), ...block(1)])
  })

  test('the same seed, purpose and index give the same numbers; any other differs', () => {
    const first = (seed: number, purpose: Purpose, index: number) => new RandomStream(seed, purpose, index).word()
    expect(first(1, 'weights', 0)).toBe(first(1, 'weights', 0))
    const others = [
      first(1, 'weights', 0),
      first(2, 'weights', 0),
      first(1, 'shuffle', 0),
      first(1, 'weights', 1),
      first(1 + 2 ** 32, 'weights', 0),
    ]
    expect(new Set(others).size).toBe(others.length)
  })

  test('uniform numbers fill their range evenly', () => {
    const stream = new RandomStream(3, 'data')
    const counts = new Array(10).fill(0)
    for (const value of draw(20_000, () => stream.uniform(-1, 4))) counts[Math.floor((value + 1) * 2)]++
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200)
  })

  test('normal numbers have their mean, deviation and tails', () => {
    const stream = new RandomStream(4, 'data')
    const values = draw(20_000, () => stream.normal(2, 3))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    expect(Math.abs(mean - 2)).toBeLessThan(0.1)
    expect(Math.abs(deviation - 3)).toBeLessThan(0.1)
    const beyond = values.filter((value) => Math.abs(value - 2) > 6).length / values.length
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.01)
  })
})

describe('Permutation', () => {
  test('holds every number once, and differs from the order of counting', () => {
    const order = permutation(1000, new RandomStream(5, 'shuffle'))
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index))
    expect(order.filter((value, index) => value === index).length).toBeLessThan(10)
  })

  test('is the same taken in parts, and parts stay as they are', () => {
    const whole = permutation(100, new RandomStream(6, 'shuffle', 3))
    const order = new Permutation(100, new RandomStream(6, 'shuffle', 3))
    const parts = [order.take(32), order.take(32), order.take(32), order.take(32)]
    expect(parts.map((part) => part.length)).toEqual([32, 32, 32, 4])
    expect(parts.flatMap((part) => [...part])).toEqual([...whole])
    expect(order.take(1)).toHaveLength(0)
  })

  test('every order of three comes up about as often', () => {
    const counts = new Map<string, number>()
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = permutation(3, new RandomStream(7, 'shuffle', epoch)).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})

test.each([-1, 1.5, Number.NaN, 2 ** 53, '1', undefined])('checkSeed refuses %s', (seed) => {
  expect(() => checkSeed(seed, 'fit')).toThrow(ConvlaneError)
  expect(() => checkSeed(seed, 'fit')).toThrow('fit: seed must be')
})
