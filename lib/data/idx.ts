import { checkPath } from '../check'
import { ConvlaneError } from '../errors'
import { readWhole } from '../io/files'
import { checkSignal } from '../train/options'
import { gunzipExactly, gunzipStart, isGzip } from './gzip'

/** An array as an IDX file holds it: row-major bytes. */
export interface IdxArray {
  /** A size for each axis. */
  readonly shape: readonly number[]
  /** As many bytes as the product of the sizes. */
  readonly data: Uint8Array
}

/** Largest content that is uncompressed: EMNIST, the largest set in this format, has 0.6 GiB. */
const MAX_BYTES = 2 ** 30
const MAX_RANK = 8

const otherTypes: Readonly<Record<number, string>> = { 9: 'int8', 11: 'int16', 12: 'int32', 13: 'float32', 14: 'float64' }

/**
 * Reads the content of an IDX file of unsigned bytes: big-endian `0, 0, type, rank`, a 32-bit size per axis, then the data.
 * Source: http://yann.lecun.com/exdb/mnist/ (section "File formats").
 * @param name what errors call the content
 * @throws `INVALID_FILE` unless the length is exactly what the header says; `UNSUPPORTED` for other element types.
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX data'): IdxArray {
  const { shape, offset, length } = readHeader(bytes, name)
  if (bytes.length !== length) {
    const kind = bytes.length < length ? 'truncated' : 'too long'
    throw new ConvlaneError(
      'INVALID_FILE',
      `${name}: ${kind}: its header says [${shape.join(', ')}] (${length} bytes), it has ${bytes.length} bytes`,
      {
        expected: length,
        received: bytes.length,
      },
    )
  }
  return { shape, data: bytes.subarray(offset) }
}

/** {@link parseIdx} for content that may be gzipped. Never uncompresses more than the header says, nor more than 1 GiB. */
export async function parseIdxOrGzip(bytes: Uint8Array, name = 'IDX data'): Promise<IdxArray> {
  if (!isGzip(bytes)) return parseIdx(bytes, name)
  const { length } = readHeader(gunzipStart(bytes, name), name)
  if (length > MAX_BYTES) {
    throw new ConvlaneError('INVALID_FILE', `${name}: its header says ${length} bytes, gzipped content may have at most ${MAX_BYTES}`)
  }
  return parseIdx(await gunzipExactly(bytes, length, name), name)
}

/** Reads an IDX file, gzipped or not. Throws `INVALID_FILE` unless the length is exactly what the header says, `UNSUPPORTED` for other element types than bytes, `FILE_ERROR`. */
export async function readIdx(file: string, signal?: AbortSignal): Promise<IdxArray> {
  checkPath(file, 'readIdx', 'file')
  return parseIdxOrGzip(await readWhole(file, checkSignal(signal, 'readIdx')), file)
}

function readHeader(bytes: Uint8Array, name: string): { shape: number[]; offset: number; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const refuse = (message: string, details?: { expected?: unknown; received?: unknown }) =>
    new ConvlaneError('INVALID_FILE', `${name}: ${message}`, details)
  if (bytes.length < 4) throw refuse(`truncated: an IDX header has at least 4 bytes, found ${bytes.length}`)
  const magic = view.getUint32(0)
  const type = (magic >>> 8) & 0xff
  const rank = magic & 0xff
  const known = type === 8 || type in otherTypes
  if (magic >>> 16 !== 0 || !known || rank < 1 || rank > MAX_RANK) {
    const received = `0x${magic.toString(16).padStart(8, '0')}`
    throw refuse(`not an IDX file: starts with ${received}, expected 0x000008 and the number of axes`, { received })
  }
  if (type !== 8) throw new ConvlaneError('UNSUPPORTED', `${name}: holds ${otherTypes[type]}, expected unsigned bytes`)
  const offset = 4 + 4 * rank
  if (bytes.length < offset) throw refuse(`truncated inside its header of ${offset} bytes`)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  if (shape.includes(0)) throw refuse(`an axis of size 0 in [${shape.join(', ')}]`)
  const elements = shape.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(elements)) throw refuse(`its sizes [${shape.join(', ')}] overflow`)
  return { shape, offset, length: offset + elements }
}
