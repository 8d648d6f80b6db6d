import { expect, test } from 'vitest'
import { inOrder } from '../../lib/data/inOrder'

const later = (turns: number) => new Promise<void>((resolve) => setTimeout(resolve, turns))

test('gives results in order, with no more under way than is allowed', async () => {
  let [now, most] = [0, 0]
  const work = async (item: number) => {
    most = Math.max(most, ++now)
    await later(item % 3)
    now--
    return item * item
  }
  const results: number[] = []
  for await (const result of inOrder(
    Array.from({ length: 20 }, (_, i) => i),
    work,
    4,
  ))
    results.push(result)
  expect(results).toEqual(Array.from({ length: 20 }, (_, i) => i * i))
  expect(most).toBe(4)
})

test('starts nothing while nobody takes what is done', async () => {
  let started = 0
  const results = inOrder([1, 2, 3, 4, 5, 6], async () => ++started, 2)
  expect(started).toBe(0)
  await results.next()
  await later(5)
  expect(started).toBe(2)
  await results.return()
  expect(started).toBe(2)
})

test('throws the first failure in order, once all that was started has ended', async () => {
  let ended = 0
  const work = async (item: number) => {
    await later(10 - 3 * item)
    ended++
    if (item >= 1) throw new Error(`failure ${item}`)
    return item
  }
  const results = inOrder([0, 1, 2, 3], work, 3)
  await expect(results.next()).resolves.toEqual({ value: 0, done: false })
  await expect(results.next()).rejects.toThrow('failure 1')
  expect(ended).toBe(4)
})
