import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { encodePng, type Picture, writePng } from '../../lib/io/png'
import { temporaryFolder } from '../support/folder'
import { expectError } from '../support/models'

/** By an independent decoder, which refuses wrong lengths and checksums. */
async function decoded(file: Uint8Array | string): Promise<Picture> {
  const image = sharp(file, { failOn: 'warning' })
  const { channels } = await image.metadata()
  const { data, info } = await (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer({ resolveWithObject: true })
  return { shape: [info.height, info.width, info.channels], data: new Uint8Array(data) }
}

const picture = (height: number, width: number, channels: number): Picture => ({
  shape: [height, width, channels],
  data: Uint8Array.from({ length: height * width * channels }, (_, index) => (index * 89) % 256),
})

test('what an independent decoder reads is what was written', async () => {
  const sizes = fc.record({
    height: fc.integer({ min: 1, max: 40 }),
    width: fc.integer({ min: 1, max: 40 }),
    channels: fc.constantFrom(1, 3),
  })
  const pictures = sizes.chain(({ height, width, channels }) => {
    const length = height * width * channels
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data): Picture => ({ shape: [height, width, channels], data: new Uint8Array(data) }))
  })
  await fc.assert(
    fc.asyncProperty(pictures, async (one) => {
      expect(await decoded(await encodePng(one))).toEqual(one)
    }),
    { numRuns: 50, seed: 1 },
  )
})

test('the same picture gives the same bytes, and leaves its own alone', async () => {
  const one = picture(3, 4, 3)
  expect(await encodePng(one)).toEqual(await encodePng(picture(3, 4, 3)))
  expect(one).toEqual(picture(3, 4, 3))
})

test('writes whole files, each pixel a square where asked to', async () => {
  const folder = temporaryFolder()
  await writePng(join(folder, 'a.png'), { shape: [1, 2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) }, { scale: 2 })
  const row = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]
  expect(await decoded(join(folder, 'a.png'))).toEqual({ shape: [2, 4, 3], data: Uint8Array.from([...row, ...row]) })
  await writePng(join(folder, 'a.png'), picture(5, 7, 1))
  expect(await decoded(join(folder, 'a.png'))).toEqual(picture(5, 7, 1))
  expect(readdirSync(folder)).toEqual(['a.png'])
})

test('refuses what is no picture, before anything is written', async () => {
  const file = join(temporaryFolder(), 'a.png')
  writeFileSync(file, 'old')
  const refused = (one: unknown, code: Parameters<typeof expectError>[1], message: string, options?: object) =>
    expectError(() => writePng(file, one as Picture, options), code, message)
  await refused({ shape: [2, 2, 2], data: new Uint8Array(8) }, 'INVALID_ARGUMENT', 'png: picture must be of shape [height, width, 1] or')
  await refused({ shape: [2, 2], data: new Uint8Array(4) }, 'INVALID_ARGUMENT', 'received [2, 2]')
  await refused({ shape: [2, 2, 1], data: new Uint8Array(3) }, 'INVALID_TENSOR', '4 elements, but its data has 3')
  await refused({ shape: [0, 2, 1], data: new Uint8Array(0) }, 'INVALID_SHAPE', 'positive integers')
  await refused({ shape: [2, 2, 1], data: new Float32Array(4) }, 'INVALID_DTYPE', 'Uint8Array')
  await refused({ shape: [32769, 1, 1], data: new Uint8Array(32769) }, 'INVALID_ARGUMENT', 'at most 32768 pixels')
  await refused(null, 'INVALID_TENSOR', 'received null')
  await refused(picture(2000, 2, 1), 'INVALID_ARGUMENT', 'scale must be such that no side exceeds', { scale: 20 })
  await refused(picture(2, 2, 1), 'INVALID_ARGUMENT', 'scale must be an integer from 1 to 64', { scale: 0.5 })
  await refused(picture(2, 2, 1), 'INVALID_ARGUMENT', 'unknown option "size"', { size: 2 })
  await expectError(() => writePng('', picture(2, 2, 1)), 'INVALID_ARGUMENT', 'file must be a path')
  await expectError(() => writePng(join(file, 'b.png'), picture(2, 2, 1)), 'FILE_ERROR', 'cannot write')
  expect(readFileSync(file, 'utf8')).toBe('old')
})
