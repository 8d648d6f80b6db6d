import { ConvlaneError } from '../errors'

/** What is used of the image library, an optional peer: its own types would not be there for those who have not installed it. */
export type Sharp = (
  content: Uint8Array,
  options: { readonly failOn: 'error'; readonly limitInputPixels: number; readonly pages: number },
) => SharpImage

type Colour = { readonly r: number; readonly g: number; readonly b: number; readonly alpha: number }

/** An image on its way: each step gives it back. */
export interface SharpImage {
  metadata(): Promise<{ readonly space?: string }>
  pipelineColourspace(name: 'srgb'): SharpImage
  rotate(): SharpImage
  ensureAlpha(): SharpImage
  flatten(options: { readonly background: Colour }): SharpImage
  resize(options: {
    readonly height: number
    readonly width: number
    readonly fit: 'cover' | 'contain' | 'fill'
    readonly background: Colour
  }): SharpImage
  toColourspace(name: 'srgb' | 'b-w'): SharpImage
  raw(): SharpImage
  toBuffer(options: { readonly resolveWithObject: true }): Promise<{
    readonly data: Uint8Array
    readonly info: { readonly height: number; readonly width: number; readonly channels: number }
  }>
}

/**
 * Loads sharp when the first image is read. @param load for tests
 * @throws UNSUPPORTED where it is not installed, or does not load on this machine, with what to do
 */
export function loadSharp(label: string, load?: () => unknown): Sharp {
  let loaded: unknown
  try {
    // Named here, within the try: bundlers then let it be missing.
    loaded = load ? load() : require('sharp')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const isMissing = code === 'MODULE_NOT_FOUND' && /'sharp'/.test(message)
    const what = isMissing ? 'which is not installed: npm install sharp' : `which does not load here: ${message}`
    throw new ConvlaneError('UNSUPPORTED', `${label}: images are decoded by sharp, ${what}`, { cause })
  }
  return ((loaded as { readonly default?: unknown }).default ?? loaded) as Sharp
}
