import { crc32, inflateRaw } from 'node:zlib'
import { ConvlaneError } from '../errors'
import { nextTurn } from './files'

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string
  /** Bytes that it has uncompressed. */
  readonly length: number
  /** Uncompresses it, off the main thread, and checks it. @throws INVALID_FILE, UNSUPPORTED, OUT_OF_MEMORY */
  read(): Promise<Uint8Array>
}

/** Most bytes of all files of an archive together, uncompressed. */
const MOST = 2 ** 32
/** Deflate expands by no more. */
const EXPANSION = 1032
/** Bytes that are summed up before the event loop turns. */
const AT_ONCE = 2 ** 24

/**
 * The files in a zip archive, by its central directory. Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4. Nothing is uncompressed before it is read, and
 * then no more than the directory says.
 * @param archive what errors call it
 * @throws INVALID_FILE where it is no whole archive, or one with overlapping files or equal names; UNSUPPORTED for archives in parts or beyond 4 GiB
 */
export function readZip(bytes: Uint8Array, archive: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const refuse = (message: string) => new ConvlaneError('INVALID_FILE', `${archive}: ${message}`)
  const end = endOf(view)
  if (end === undefined)
    throw refuse(bytes.length === 0 ? 'is empty, expected a zip archive' : 'is no zip archive, or ends early: it has no directory')
  const count = view.getUint16(end + 10, true)
  const start = view.getUint32(end + 16, true)
  const isWhole = view.getUint16(end + 4, true) === 0 && view.getUint16(end + 6, true) === 0 && view.getUint16(end + 8, true) === count
  if (!isWhole || count === 0xffff || start === 0xffffffff) {
    throw new ConvlaneError('UNSUPPORTED', `${archive}: is in parts, or needs zip64: archives of up to 4 GiB in one file are read`)
  }
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  let [at, packed, unpacked] = [start, 0, 0]
  for (let n = 0; n < count; n++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw refuse(`damaged directory: entry ${n} of ${count} is none`)
    const next = at + 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > end) throw refuse(`damaged directory: entry ${n} of ${count} ends behind it`)
    const entry = entryOf(bytes, view, at, archive)
    if (names.has(entry.name)) throw refuse(`holds "${entry.name}" twice`)
    names.add(entry.name)
    packed += view.getUint32(at + 20, true)
    unpacked += entry.length
    entries.push(entry)
    at = next
  }
  if (packed > start) throw refuse(`damaged directory: its files have ${packed} bytes, the archive has ${start}`)
  if (unpacked > MOST)
    throw new ConvlaneError('UNSUPPORTED', `${archive}: holds ${unpacked} bytes, at most ${MOST} are read`, { received: unpacked })
  return entries
}

/** Where the directory's end stands: 22 bytes, and a comment of up to 65,535 behind them. */
function endOf(view: DataView): number | undefined {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) === 0x06054b50 && at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at
  }
  return undefined
}

function entryOf(bytes: Uint8Array, view: DataView, at: number, archive: string): ZipEntry {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  const [sum, packed, length] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true), view.getUint32(at + 24, true)]
  const local = view.getUint32(at + 42, true)
  const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + view.getUint16(at + 28, true)))
  const label = `${archive}: "${name}"`
  const refuse = (message: string, cause?: unknown) => new ConvlaneError('INVALID_FILE', `${label} ${message}`, { cause })
  if (length > EXPANSION * packed + EXPANSION) throw refuse(`cannot hold ${length} bytes in ${packed}`)
  return {
    name,
    length,
    async read() {
      if ((flags & 1) !== 0) throw new ConvlaneError('UNSUPPORTED', `${label} is encrypted`)
      if (method !== 0 && method !== 8)
        throw new ConvlaneError('UNSUPPORTED', `${label} is compressed by method ${method}, expected 0 or 8 (deflate)`)
      // The header before the content has lengths of its own; its sizes may be missing.
      if (local + 30 > bytes.length || view.getUint32(local, true) !== 0x04034b50) throw refuse('has no header where the directory says')
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
      if (start + packed > bytes.length) throw refuse('ends behind the archive')
      if (method === 0 && packed !== length) throw refuse(`holds ${packed} bytes, the directory says ${length}`)
      const content = bytes.subarray(start, start + packed)
      const whole = method === 0 ? content : await inflated(content, length, refuse)
      let found = 0
      for (let from = 0; from < length; from += AT_ONCE) {
        found = crc32(whole.subarray(from, from + AT_ONCE), found)
        if (from > 0) await nextTurn()
      }
      if (found !== sum) throw refuse('is damaged: its checksum is another')
      return whole
    },
  }
}

function inflated(content: Uint8Array, length: number, refuse: (message: string, cause?: unknown) => ConvlaneError): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    inflateRaw(content, { maxOutputLength: Math.max(1, length) }, (error, result) => {
      const code = (error as NodeJS.ErrnoException | null)?.code
      if (code === 'ERR_BUFFER_TOO_LARGE') reject(refuse(`holds more than the ${length} bytes that the directory says`, error))
      else if (error) reject(refuse(`is damaged: ${error.message}`, error))
      else if (result.length !== length) reject(refuse(`holds ${result.length} bytes, the directory says ${length}`))
      else resolve(result)
    })
  })
}
