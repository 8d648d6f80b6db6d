import { gzipSync } from 'node:zlib'

/** Bytes of an IDX file: by default unsigned bytes that count up, with a header that tells the truth. */
export function idxBytes(shape: readonly number[], options: { data?: Uint8Array; magic?: number; gzip?: boolean } = {}): Buffer {
  const elements = shape.reduce((product, size) => product * size, 1)
  const data = options.data ?? Uint8Array.from({ length: elements }, (_, i) => i % 251)
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt32BE(options.magic ?? 0x0800 + shape.length)
  shape.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis)
  })
  const bytes = Buffer.concat([header, data])
  return options.gzip ? gzipSync(bytes) : bytes
}
