import { describe, expect, test } from 'vitest'
import { dataset } from '../../lib/data/dataset'
import { digits } from '../../lib/data/digits'
import { variants } from '../../lib/data/variants'

/** Two images of 6 × 5 pixels and 2 channels: a bright block in the middle of the first, nothing in the second. */
function blocks() {
  const data = new Uint8Array(2 * 6 * 5 * 2)
  for (const y of [2, 3]) for (const x of [1, 2, 3]) data.fill(200, (y * 5 + x) * 2, (y * 5 + x) * 2 + 1)
  return dataset({ x: { shape: [2, 6, 5, 2], data }, y: { shape: [2], data: Uint8Array.of(1, 0) }, classNames: ['none', 'block'] })
}

describe('variants', () => {
  test('keeps the originals in front, the labels, names and normalisation', async () => {
    const { train } = await digits()
    const more = variants(train, { copies: 3, seed: 5 })
    expect(more.length).toBe(3 * train.length)
    expect(more.x.shape).toEqual([4311, 8, 8, 1])
    expect(Buffer.compare(more.x.data.subarray(0, train.x.data.length) as Uint8Array, train.x.data as Uint8Array)).toBe(0)
    expect([...more.y.data]).toEqual([...train.y.data, ...train.y.data, ...train.y.data])
    expect(more.classNames).toBe(train.classNames)
    expect(more.normalize).toBe(train.normalize)
  })

  test('makes versions that differ from the image and from each other, and keep about its ink', () => {
    const { x } = variants(blocks(), { copies: 40, seed: 1 })
    const seen = new Set<string>()
    for (let copy = 0; copy < 40; copy++) {
      const image = x.data.subarray(copy * 120, copy * 120 + 60)
      seen.add(image.join())
      const ink = [...image].reduce((sum, value) => sum + value, 0)
      expect(ink).toBeGreaterThan(500)
      expect(ink).toBeLessThan(2300)
    }
    expect(seen.size).toBe(40)
  })

  test('keeps channels apart and makes nothing of nothing', () => {
    const { x } = variants(blocks(), { copies: 10, seed: 1 })
    expect(x.data.some((value, i) => value > 0 && i % 2 === 1)).toBe(false)
    for (let copy = 0; copy < 10; copy++)
      expect(x.data.subarray(copy * 120 + 60, copy * 120 + 120).every((value) => value === 0)).toBe(true)
  })

  test('follows the seed', () => {
    const [a, same, other] = [1, 1, 2].map((seed) => variants(blocks(), { copies: 4, seed }).x.data.join())
    expect(a).toBe(same)
    expect(a).not.toBe(other)
  })

  test('refuses floats, targets that are no classes, other ranks and copies that are no number of them', () => {
    const { x, y } = blocks()
    const code = (change: object, copies = 2) => {
      try {
        variants({ ...blocks(), ...change }, { copies, seed: 1 })
      } catch (error) {
        return (error as { code?: string }).code
      }
      return undefined
    }
    expect(code({ x: { shape: x.shape, data: new Float32Array(120) } })).toBe('INVALID_SHAPE')
    expect(code({ y: { shape: y.shape, data: new Float32Array(2) } })).toBe('INVALID_SHAPE')
    expect(code({ x: { shape: [2, 60], data: x.data } })).toBe('INVALID_SHAPE')
    for (const copies of [0, 1.5, Number.NaN]) expect(code({}, copies)).toBe('INVALID_ARGUMENT')
  })
})
