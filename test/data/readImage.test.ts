import { execFileSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readImage } from '../../lib/data/readImage'
import { loadSharp } from '../../lib/data/sharp'
import { ConvlaneError } from '../../lib/errors'
import { conv2d, dense, flatten } from '../../lib/index'
import { encodePng } from '../../lib/io/png'
import { sequential } from '../../lib/model/sequential'
import { temporaryFolder } from '../support/folder'
import { drawn, folderOf, kinds } from '../support/images'

const pixel = (data: ArrayLike<number>, at: number, channels = 3) => Array.from({ length: channels }, (_, c) => data[at * channels + c]!)
const near = (received: readonly number[], expected: readonly number[], by = 4) => {
  expect(received.length).toBe(expected.length)
  for (const [c, value] of received.entries()) expect(Math.abs(value - expected[c]!), `${received} for ${expected}`).toBeLessThanOrEqual(by)
}

describe('readImage', () => {
  test.each(kinds)('reads %s, from a file and from bytes, whatever the file is called', async (kind) => {
    const bytes = await drawn({ kind, colour: [250, 30, 90], right: [10, 200, 60] })
    const dir = folderOf({ 'image.txt': bytes })
    const image = await readImage(bytes)
    expect(image.shape).toEqual([1, 6, 8, 3])
    near(pixel(image.data, 0), [250, 30, 90], 8)
    near(pixel(image.data, 47), [10, 200, 60], 8)
    expect(await readImage(join(dir, 'image.txt'))).toEqual(image)
    expect(image.data.byteLength).toBe(image.data.buffer.byteLength)
  })

  test('copies bytes before it returns', async () => {
    const bytes = await encodePng({ shape: [2, 1, 1], data: Uint8Array.of(7, 9) })
    const reading = readImage(bytes, { channels: 1 })
    bytes.fill(0)
    expect(await reading).toEqual({ shape: [1, 2, 1, 1], data: Uint8Array.of(7, 9) })
  })

  test('turns images as their EXIF data says', async () => {
    const upright = await drawn({ kind: 'jpeg', height: 4, width: 8, colour: [255, 255, 255], right: [0, 0, 0] })
    const bytes = await sharp(upright).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer()
    const { shape, data } = await readImage(bytes)
    expect(shape).toEqual([1, 8, 4, 3])
    near(pixel(data, 0), [255, 255, 255], 8)
    near(pixel(data, 31), [0, 0, 0], 8)
  })

  test.each([
    ['grey', (image: sharp.Sharp) => image.greyscale().png()],
    ['16 bits', (image: sharp.Sharp) => image.toColourspace('rgb16').png()],
    ['a palette', (image: sharp.Sharp) => image.png({ palette: true })],
    ['interlaced', (image: sharp.Sharp) => image.png({ progressive: true })],
    ['transparent', (image: sharp.Sharp) => image.ensureAlpha(1).png()],
    ['CMYK', (image: sharp.Sharp) => image.toColourspace('cmyk').jpeg({ quality: 100 })],
  ] as const)('gives 1, 3 and 4 channels of 8 bits of an image that is %s', async (_, change) => {
    const grey = [120, 120, 120] as const
    const bytes = await change(sharp(await drawn({ colour: grey }))).toBuffer()
    for (const channels of [1, 3, 4] as const) {
      const { shape, data } = await readImage(bytes, { channels })
      expect(shape).toEqual([1, 6, 8, channels])
      near(pixel(data, 20, channels), [...grey.slice(0, Math.min(channels, 3)), ...(channels === 4 ? [255] : [])], 16)
    }
  })

  test('shows the background through what is transparent, and keeps alpha where it is asked for', async () => {
    const bytes = await sharp({ create: { width: 3, height: 3, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toBuffer()
    near(pixel((await readImage(bytes)).data, 0), [0, 0, 0], 0)
    near(pixel((await readImage(bytes, { background: [9, 80, 200] })).data, 0), [9, 80, 200], 0)
    near(pixel((await readImage(bytes, { channels: 1, background: [255, 255, 255] })).data, 0, 1), [255], 0)
    expect((await readImage(bytes, { channels: 4 })).data[3]).toBe(0)
  })

  test('gives a grey image the background in its colour', async () => {
    const grey = sharp(Uint8Array.of(100, 0, 200, 255), { raw: { width: 2, height: 1, channels: 2 } })
    for (const space of ['b-w', 'grey16']) {
      const bytes = await grey.clone().toColourspace(space).png().toBuffer()
      expect((await sharp(bytes).metadata()).channels).toBe(2)
      const { data } = await readImage(bytes, { background: [0, 40, 250], size: [4, 2], fit: 'contain' })
      expect(pixel(data, 0)).toEqual([0, 40, 250])
      expect(pixel(data, 2)).toEqual([0, 40, 250])
      const bars = await readImage(bytes, { background: [0, 40, 250], size: [4, 2], fit: 'contain', channels: 4 })
      expect(pixel(bars.data, 0, 4)).toEqual([0, 40, 250, 255])
    }
  })

  test('fits by cutting, with bars and by stretching', async () => {
    const bytes = await drawn({ height: 10, width: 20, colour: [0, 0, 0], right: [250, 250, 250] })
    const middle = async (fit: 'cover' | 'contain' | 'fill') => {
      const { shape, data } = await readImage(bytes, { size: [20, 20], fit, background: [0, 90, 0] })
      expect(shape).toEqual([1, 20, 20, 3])
      return [0, 205, 214, 210 + 190].map((at) => pixel(data, Math.min(at, 399)))
    }
    const cover = await middle('cover')
    near(cover[1]!, [0, 0, 0])
    near(cover[2]!, [250, 250, 250])
    near(cover[0]!, [0, 0, 0])
    near((await middle('contain'))[0]!, [0, 90, 0])
    near((await middle('contain'))[1]!, [0, 0, 0])
    near((await middle('fill'))[0]!, [0, 0, 0])
    near((await middle('fill'))[3]!, [250, 250, 250])
  })

  test('takes size and channels from a model', async () => {
    const model = sequential({ input: [5, 4, 1], seed: 1 }, conv2d(2, 3), flatten(), dense(2))
    const image = await readImage(await drawn(), { model })
    expect(image.shape).toEqual([1, 5, 4, 1])
    expect((await model.predict(image)).shape).toEqual([1, 2])
    expect((await readImage(await drawn(), { model, size: 7 })).shape).toEqual([1, 7, 7, 1])
    const flat = sequential({ input: [5], seed: 1 }, dense(2))
    await expect(readImage(await drawn(), { model: flat })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'readImage: the model takes [5], images are for one input [H, W, C] of 1, 3 or 4 channels',
    })
  })

  test('makes an image of one pixel as large as is asked for', async () => {
    const { shape, data } = await readImage(await drawn({ height: 1, width: 1, colour: [9, 8, 7] }), { size: [3, 5] })
    expect(shape).toEqual([1, 3, 5, 3])
    expect(data).toEqual(Uint8Array.from({ length: 45 }, (_, i) => [9, 8, 7][i % 3]!))
  })

  test('takes the first picture of an animation', async () => {
    const frames = Buffer.concat([Buffer.alloc(4 * 4 * 3, 10), Buffer.alloc(4 * 4 * 3, 240)])
    for (const kind of ['gif', 'webp'] as const) {
      const bytes = await sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } })
        .toFormat(kind)
        .toBuffer()
      const { shape, data } = await readImage(bytes)
      expect(shape).toEqual([1, 4, 4, 3])
      near(pixel(data, 0), [10, 10, 10])
    }
  })
})

