import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { temporaryFolder } from './folder'

export const kinds = ['png', 'jpeg', 'webp', 'avif', 'gif'] as const
export type Kind = (typeof kinds)[number]
type Colour = readonly [red: number, green: number, blue: number]

export interface Drawn {
  readonly kind?: Kind
  readonly height?: number
  readonly width?: number
  readonly colour?: Colour
  /** Of the right half; default the same. */
  readonly right?: Colour
}

/** An image of one colour, or of two halves. */
export async function drawn({ kind = 'png', height = 6, width = 8, colour = [200, 60, 20], right = colour }: Drawn = {}): Promise<Buffer> {
  const data = Uint8Array.from(
    { length: height * width * 3 },
    (_, at) => (Math.floor(at / 3) % width < width / 2 ? colour : right)[at % 3]!,
  )
  const image = sharp(data, { raw: { height, width, channels: 3 } })
  const options = kind === 'jpeg' || kind === 'avif' || kind === 'webp' ? { quality: 100 } : {}
  return image.toFormat(kind, options).toBuffer()
}

/** A folder with these files. */
export function folderOf(files: Readonly<Record<string, Uint8Array | string>>, dir = temporaryFolder()): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  return dir
}
