import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dataset } from '../../lib/data/dataset'
import { readNpy, readNpz } from '../../lib/data/npy'
import { ConvlaneError } from '../../lib/errors'
import { temporaryFolder } from '../support/folder'
import { numpyFiles as made, npyBytes, zipBytes } from '../support/npy'

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

describe('readNpy', () => {
  test.each(made.files)('reads what NumPy wrote: $name', async ({ name, file, shape, values }) => {
    const array = await readNpy(bytesOf(file))
    expect(array.shape).toEqual(shape)
    const kind = name.slice(1)
    const type = /^(u1|b1)$/.test(kind) ? Uint8Array : /^[iu]\d$|^o numbers$/.test(kind) ? Int32Array : Float32Array
    expect(array.data).toEqual(type.from(values))
    const path = join(temporaryFolder(), 'a.npy')
    writeFileSync(path, bytesOf(file))
    expect(await readNpy(path)).toEqual(array)
  })

  test('reads headers of versions 2 and 3, and as Python 2 wrote them', async () => {
    for (const options of [{ version: 2 }, { version: 3 }, { header: "{'shape': (1L, 2L,), 'fortran_order': False, 'descr': '|u1'}" }]) {
      expect(await readNpy(npyBytes('|u1', [1, 2], Uint8Array.of(5, 6), options))).toEqual({
        shape: [1, 2],
        data: Uint8Array.of(5, 6),
        dtype: '|u1',
      })
    }
  })

  test('copies bytes before it returns', async () => {
    const bytes = npyBytes('|u1', [2], Uint8Array.of(5, 6))
    const reading = readNpy(bytes)
    bytes.fill(0)
    expect((await reading).data).toEqual(Uint8Array.of(5, 6))
  })

  test.each(made.others)('refuses $name', async ({ file }) => {
    await expect(readNpy(bytesOf(file))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/^readNpy: holds elements of type .*, expected real numbers/),
    })
  })

  test.each<[string, Uint8Array, string, RegExp]>([
    [
      '2³¹ as uint32',
      npyBytes('<u4', [2], Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80)),
      'UNSUPPORTED',
      /element 1 is 2147483648, expected whole numbers of 32 bits$/,
    ],
    [
      '2⁶³ as int64',
      npyBytes('<i8', [1], Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80)),
      'UNSUPPORTED',
      /element 0 is -9223372036854776000, expected/,
    ],
    [
      '1e300',
      npyBytes('<f8', [1], new Uint8Array(Float64Array.of(1e300).buffer)),
      'UNSUPPORTED',
      /element 0 is 1e\+300, expected float32$/,
    ],
    ['nothing', new Uint8Array(0), 'INVALID_FILE', /is empty, expected a .npy file$/],
    ['a text', Buffer.from('this is no array'), 'INVALID_FILE', /is no .npy file: it does not start with \\x93NUMPY$/],
    ['version 9', npyBytes('|u1', [1], Uint8Array.of(0), { version: 9 }), 'UNSUPPORTED', /version 9, expected 1 to 3/],
    [
      'a header of 4 GB',
      npyBytes('|u1', [1], Uint8Array.of(0), { version: 2, length: 0xffffffff }),
      'INVALID_FILE',
      /its header would have 4294967295 bytes/,
    ],
    ['no header', npyBytes('|u1', [1], Uint8Array.of(0), { header: 'x'.repeat(50) }), 'INVALID_FILE', /damaged header: "xxx/],
    [
      'a header without sizes',
      npyBytes('|u1', [1], Uint8Array.of(0), { header: "{'descr': '|u1', 'fortran_order': False}" }),
      'INVALID_FILE',
      /damaged header/,
    ],
    [
      'a header with a name twice',
      npyBytes('|u1', [1], Uint8Array.of(0), { header: "{'descr': '|u1', 'descr': '|u1', 'shape': (1,)}" }),
      'INVALID_FILE',
      /has descr twice/,
    ],
    [
      'negative sizes',
      npyBytes('|u1', [1], Uint8Array.of(0), { header: "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}" }),
      'INVALID_FILE',
      /damaged header/,
    ],
    ['huge sizes', npyBytes('|u1', [2 ** 40, 2 ** 40], Uint8Array.of(0)), 'INVALID_FILE', /truncated: its header says/],
    ['sizes beyond numbers', npyBytes('|u1', [0, '9'.repeat(400)], new Uint8Array(0)), 'INVALID_FILE', /damaged header: sizes/],
    [
      'too few elements',
      npyBytes('<f4', [2], new Uint8Array(7)),
      'INVALID_FILE',
      /truncated: its header says \[2\] of <f4, 8 bytes, it has 7$/,
    ],
    ['too many elements', npyBytes('<f4', [2], new Uint8Array(9)), 'INVALID_FILE', /too long: .* it has 9$/],
    ['a type that does not exist', npyBytes('<f3', [2], new Uint8Array(6)), 'UNSUPPORTED', /elements of type <f3/],
  ])('refuses %s', async (_, bytes, code, message) => {
    await expect(readNpy(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('refuses other arguments, files that are not there, and stops by a signal', async () => {
    await expect(readNpy(3 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(readNpy('a', { names: [] } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(readNpy(join(temporaryFolder(), 'none.npy'))).rejects.toMatchObject({ code: 'FILE_ERROR' })
    await expect(readNpy('none.npy', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    const controller = new AbortController()
    const reading = readNpy(npyBytes('<f8', [2 ** 20], new Uint8Array(2 ** 23)), { signal: controller.signal })
    setImmediate(() => controller.abort())
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('readNpz', () => {
  test('stops by a signal, and refuses two arrays of one name', async () => {
    const file = npyBytes('|u1', [1], Uint8Array.of(5))
    const signal = AbortSignal.abort()
    await expect(readNpz(zipBytes({ 'a.npy': file }), { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(readNpz(zipBytes({ 'a.npy': file, a: file }))).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: 'readNpz: holds an array twice, with .npy and without',
    })
  })

  test.each(Object.entries(made.archives))('reads what %s wrote', async (_, file) => {
    const arrays = await readNpz(bytesOf(file))
    expect(Object.keys(arrays)).toEqual(['x_train', 'y_train'])
    expect(arrays.x_train).toEqual({ shape: [3, 2, 2], data: Uint8Array.from({ length: 12 }, (_, i) => i), dtype: '|u1' })
    expect(arrays.y_train).toEqual({ shape: [3], data: Int32Array.of(2, 0, 1), dtype: '<i8' })
    const { x_train: x, y_train: y } = arrays
    expect(dataset({ x: x!, y: y! }).length).toBe(3)
    expect(Object.keys(await readNpz(bytesOf(file), { names: ['y_train'] }))).toEqual(['y_train'])
    await expect(readNpz(bytesOf(file), { names: ['y'] })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: 'readNpz: holds no "y", it holds x_train, y_train',
    })
  })

  const one = npyBytes('|u1', [3], Uint8Array.of(1, 2, 3))
  test.each<[string, Uint8Array, string, RegExp]>([
    ['nothing', new Uint8Array(0), 'INVALID_FILE', /is empty, expected a zip archive/],
    ['a text', Buffer.from('this is no archive at all'), 'INVALID_FILE', /is no zip archive/],
    ['an archive that ends early', zipBytes({ 'a.npy': one }).subarray(0, -1), 'INVALID_FILE', /is no zip archive, or ends early/],
    [
      'equal names',
      zipBytes({ 'a.npy': one, 'b.npy': one }, (bytes, directory) => void bytes.write('a', bytes.indexOf('b.npy', directory))),
      'INVALID_FILE',
      /holds "a.npy" twice/,
    ],
    [
      'a wrong checksum',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt32LE(7, directory + 16)),
      'INVALID_FILE',
      /"a.npy" is damaged: its checksum is another/,
    ],
    [
      'encryption',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt16LE(1, directory + 8)),
      'UNSUPPORTED',
      /"a.npy" is encrypted/,
    ],
    [
      'another method',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt16LE(14, directory + 10)),
      'UNSUPPORTED',
      /compressed by method 14/,
    ],
    [
      'a length of 4 GB',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt32LE(0xffffffff, directory + 24)),
      'INVALID_FILE',
      /cannot hold 4294967295 bytes in/,
    ],
    [
      'more than it says',
      zipBytes({ 'a.npy': new Uint8Array(50_000) }, (bytes, directory) => bytes.writeUInt32LE(40_000, directory + 24)),
      'INVALID_FILE',
      /holds more than the 40000 bytes/,
    ],
    [
      'less than it says',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt32LE(one.length + 1, directory + 24)),
      'INVALID_FILE',
      /holds 83|the directory says/,
    ],
    [
      'a place behind the end',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt32LE(1e9, directory + 42)),
      'INVALID_FILE',
      /no header where the directory says/,
    ],
    [
      'files that overlap',
      zipBytes({ 'a.npy': one }, (bytes, directory) => bytes.writeUInt32LE(1e6, directory + 20)),
      'INVALID_FILE',
      /its files have 1000000 bytes/,
    ],
    ['zip64', zipBytes({ 'a.npy': one }, (bytes) => bytes.writeUInt32LE(0xffffffff, bytes.length - 6)), 'UNSUPPORTED', /needs zip64/],
    ['what is no array', zipBytes({ 'notes.txt': Buffer.from('these are notes') }), 'INVALID_FILE', /"notes.txt": is no .npy file/],
  ])('refuses %s', async (_, bytes, code, message) => {
    await expect(readNpz(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

test('damaged archives give arrays or a coded error, nothing else', async () => {
  const originals = [...Object.values(made.archives), ...made.files.map(({ file }) => file)].map(bytesOf)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (original, edits, cut) => {
        const bytes = Uint8Array.from(original).subarray(0, cut < 0.2 ? Math.floor(5 * cut * original.length) : original.length)
        for (const [at, value] of edits) if (bytes.length > 0) bytes[Math.floor(at * bytes.length)] = value
        const read = original[0] === 0x93 ? readNpy(bytes) : readNpz(bytes)
        await read.catch((error: unknown) => {
          expect(error).toBeInstanceOf(ConvlaneError)
          expect(['INVALID_FILE', 'UNSUPPORTED']).toContain((error as ConvlaneError).code)
        })
      },
    ),
    { numRuns: 300, seed: 9 },
  )
})
