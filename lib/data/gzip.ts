import { constants, gunzip, gunzipSync } from 'node:zlib'
import { ConvlaneError } from '../errors'

/** Whether the bytes start as a gzip stream does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** What the first few kilobytes of a gzip stream hold: at most 4 MiB, since deflate cannot expand by more than 1032. */
export function gunzipStart(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch (cause) {
    throw new ConvlaneError('INVALID_FILE', `${name}: damaged gzip data`, { cause })
  }
}

/** Uncompresses to exactly `length` bytes: never holds more, whatever the file claims. @throws `INVALID_FILE`. */
export function gunzipExactly(bytes: Uint8Array, length: number, name: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const refuse = (message: string, cause?: unknown) => reject(new ConvlaneError('INVALID_FILE', `${name}: ${message}`, { cause }))
    // With `info`, the callback gets the engine too: its count of bytes read shows what follows the compressed data.
    const options = { maxOutputLength: length, info: true }
    gunzip(bytes, options, (error, result) => {
      if (error) {
        const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        return refuse(tooLong ? `holds more than the ${length} bytes that its header says` : `damaged gzip data (${error.message})`, error)
      }
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
      if (engine.bytesWritten !== bytes.length) return refuse(`${bytes.length - engine.bytesWritten} bytes follow the gzip data`)
      if (buffer.length !== length) return refuse(`holds ${buffer.length} bytes, its header says ${length}`)
      resolve(buffer)
    })
  })
}
