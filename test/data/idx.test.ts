import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseIdx, parseIdxOrGzip, readIdx } from '../../lib/data/idx'
import { temporaryFolder } from '../support/folder'
import { idxBytes } from '../support/idx'

const refusal = (message: RegExp, code = 'INVALID_FILE') => expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('parseIdx', () => {
  test.each([[[5]], [[2, 3]], [[2, 3, 4]], [[2, 1, 3, 2]]])('reads the shape and bytes of %j', (shape) => {
    const { shape: read, data } = parseIdx(idxBytes(shape))
    expect(read).toEqual(shape)
    expect([...data]).toEqual(Array.from(data, (_, i) => i % 251))
  })

  test('reads content that lies anywhere in its buffer', () => {
    const bytes = idxBytes([2, 2])
    const shifted = new Uint8Array(bytes.length + 3).fill(9)
    shifted.set(bytes, 3)
    expect(parseIdx(shifted.subarray(3))).toEqual({ shape: [2, 2], data: Uint8Array.of(0, 1, 2, 3) })
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /truncated: an IDX header has at least 4 bytes, found 0/],
    ['three bytes', Uint8Array.of(0, 0, 8), /truncated/],
    ['text', Buffer.from('label,pixel'), /not an IDX file: starts with 0x6c616265/],
    ['a type that does not exist', idxBytes([2], { magic: 0x0a01 }), /not an IDX file/],
    ['rank 0', idxBytes([], { magic: 0x0800 }), /not an IDX file/],
    ['rank 200', idxBytes([2], { magic: 0x08c8 }), /not an IDX file/],
    ['a header cut short', idxBytes([2, 3]).subarray(0, 9), /truncated inside its header of 12 bytes/],
    ['one byte too few', idxBytes([2, 3]).subarray(0, -1), /truncated: its header says \[2, 3\] \(18 bytes\), it has 17/],
    ['one byte too many', Buffer.concat([idxBytes([2, 3]), Uint8Array.of(0)]), /too long/],
    ['an empty axis', idxBytes([2, 0], { data: new Uint8Array(0) }), /axis of size 0/],
    ['sizes whose product overflows', idxBytes([0xffffffff, 0xffffffff, 2], { data: new Uint8Array(8) }), /overflow/],
    ['sizes that are only too large', idxBytes([0xffffffff, 0xffff], { data: new Uint8Array(8) }), /truncated/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'f')).toThrow(refusal(message))
  })

  test.each([
    [9, 'int8'],
    [11, 'int16'],
    [12, 'int32'],
    [13, 'float32'],
    [14, 'float64'],
  ])('names the element type %i that it does not read: %s', (type, name) => {
    expect(() => parseIdx(idxBytes([2], { magic: (type << 8) | 1 }), 'f')).toThrow(refusal(new RegExp(`f: holds ${name}`), 'UNSUPPORTED'))
  })
})

describe('gzipped', () => {
  const bytes = idxBytes([3, 40, 50])
  const gzipped = gzipSync(bytes)

  test('reads it as it reads the plain file', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'plain'), bytes)
    writeFileSync(join(folder, 'gzipped'), gzipped)
    const plain = await readIdx(join(folder, 'plain'))
    expect(plain.shape).toEqual([3, 40, 50])
    expect(await readIdx(join(folder, 'gzipped'))).toEqual(plain)
  })

  test('reads a start that is hidden behind a long file name', async () => {
    const name = Buffer.from(`${'n'.repeat(2000)}\0`)
    const named = Buffer.concat([gzipped.subarray(0, 10), name, gzipped.subarray(10)])
    named[3] = 8
    expect((await parseIdxOrGzip(named)).shape).toEqual([3, 40, 50])
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['cut short', gzipped.subarray(0, -9), /damaged gzip data/],
    ['only its first bytes', gzipped.subarray(0, 2), /truncated|damaged/],
    ['a bit flipped', Buffer.from(gzipped).fill(0xff, 60, 64), /damaged gzip data/],
    ['a wrong check sum', Buffer.from(gzipped).fill(0, gzipped.length - 8, gzipped.length - 4), /damaged gzip data/],
    ['followed by other bytes', Buffer.concat([gzipped, Buffer.from('more')]), /damaged gzip data/],
    ['followed by zeros', Buffer.concat([gzipped, Buffer.alloc(5)]), /5 bytes follow the gzip data/],
    ['more content than its header says', gzipSync(Buffer.concat([bytes, Uint8Array.of(1)])), /holds more than the 6016 bytes/],
    ['less content than its header says', gzipSync(bytes.subarray(0, -1)), /holds 6015 bytes, its header says 6016/],
    ['a second stream behind the first', Buffer.concat([gzipped, gzipped]), /holds more than/],
    ['not IDX inside', gzipSync(Buffer.from('hello hello')), /not an IDX file/],
    ['a bomb whose header tells the truth', gzipSync(idxBytes([0x7fffffff], { data: new Uint8Array(1 << 20) })), /at most 1073741824/],
    ['a bomb whose header lies', gzipSync(idxBytes([4], { data: new Uint8Array(64 << 20) })), /holds more than the 12 bytes/],
  ])('refuses %s', async (_, damaged, message) => {
    await expect(parseIdxOrGzip(damaged, 'f')).rejects.toThrow(refusal(message))
  })
})

test('a file that is not there', async () => {
  await expect(readIdx(join(temporaryFolder(), 'none'))).rejects.toThrow(refusal(/cannot read .*none: no such file/, 'FILE_ERROR'))
})
