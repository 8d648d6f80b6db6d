import { ConvlaneError } from '../errors'

/** Ends of names that images of the five kinds have. */
const taken = /\.(png|apng|jpe?g|jfif|webp|avif|gif)$/i
/** Ends of names that images of other kinds have. */
const others = /\.(bmp|dib|tiff?|heic|heif|hif|jxl|jp2|j2k|svgz?|ico|psd|xcf|tga|pcx|p[bgpn]m|hdr|exr|dds|dng|cr[23]|nef|arw|orf|rw2|raf)$/i

/** What a file's name says that it is: an image, one of a kind that is not read, or something else. */
export const kindOfName = (name: string): 'image' | 'unsupported' | undefined =>
  taken.test(name) ? 'image' : others.test(name) ? 'unsupported' : undefined

const startsWith = (bytes: Uint8Array, text: string, at = 0) =>
  Buffer.from(bytes.subarray(at, at + text.length)).toString('latin1') === text

/** What is told of content that is of another kind. */
const strangers: readonly (readonly [string, (bytes: Uint8Array) => boolean])[] = [
  ['a TIFF image', (bytes) => startsWith(bytes, 'II*\0') || startsWith(bytes, 'MM\0*') || startsWith(bytes, 'II+\0')],
  ['a BMP image', (bytes) => startsWith(bytes, 'BM') && bytes.length >= 26 && startsWith(bytes, '\0\0\0\0', 6)],
  ['a HEIF image', (bytes) => startsWith(bytes, 'ftyp', 4) && /^(hei[cxms]|hev[cx]|mif1|msf1)$/.test(latin(bytes, 8, 12))],
  ['a JPEG XL image', (bytes) => startsWith(bytes, '\xff\x0a') || startsWith(bytes, '\0\0\0\x0cJXL ')],
  ['a JPEG 2000 image', (bytes) => startsWith(bytes, '\0\0\0\x0cjP  ')],
  ['a PDF', (bytes) => startsWith(bytes, '%PDF-')],
  ['an SVG drawing', (bytes) => /^\s*(<\?xml|<!--|<!DOCTYPE svg|<svg)/i.test(latin(bytes, 0, 256)) && /<svg/i.test(latin(bytes, 0, 4096))],
  ['a web page', (bytes) => /^\s*<(!doctype html|html)/i.test(latin(bytes, 0, 256))],
]

const latin = (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString('latin1')

/** Names of the kinds that are read, as messages have them. */
const expected = 'a PNG, JPEG, WebP, AVIF or GIF image'

/**
 * The kind of image that bytes begin as, whatever their file is called: only these five decoders are ever given something.
 * @throws INVALID_FILE for what is no image, UNSUPPORTED for other kinds. `name` begins the message.
 */
export function kindOfContent(bytes: Uint8Array, name: string): 'PNG' | 'JPEG' | 'WebP' | 'AVIF' | 'GIF' {
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return 'PNG'
  if (startsWith(bytes, '\xff\xd8\xff')) return 'JPEG'
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'GIF'
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'WebP'
  if (isAvif(bytes)) return 'AVIF'
  if (bytes.length === 0) throw new ConvlaneError('INVALID_FILE', `${name}: is empty, expected ${expected}`, { expected })
  const [stranger] = strangers.find(([, is]) => is(bytes)) ?? []
  if (stranger) throw new ConvlaneError('UNSUPPORTED', `${name}: is ${stranger}, expected ${expected}`, { expected, received: stranger })
  const start = JSON.stringify(latin(bytes, 0, 12))
  throw new ConvlaneError('INVALID_FILE', `${name}: is no image: starts with ${start}, expected ${expected}`, { expected, received: start })
}

/** A `ftyp` box that names AVIF as its brand or as one that it is compatible with. */
function isAvif(bytes: Uint8Array): boolean {
  if (!startsWith(bytes, 'ftyp', 4)) return false
  const size = Math.min(bytes.length, Buffer.from(bytes.subarray(0, 4)).readUInt32BE(), 256)
  for (let at = 8; at + 4 <= size; at += at === 8 ? 8 : 4) if (/^avi[fs]$/.test(latin(bytes, at, at + 4))) return true
  return false
}
