import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'

/** What NumPy made, as base64, and what is in it: see make_npy.py. */
export const numpyFiles: {
  readonly files: readonly { readonly name: string; readonly file: string; readonly shape: number[]; readonly values: number[] }[]
  /** Of types that are not read. */
  readonly others: readonly { readonly name: string; readonly file: string }[]
  readonly archives: Readonly<Record<'savez' | 'savez_compressed', string>>
} = JSON.parse(readFileSync(join(__dirname, 'npyFiles.json'), 'utf8'))

/** A .npy file. `length`: what it says its header has; `header`: another one. */
export function npyBytes(
  descr: string,
  shape: readonly (number | string)[],
  data: Uint8Array,
  options: { readonly version?: number; readonly header?: string; readonly length?: number } = {},
): Buffer {
  const {
    version = 1,
    header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size},`).join(' ')}), }`,
  } = options
  const text = Buffer.from(`${header}\n`)
  const start = Buffer.alloc(version === 1 ? 10 : 12)
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
  if (version === 1) start.writeUInt16LE(text.length, 8)
  else start.writeUInt32LE(options.length ?? text.length, 8)
  return Buffer.concat([start, text, data])
}

/** A zip archive of deflated files; `change` is given its bytes, and where its directory begins. */
export function zipBytes(
  files: Readonly<Record<string, Uint8Array>>,
  change: (bytes: Buffer, directory: number) => void = () => {},
): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const [packed, title] = [deflateRawSync(content), Buffer.from(name)]
    const local = Buffer.alloc(30)
    const entry = Buffer.alloc(46)
    local.writeUInt32LE(0x04034b50, 0)
    entry.writeUInt32LE(0x02014b50, 0)
    for (const [header, at] of [
      [local, 8],
      [entry, 10],
    ] as const) {
      header.writeUInt16LE(8, at)
      header.writeUInt32LE(crc32(content), at + 6)
      header.writeUInt32LE(packed.length, at + 10)
      header.writeUInt32LE(content.length, at + 14)
      header.writeUInt16LE(title.length, at + 18)
    }
    entry.writeUInt32LE(offset, 42)
    locals.push(local, title, packed)
    directory.push(entry, title)
    offset += 30 + title.length + packed.length
  }
  const end = Buffer.alloc(22)
  const names = Buffer.concat(directory)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(files).length, 8)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(names.length, 12)
  end.writeUInt32LE(offset, 16)
  const bytes = Buffer.concat([...locals, names, end])
  change(bytes, offset)
  return bytes
}
