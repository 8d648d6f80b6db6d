import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { weightsSha256 } from '../../lib/io/weights-hash'

const a = { shape: [2], data: Float32Array.of(1, -2) }
const b = { shape: [1, 1], data: Float32Array.of(0.5) }

test('is the SHA-256 of names, sizes and little-endian floats, sorted by name', () => {
  const bytes = Buffer.concat([Buffer.from('a\x002\x00'), Buffer.alloc(8), Buffer.from('b\x001,1\x00'), Buffer.alloc(4)])
  bytes.writeFloatLE(1, 4)
  bytes.writeFloatLE(-2, 8)
  bytes.writeFloatLE(0.5, 18)
  expect(weightsSha256({ b, a })).toBe(createHash('sha256').update(bytes).digest('hex'))
})

test.each([
  ['a name', { a, c: b }],
  ['a shape', { a, b: { ...b, shape: [1] } }],
  ['one bit', { a, b: { ...b, data: Float32Array.of(0.50000006) } }],
  ['a tensor less', { a }],
])('changes with %s', (_, weights) => {
  expect(weightsSha256(weights)).not.toBe(weightsSha256({ a, b }))
})

test('does not change with the order of the tensors', () => {
  expect(weightsSha256({ a, b })).toBe(weightsSha256({ b, a }))
})

test('reads a view of a larger array', () => {
  expect(weightsSha256({ a: { shape: [2], data: Float32Array.of(9, 1, -2, 9).subarray(1, 3) } })).toBe(weightsSha256({ a }))
})

test('tells the two zeros apart', () => {
  const zero = (data: Float32Array) => weightsSha256({ a: { shape: [1], data } })
  expect(zero(Float32Array.of(-0))).not.toBe(zero(Float32Array.of(0)))
})
