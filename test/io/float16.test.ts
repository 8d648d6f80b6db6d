import { expect, test } from 'vitest'
import { bfloatToFloat, halfToFloat } from '../../lib/io/float16'

test('numbers of IEEE 754 binary16', () => {
  const bits = Uint16Array.of(0, 0x8000, 1, 0x83ff, 0x0400, 0x3555, 0x3c00, 0x3c01, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00)
  const values = [0, -0, 2 ** -24, -1023 * 2 ** -24, 2 ** -14, 0.333251953125, 1, 1 + 2 ** -10, -2, 65504, Infinity, -Infinity, Number.NaN]
  expect([...halfToFloat(bits)]).toEqual(values)
})

test('every finite one lies above the one before', () => {
  const all = halfToFloat(Uint16Array.from({ length: 0x7c01 }, (_, i) => i))
  expect(all.every((value, i) => i === 0 || value > all[i - 1]!)).toBe(true)
})

test('bfloat16 is the upper half of a float32', () => {
  expect([...bfloatToFloat(Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x7f80))]).toEqual([1, -3.140625, 2 ** -133, Infinity])
})
