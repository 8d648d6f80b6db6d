import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../lib/io/safetensors'
import type { Tensor } from '../../lib/tensor'
import { temporaryFolder } from '../support/folder'

const tensor = (shape: number[], ...values: number[]): Tensor => ({ shape, data: Float32Array.from(values) })

const network = {
  'conv2d_1/kernel': tensor([2, 1, 1, 2], 1.5, -0, 3e-41, Number.POSITIVE_INFINITY),
  'conv2d_1/bias': tensor([2], 0.1, Number.NaN),
  scalar: tensor([], 7),
  empty: tensor([0, 3]),
  'größe "x"\n': tensor([1], 2),
  7: tensor([1], 77),
}

async function written(tensors: Record<string, Tensor>, metadata?: Record<string, string>): Promise<string> {
  const file = join(temporaryFolder(), 'f.safetensors')
  await writeSafetensors(file, tensors, metadata)
  return file
}

describe('a file that was written', () => {
  test('holds the same bits, shapes and metadata', async () => {
    const { tensors, metadata } = await readSafetensors(await written(network, { format: 'convlane', note: 'ü' }))
    expect(metadata).toEqual({ format: 'convlane', note: 'ü' })
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(network).sort())
    for (const [name, { shape, data }] of Object.entries(network)) {
      expect(tensors[name]!.shape).toEqual(shape)
      expect(new Uint8Array(tensors[name]!.data.buffer)).toEqual(new Uint8Array(data.buffer))
    }
  })

  test('keeps the bits of every kind of NaN', async () => {
    const bits = Uint32Array.of(0x7fc00000, 0xffc00001, 0x7f800001)
    const { tensors } = await readSafetensors(await written({ nan: { shape: [3], data: new Float32Array(bits.buffer) } }))
    expect(new Uint32Array(tensors.nan!.data.buffer)).toEqual(bits)
  })

  test('is laid out as the format says', async () => {
    const bytes = readFileSync(await written({ b: tensor([1], 1), a: tensor([1, 2], 2, 3) }))
    const length = Number(bytes.readBigUInt64LE())
    expect((8 + length) % 8).toBe(0)
    const header = bytes.subarray(8, 8 + length).toString()
    expect(header).toMatch(/^\{.*\} *$/)
    expect(JSON.parse(header)).toEqual({
      b: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      a: { dtype: 'F32', shape: [1, 2], data_offsets: [4, 12] },
    })
    expect([0, 4, 8].map((at) => bytes.readFloatLE(8 + length + at))).toEqual([1, 2, 3])
    expect(bytes.length).toBe(8 + length + 12)
  })

  test('may hold nothing', async () => {
    expect(await readSafetensors(await written({}))).toEqual({ tensors: {}, metadata: {} })
  })

  test('may hold a view of a larger array', async () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3)
    expect((await readSafetensors(await written({ part: { shape: [2], data } }))).tensors.part!.data).toEqual(Float32Array.of(2, 3))
  })

  test('may use __proto__ as a name without touching any prototype', async () => {
    const file = await written(Object.fromEntries([['__proto__', tensor([1], 5)]]), Object.fromEntries([['__proto__', 'x']]))
    const { tensors, metadata } = await readSafetensors(file)
    expect(Object.entries(tensors)).toEqual([['__proto__', tensor([1], 5)]])
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype)
  })

  const python = spawnSync('python3', ['--version']).status === 0
  // Not every machine has a Python; what can be said in TypeScript about the format is tested above.
  test.skipIf(!python)('is read by an independent reader in Python (needs python3)', async () => {
    const file = await written(network, { format: 'convlane' })
    const { status, stdout, stderr } = spawnSync('python3', [join(__dirname, 'check_safetensors.py'), file], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const expected = Object.entries(network).map(([name, { shape, data }]) => [
      name,
      { shape, bytes: Buffer.from(data.buffer).toString('hex') },
    ])
    expect(JSON.parse(stdout)).toEqual({ tensors: Object.fromEntries(expected), metadata: { format: 'convlane' } })
  })
})

