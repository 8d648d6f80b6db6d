import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstOrder, inverse, lastOrder, permuted, permutedPieces } from '../../../lib/convert/onnx/arrange'

test('channels before the image, and behind it', () => {
  expect([2, 3, 4, 5].map(firstOrder)).toEqual([
    [0, 1],
    [0, 2, 1],
    [0, 3, 1, 2],
    [0, 4, 1, 2, 3],
  ])
  for (const rank of [1, 2, 3, 4, 5]) expect(lastOrder(rank)).toEqual(inverse(firstOrder(rank)))
})

/** Straight from the definition. */
function expected(data: Float32Array, shape: readonly number[], order: readonly number[]): number[] {
  let places: number[][] = [[]]
  for (const axis of order) places = places.flatMap((place) => Array.from({ length: shape[axis]! }, (_, index) => [...place, index]))
  return places.map((place) => {
    const index = shape.map((_, axis) => place[order.indexOf(axis)]!)
    return data[index.reduce((offset, at, axis) => offset * shape[axis]! + at, 0)]!
  })
}

const cases = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    order: fc.shuffledSubarray(
      shape.map((_, axis) => axis),
      { minLength: shape.length },
    ),
  }),
)

test('axes in any order, as a whole and in parts', () => {
  fc.assert(
    fc.property(cases, ({ shape, order }) => {
      const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) => index)
      const whole = expected(data, shape, order)
      expect([...permuted(data, shape, order)]).toEqual(whole)
      const middle = Math.floor(shape[order[0]!]! / 2)
      expect([...permuted(data, shape, order, 0, middle), ...permuted(data, shape, order, middle)]).toEqual(whole)
      expect([...permutedPieces(data, shape, order)].flatMap((piece) => [...piece])).toEqual(whole)
    }),
    { numRuns: 100 },
  )
})

test('large tensors come in pieces, and as they are where they are in order', () => {
  const shape = [512, 1024]
  const data = Float32Array.from({ length: 512 * 1024 }, (_, index) => index)
  const pieces = [...permutedPieces(data, shape, [1, 0])]
  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.flatMap((piece) => [...piece])).toEqual([...permuted(data, shape, [1, 0])])
  expect([...permutedPieces(data, shape, [0, 1])][0]).toBe(data)
})
