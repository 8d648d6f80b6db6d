import { crc32, deflate } from 'node:zlib'
import { checkOptions, invalid } from '../check'
import { checkArray } from '../tensor'
import { writeAtomically } from './atomic-file'

/** A picture of 8 bits: channels last, one of them (grey) or three (red, green, blue). */
export interface Picture {
  /** Height, width and channels: 1 or 3. */
  readonly shape: readonly [height: number, width: number, channels: number]
  /** Row by row from the top, 0 black. */
  readonly data: Uint8Array
}

/** Largest side: what browsers and image libraries still take. */
const LARGEST = 2 ** 15

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** A chunk: length, type, content, and the checksum of type and content. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(content.length + 12)
  bytes.writeUInt32BE(content.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(content, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, content.length + 8)), content.length + 8)
  return bytes
}

/**
 * A picture as the bytes of a PNG file, without loss. Compression runs on a thread of Node's pool.
 * @throws INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE; INVALID_ARGUMENT for other numbers of axes or channels, and sides above 32,768
 */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { shape, data } = checkPicture(picture)
  const [height, width, channels] = shape
  // Before each row, how its bytes are to be understood: as they are.
  const row = width * channels
  const raw = new Uint8Array(height * (row + 1))
  for (let y = 0; y < height; y++) raw.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1)
  const packed = await new Promise<Uint8Array>((resolve, reject) =>
    deflate(raw, (error, result) => (error ? reject(error) : resolve(result))),
  )
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, channels === 1 ? 0 : 2], 8)
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', new Uint8Array(0))])
}

/**
 * Writes a picture as a PNG file, which appears whole or not at all. `scale`: each pixel becomes a square of so many, 1 to 64, sharp edges kept. Default 1.
 * @throws FILE_ERROR; what {@link encodePng} throws, for the scaled picture
 */
export async function writePng(file: string, picture: Picture, options: { readonly scale?: number } = {}): Promise<void> {
  if (typeof file !== 'string' || file === '') throw invalid('writePng', 'file', 'a path', file)
  checkOptions('writePng', options, ['scale'])
  const { scale = 1 } = options
  if (!Number.isInteger(scale) || scale < 1 || scale > 64) throw invalid('writePng', 'scale', 'an integer from 1 to 64', scale)
  const bytes = await encodePng(scale === 1 ? picture : enlarged(checkPicture(picture), scale))
  await writeAtomically(file, [bytes])
}

function checkPicture(picture: Picture): Picture {
  checkArray(picture, 'png', 'picture', ['Uint8Array'])
  const [height, width, channels, ...more] = picture.shape as readonly number[]
  if (more.length > 0 || (channels !== 1 && channels !== 3)) {
    throw invalid('png', 'picture', 'of shape [height, width, 1] or [height, width, 3]', picture.shape)
  }
  if (height! > LARGEST || width! > LARGEST) throw invalid('png', 'picture', `at most ${LARGEST} pixels high and wide`, picture.shape)
  return picture
}

function enlarged({ shape: [height, width, channels], data }: Picture, scale: number): Picture {
  const shape = [height * scale, width * scale, channels] as const
  if (Math.max(shape[0], shape[1]) > LARGEST) throw invalid('writePng', 'scale', `such that no side exceeds ${LARGEST} pixels`, scale)
  const large = new Uint8Array(shape[0] * shape[1] * channels)
  const row = shape[1] * channels
  for (let y = 0; y < height; y++) {
    const start = y * scale * row
    for (let x = 0; x < row; x++) {
      const [column, channel] = [Math.floor(x / channels / scale), x % channels]
      large[start + x] = data[(y * width + column) * channels + channel]!
    }
    for (let copy = 1; copy < scale; copy++) large.copyWithin(start + copy * row, start, start + row)
  }
  return { shape, data: large }
}