describe('writing refuses', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['a shape that is not the data', { a: tensor([3], 1, 2) }, 'INVALID_TENSOR', /"a" has shape \[3\] but 2 elements/],
    ['a fractional size', { a: tensor([0.5, 4], 1, 2) }, 'INVALID_TENSOR', /"a" has shape/],
    ['other element types', { a: { shape: [1], data: Float64Array.of(1) } }, 'INVALID_TENSOR', /"a" has no Float32Array data/],
    ['the name that the format reserves', { __metadata__: tensor([1], 1) }, 'INVALID_TENSOR', /reserves/],
  ])('%s', async (_, tensors, code, message) => {
    const file = join(temporaryFolder(), 'f')
    const result = writeSafetensors(file, tensors as Record<string, Tensor>)
    await expect(result).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    await expect(readSafetensors(file)).rejects.toMatchObject({ code: 'FILE_ERROR' })
  })

  test('metadata that is no text', async () => {
    const result = writeSafetensors(join(temporaryFolder(), 'f'), {}, { a: 1 } as unknown as Record<string, string>)
    await expect(result).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('reading refuses', () => {
  const f32 = (shape: unknown, begin: unknown, end: unknown, more: object = {}) => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
    ...more,
  })
  /** A file with this header and so many bytes of data. */
  function file(header: object | string | Buffer, dataBytes = 0, length?: bigint): Buffer {
    const json = Buffer.isBuffer(header) ? header : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
    const prefix = Buffer.alloc(8)
    prefix.writeBigUInt64LE(length ?? BigInt(json.length))
    return Buffer.concat([prefix, json, Buffer.alloc(dataBytes)])
  }

  test.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /0 bytes are too few/],
    ['half a header length', Buffer.alloc(7), /7 bytes are too few/],
    ['a header longer than the file', file({}, 0, 3n), /a header of 3 bytes in a file of 10 bytes/],
    ['a header longer than any', file({}, 0, 100_000_001n), /at most 100000000/],
    ['a header length of 64 bits', file({}, 0, 2n ** 64n - 1n), /18446744073709551615 bytes, at most/],
    ['a header of no bytes', file('', 4), /does not start with \{/],
    ['a header with blanks in front', file(' {}'), /does not start with \{/],
    ['a byte order mark', file('\ufeff{}'), /does not start with \{/],
    ['a header that is not UTF-8', file(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), /not UTF-8/],
    ['a header that is not JSON', file('{"a": }'), /damaged safetensors header/],
    ['text after the header', file('{} x'), /damaged safetensors header/],
    ['an entry that is no object', file({ a: [1] }), /"a" is no object/],
    ['an entry that is null', file({ a: null }), /"a" is no object/],
    ['no element type', file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /"a" has no dtype/],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /"a" has shape undefined/],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, 4), /"a" has data_offsets undefined/],
    ['an unknown field', file({ a: f32([1], 0, 4, { stride: 1 }) }, 4), /unknown field "stride"/],
    ['a negative size', file({ a: f32([-1], 0, 4) }, 4), /"a" has shape \[-1\]/],
    ['a fractional size', file({ a: f32([0.5, 2], 0, 4) }, 4), /"a" has shape/],
    ['a size that is text', file({ a: f32(['1'], 0, 4) }, 4), /"a" has shape/],
    ['sizes that overflow', file({ a: f32([2 ** 31, 2 ** 31, 4], 0, 4) }, 4), /\(73786976294838210000 bytes\)/],
    ['offsets that do not fit the shape', file({ a: f32([2], 0, 4) }, 4), /shape \[2\] \(8 bytes\) but data_offsets \[0, 4\]/],
    ['offsets in the wrong order', file({ a: f32([1], 4, 0) }, 4), /data_offsets \[4, 0\]/],
    ['three offsets', file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 8), /expected \[begin, end\]/],
    ['a gap at the start', file({ a: f32([1], 4, 8) }, 8), /"a" starts at byte 4 of the data, expected 0/],
    ['a gap between', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /"b" starts at byte 8 of the data, expected 4/],
    ['an overlap', file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /"b" starts at byte 4 of the data, expected 8/],
    ['two tensors in one place', file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), /"b" starts at byte 0 of the data, expected 4/],
    ['data cut short', file({ a: f32([2], 0, 8) }, 7), /truncated: the header says 8 bytes of data, the file has 7/],
    ['data too long', file({ a: f32([2], 0, 8) }, 9), /too long/],
    ['a huge claim', file({ a: f32([2 ** 40], 0, 2 ** 42) }, 8), /truncated/],
    [
      'a name twice',
      file(`{"a": ${JSON.stringify(f32([1], 0, 4))}, "\\u0061": ${JSON.stringify(f32([1], 0, 4))}}`, 4),
      /"a" appears twice/,
    ],
    ['a metadata name twice', file('{"__metadata__": {"x{\\"": "1", "x{\\"" : "2"}}'), /"x\{"" appears twice/],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /__metadata__ must map names to strings/],
    ['metadata that is a list', file({ __metadata__: ['a'] }), /__metadata__ must map/],
  ])('%s', async (_, bytes, message) => {
    const name = join(temporaryFolder(), 'f')
    writeFileSync(name, bytes)
    await expect(readSafetensors(name)).rejects.toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) })
  })

  test('other element types, by name', async () => {
    const name = join(temporaryFolder(), 'f')
    writeFileSync(name, file({ a: { dtype: 'F64', shape: [1], data_offsets: [0, 8] } }, 8))
    await expect(readSafetensors(name)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('"a" has element type F64, expected F32, F16 or BF16'),
    })
  })

  test('sizes that do not fit their element type', async () => {
    const name = join(temporaryFolder(), 'f')
    writeFileSync(name, file({ a: { dtype: 'F16', shape: [2], data_offsets: [0, 8] } }, 8))
    await expect(readSafetensors(name)).rejects.toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('(4 bytes)') })
    writeFileSync(name, file({ a: { dtype: 'F7', shape: [1], data_offsets: [0, 1] } }, 1))
    await expect(readSafetensors(name)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('what is no file', async () => {
    const folder = temporaryFolder()
    await expect(readSafetensors(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_ERROR' })
    mkdirSync(join(folder, 'folder'))
    await expect(readSafetensors(join(folder, 'folder'))).rejects.toMatchObject({ code: 'INVALID_FILE' })
  })

  test('every file that lacks its end', async () => {
    const whole = readFileSync(await written(network, { format: 'convlane' }))
    const name = join(temporaryFolder(), 'f')
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(name, whole.subarray(0, length))
      await expect(readSafetensors(name)).rejects.toMatchObject({ code: 'INVALID_FILE' })
    }
  })
})