/** A PNG whose header says it has so many pixels, and which has none. */
async function hollowPng(side: number): Promise<Buffer> {
  const bytes = Buffer.from(await encodePng({ shape: [1, 1, 1], data: Uint8Array.of(0) }))
  bytes.writeUInt32BE(side, 16)
  bytes.writeUInt32BE(side, 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29)
  return bytes
}

describe('what is no image', () => {
  test.each<[string, string | (() => Promise<Uint8Array>), string, RegExp]>([
    [
      'a text',
      'this is a text',
      'INVALID_FILE',
      /: is no image: starts with "this is a te", expected a PNG, JPEG, WebP, AVIF or GIF image$/,
    ],
    ['nothing', '', 'INVALID_FILE', /: is empty, expected a PNG/],
    ['one byte', '\x89', 'INVALID_FILE', /: is no image: starts with/],
    ['a signature alone', () => drawn().then((bytes) => bytes.subarray(0, 8)), 'INVALID_FILE', /: damaged PNG image: /],
    ['a drawing', '<svg width="9" height="9"></svg>', 'UNSUPPORTED', /: is an SVG drawing, expected/],
    ['a web page', '<!DOCTYPE html><html>', 'UNSUPPORTED', /: is a web page, expected/],
    ['a PDF', '%PDF-1.7\n', 'UNSUPPORTED', /: is a PDF, expected/],
    [
      'a TIFF',
      async () =>
        sharp(await drawn())
          .tiff()
          .toBuffer(),
      'UNSUPPORTED',
      /: is a TIFF image, expected/,
    ],
    ['a BMP', async () => Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), 'UNSUPPORTED', /: is a BMP image/],
    ['a HEIF image', async () => Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1', 'latin1'), 'UNSUPPORTED', /: is a HEIF image/],
    ['an AVIF box without end', async () => Buffer.from('\xff\xff\xff\xffftypmif1\0\0\0\0avif', 'latin1'), 'INVALID_FILE', /damaged AVIF/],
  ])('refuses %s, as a file and as bytes', async (_, made, code, message) => {
    const bytes = typeof made === 'string' ? Buffer.from(made, 'latin1') : await made()
    const file = join(folderOf({ 'image.png': bytes }), 'image.png')
    const error = await readImage(file).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ConvlaneError', code, message: expect.stringMatching(message) })
    expect((error as Error).message.startsWith(file)).toBe(true)
    await expect(readImage(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(/^readImage: /) })
  })

  test.each(kinds)('refuses a %s image that ends early', async (kind) => {
    // Of noise, so that there is much to cut off.
    const noise = Uint8Array.from({ length: 40 * 40 * 3 }, (_, i) => (i * 7919 + (i * i) / 7) & 255)
    const bytes = await sharp(noise, { raw: { width: 40, height: 40, channels: 3 } })
      .toFormat(kind, { quality: 90 })
      .toBuffer()
    for (const share of [0.2, 0.5, 0.9]) {
      await expect(readImage(bytes.subarray(0, share * bytes.length)), `${share}`).rejects.toMatchObject({ code: 'INVALID_FILE' })
    }
  })

  test('refuses images of too many pixels before it decodes them', async () => {
    const message = 'readImage: has more pixels than limitInputPixels, 134,217,728'
    await expect(readImage(await hollowPng(100_000))).rejects.toMatchObject({ code: 'INVALID_FILE', message })
    await expect(readImage(await hollowPng(11_586))).rejects.toMatchObject({ code: 'INVALID_FILE', message })
    const bytes = await drawn({ height: 6, width: 8 })
    await expect(readImage(bytes, { limitInputPixels: 47 })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining('47'),
    })
    expect((await readImage(bytes, { limitInputPixels: 48 })).shape).toEqual([1, 6, 8, 3])
  })

  test('refuses what is no ordinary file, or too large a one', async () => {
    const dir = temporaryFolder()
    const [pipe, sparse] = [join(dir, 'pipe.png'), join(dir, 'sparse.png')]
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [pipe])
      await expect(readImage(pipe)).rejects.toMatchObject({ code: 'FILE_ERROR', message: `cannot read ${pipe}: it is no ordinary file` })
    }
    writeFileSync(sparse, '')
    truncateSync(sparse, 2 ** 28 + 1)
    await expect(readImage(sparse)).rejects.toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('268435457 bytes') })
    mkdirSync(join(dir, 'folder.png'))
    await expect(readImage(join(dir, 'folder.png'))).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining('directory'),
    })
    await expect(readImage(join(dir, 'none.png'))).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining('no such file'),
    })
  })

  test('stops by a signal', async () => {
    const signal = AbortSignal.abort()
    await expect(readImage(await drawn(), { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(readImage('none.png', { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test.each<[unknown, unknown, RegExp]>([
    [3, {}, /^readImage: source must be a path or a Uint8Array, received 3$/],
    ['', {}, /source must be a path/],
    [new ArrayBuffer(3), {}, /source must be a path/],
    ['a.png', { sizes: 3 }, /unknown option "sizes"/],
    ['a.png', { size: 0 }, /size must be \[height, width\] or one number for both, 1 to 16384, received 0/],
    ['a.png', { size: [3] }, /size must be/],
    ['a.png', { size: [3, 1e9] }, /size must be/],
    ['a.png', { size: Number.NaN }, /size must be/],
    ['a.png', { channels: 2 }, /channels must be 1, 3 or 4, received 2/],
    ['a.png', { fit: 'crop' }, /fit must be/],
    ['a.png', { background: [0, 0] }, /background must be three numbers/],
    ['a.png', { background: ['0', 0, 0] }, /background must be three numbers/],
    ['a.png', { background: [0, 0, Number.NaN] }, /background must be three numbers/],
    ['a.png', { limitInputPixels: 0 }, /limitInputPixels must be/],
    ['a.png', { model: {} }, /model must be a model/],
    ['a.png', { signal: {} }, /signal must be/],
  ])('refuses %j with %j', async (source, options, message) => {
    await expect(readImage(source as string, options as object)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    })
  })

  test('damaged images give an image or INVALID_FILE, nothing else', async () => {
    const originals = await Promise.all(kinds.map((kind) => drawn({ kind, height: 20, width: 20, right: [0, 255, 255] })))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        async (original, edits) => {
          const bytes = Uint8Array.from(original)
          for (const [at, value] of edits) bytes[Math.floor(at * bytes.length)] = value
          const image = await readImage(bytes, { size: 4, limitInputPixels: 2 ** 20 }).catch((error: unknown) => error)
          if (image instanceof ConvlaneError) expect(['INVALID_FILE', 'UNSUPPORTED']).toContain(image.code)
          else expect(image).toMatchObject({ shape: [1, 4, 4, 3] })
        },
      ),
      { numRuns: 60, seed: 5 },
    )
  })
})

test('says what to do where sharp is not there, or does not load', () => {
  const missing = Object.assign(new Error("Cannot find module 'sharp'\nRequire stack: …"), { code: 'MODULE_NOT_FOUND' })
  const load = (error: Error) => () => {
    throw error
  }
  expect(() => loadSharp('readImage', load(missing))).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED',
      message: 'readImage: images are decoded by sharp, which is not installed: npm install sharp',
      cause: missing,
    }),
  )
  expect(() => loadSharp('readImage', load(new Error('no prebuilt binary')))).toThrow(/which does not load here: no prebuilt binary$/)
})
