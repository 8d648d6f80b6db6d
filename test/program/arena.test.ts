import { expect, test } from 'vitest'
import { type Block, placeApart, placeBlocks } from '../../lib/program/arena'
import { Random } from '../support/random'

const block = (elements: number, first: number, last: number): Block => ({ elements, first, last })

test('blocks that are never in use together share memory', () => {
  const [a, b, c] = [block(100, 0, 1), block(100, 2, 3), block(20, 1, 2)]
  const { offsets, elements } = placeBlocks([a, b, c])
  expect(offsets.get(a)).toBe(offsets.get(b))
  expect(elements).toBe(112 + 32)
  expect(placeApart([a, b, c]).elements).toBe(112 + 112 + 32)
})

test('the smallest gap that takes a block', () => {
  const walls = [block(1600, 0, 9), block(800, 0, 0), block(400, 0, 9), block(320, 0, 0), block(304, 0, 9)]
  const late = block(300, 5, 9)
  const { offsets, elements } = placeBlocks([...walls, late])
  expect(elements).toBe(1600 + 800 + 400 + 320 + 304)
  expect(offsets.get(late)).toBe(1600 + 800 + 400)
})

test.each([
  ['few', 60, (random: Random) => random.whole(1, 60), 40],
  ['very many', 1, () => 4500, 1500],
])('random blocks: none overlap in place and time, all are aligned, and the peak is a bound: %s', (_, seeds, count, times) => {
  for (let seed = 1; seed <= seeds; seed++) {
    const random = new Random(seed)
    const blocks = Array.from({ length: count(random) }, () => {
      const first = random.whole(0, times)
      return block(random.whole(1, 500), first, first + random.whole(0, 8))
    })
    const { offsets, elements } = placeBlocks(blocks)
    for (const a of blocks) {
      const at = offsets.get(a)!
      expect(at % 16).toBe(0)
      expect(at + a.elements).toBeLessThanOrEqual(elements)
      const beside = blocks.filter((b) => a !== b && a.last >= b.first && b.last >= a.first)
      for (const b of beside) expect(at + a.elements <= offsets.get(b)! || offsets.get(b)! + b.elements <= at, `seed ${seed}`).toBe(true)
    }
    const live = (time: number) =>
      blocks.reduce((sum, b) => sum + (b.first <= time && time <= b.last ? Math.ceil(b.elements / 16) * 16 : 0), 0)
    const peak = Math.max(...Array.from({ length: times + 10 }, (_, time) => live(time)))
    expect(elements).toBeGreaterThanOrEqual(peak)
    expect(elements).toBeLessThan(peak * 1.5)
  }
})
