import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, maskedCrc32c } from '../../lib/tensorboard/crc32c'
import { recordOf } from '../../lib/tensorboard/record'
import { recordsOf, slowCrc32c, unmasked } from './readEvents'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('CRC-32C of what its specifications give', () => {
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283')
  // RFC 3720, appendix B.4.
  expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa')
  expect(crc32c(new Uint8Array(32).fill(0xff)).toString(16)).toBe('62a8ab43')
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)).toString(16)).toBe('46dd794e')
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => 31 - index)).toString(16)).toBe('113fdb5c')
  expect(crc32c(new Uint8Array(0))).toBe(0)
})

test('the bytes of a record: length, masked CRCs', () => {
  // e3069283 turned by 15 bits is 2507c60d; with the constant c78ab0e5.
  expect(maskedCrc32c(Buffer.from('123456789')).toString(16)).toBe('c78ab0e5')
  const record = recordOf(Buffer.from('123456789'))
  expect(hex(record.subarray(0, 8))).toBe('0900000000000000')
  expect(hex(record.subarray(12, 21))).toBe(hex(Buffer.from('123456789')))
  expect(hex(record.subarray(21))).toBe('e5b08ac7')
})

test('any bytes come back; any changed bit is seen', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }), fc.nat(), (parts, place) => {
      const file = Buffer.concat(parts.map(recordOf))
      expect(recordsOf(file).map(hex)).toEqual(parts.map(hex))
      expect(unmasked(maskedCrc32c(parts[0]!))).toBe(slowCrc32c(parts[0]!))
      file[Math.floor(place / 8) % file.length]! ^= 1 << (place % 8)
      expect(() => recordsOf(file)).toThrow()
    }),
  )
})
