import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { aborted, contentOf, fileError } from '../io/files'
import { Model } from '../model/model'
import { checkChoice, checkInteger } from '../shape'
import { checkSignal } from '../train/options'
import type { Samples } from './dataset'
import { kindOfContent } from './imageKind'
import { loadSharp, type Sharp, type SharpImage } from './sharp'

/** How images of any size and kind become arrays of one form. */
export interface ImageOptions {
  /** Height and width that each image gets, or one number for both; up to 16,384. */
  readonly size?: number | readonly [height: number, width: number]
  /** 1: grey; 3: red, green, blue; 4: and alpha. Default 3. */
  readonly channels?: 1 | 3 | 4
  /**
   * How an image of another shape is fitted: `'cover'` fills the size and cuts off what is over on two sides, `'contain'` shows the whole image between two bars of
   * `background`, `'fill'` stretches it. Default `'cover'`.
   */
  readonly fit?: 'cover' | 'contain' | 'fill'
  /** Red, green and blue, 0 to 255: seen through what is transparent (with 1 or 3 channels), and the bars of `'contain'`. Default black. */
  readonly background?: readonly [red: number, green: number, blue: number]
  /** Images of more pixels are refused before they are decoded. Default 2²⁷, 134 million. */
  readonly limitInputPixels?: number
}

/** Options of {@link readImage}. */
export interface ReadImageOptions extends ImageOptions {
  /** Takes size and channels from the input of this model, where they are not given. Default: the image keeps its size. */
  readonly model?: Model<never, unknown>
  /** Ends it with ABORTED. Default: nothing does. */
  readonly signal?: AbortSignal
}

/** Options of images, checked, with defaults. */
export interface ImageForm {
  readonly size: readonly [height: number, width: number] | undefined
  readonly channels: 1 | 3 | 4
  readonly fit: 'cover' | 'contain' | 'fill'
  readonly background: readonly [number, number, number]
  readonly limitInputPixels: number
}

export const imageOptionNames = ['size', 'channels', 'fit', 'background', 'limitInputPixels']

/** Longest side of what comes out. */
const LONGEST = 2 ** 14
/** Pixels of an image, where nobody says: more than any camera's, few enough for memory. */
const PIXELS = 2 ** 27
/** Most bytes of an image's file. */
const MAX_BYTES = 2 ** 28

/** Checks options of images. Throws INVALID_ARGUMENT. */
export function checkImageOptions(options: ImageOptions, label: string): ImageForm {
  const { size, channels = 3, fit = 'cover', background = [0, 0, 0], limitInputPixels = PIXELS } = options
  const sides = typeof size === 'number' ? [size, size] : size
  const isSize = Array.isArray(sides) && sides.length === 2 && sides.every((side) => Number.isInteger(side) && side >= 1 && side <= LONGEST)
  if (size !== undefined && !isSize) throw invalid(label, 'size', `[height, width] or one number for both, 1 to ${LONGEST}`, size)
  if (![1, 3, 4].includes(channels)) throw invalid(label, 'channels', '1, 3 or 4', channels)
  const isColour =
    Array.isArray(background) &&
    background.length === 3 &&
    background.every((value) => typeof value === 'number' && value >= 0 && value <= 255)
  if (!isColour) throw invalid(label, 'background', 'three numbers from 0 to 255', background)
  return {
    size: sides as ImageForm['size'],
    channels,
    fit: checkChoice(fit, ['cover', 'contain', 'fill'], label, 'fit'),
    background: background as ImageForm['background'],
    limitInputPixels: checkInteger(limitInputPixels, label, 'limitInputPixels', 1, Number.MAX_SAFE_INTEGER),
  }
}

/**
 * Reads one image as a model takes it: PNG, JPEG, WebP, AVIF or GIF (of an animation the first picture), turned as its EXIF data says, in sRGB of 8 bits.
 * Decoding and resizing run on threads of sharp's. What its content is counts, not its name.
 * @param source a file's path, or its content: what an HTTP request brought
 * @returns bytes `[1, H, W, C]`, for `predict`
 * @throws FILE_ERROR where the file cannot be read; INVALID_FILE where it is no image, damaged, cut off or above `limitInputPixels`; UNSUPPORTED for other kinds of
 *   images, and where sharp is not installed; INVALID_ARGUMENT; ABORTED
 */
export async function readImage(source: string | Uint8Array, options: ReadImageOptions = {}): Promise<Samples> {
  checkOptions('readImage', options, [...imageOptionNames, 'model', 'signal'])
  const { model, signal, ...rest } = options
  if (model !== undefined && !(model instanceof Model)) throw invalid('readImage', 'model', 'a model', model)
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const form = checkImageOptions({ ...(model && modelForm(model, 'readImage')), ...given }, 'readImage')
  checkSignal(signal, 'readImage')
  const sharp = loadSharp('readImage')
  const { bytes, name } = await contentOf(source, 'readImage', (file) => readImageFile(file, signal))
  const { data, height, width } = await decodeImage(sharp, bytes, name, form)
  if (signal?.aborted) throw aborted(signal)
  return { shape: [1, height, width, form.channels], data }
}

/** What images a model takes. Throws UNSUPPORTED where it takes none. */
export function modelForm(
  { architecture }: Model<never, unknown>,
  label: string,
): Pick<ImageForm, 'channels'> & { readonly size: readonly [number, number] } {
  const [input, ...others] = architecture.inputs
  const [height, width, channels, ...more] = input!.shape
  if (others.length > 0 || more.length > 0 || ![1, 3, 4].includes(channels!)) {
    const shapes = architecture.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')
    throw new ConvlaneError('UNSUPPORTED', `${label}: the model takes ${shapes}, images are for one input [H, W, C] of 1, 3 or 4 channels`)
  }
  return { size: [height!, width!], channels: channels as 1 | 3 | 4 }
}

/** Reads an image's file: ordinary files only, of up to 256 MiB. Throws FILE_ERROR, INVALID_FILE, ABORTED. */
export async function readImageFile(file: string, signal?: AbortSignal): Promise<Uint8Array> {
  if (signal?.aborted) throw aborted(signal)
  try {
    // Opening a pipe would wait for its writer. (Windows has no such flag.)
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const facts = await handle.stat()
      if (facts.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
      if (!facts.isFile()) throw new ConvlaneError('FILE_ERROR', `cannot read ${file}: it is no ordinary file`)
      if (facts.size > MAX_BYTES) {
        const message = `${file}: has ${facts.size} bytes, an image may have at most ${MAX_BYTES}`
        throw new ConvlaneError('INVALID_FILE', message, { expected: MAX_BYTES, received: facts.size })
      }
      return await handle.readFile(signal ? { signal } : {})
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof ConvlaneError) throw error
    if (signal?.aborted) throw aborted(signal)
    throw fileError('read', file, error)
  }
}

export interface DecodedImage {
  /** Pixels, channels last, in memory of their own. */
  readonly data: Uint8Array
  readonly height: number
  readonly width: number
}

const isGrey = async (image: SharpImage) => ['b-w', 'grey16'].includes((await image.metadata()).space ?? '')

/** Decodes, turns, fits. `name` begins messages. Throws INVALID_FILE, UNSUPPORTED. */
export async function decodeImage(sharp: Sharp, bytes: Uint8Array, name: string, form: ImageForm): Promise<DecodedImage> {
  const kind = kindOfContent(bytes, name)
  const { size, channels, fit, limitInputPixels } = form
  const [r, g, b] = form.background
  const background = { r, g, b, alpha: 1 }
  try {
    const opened = sharp(bytes, { failOn: 'error', limitInputPixels, pages: 1 })
    // In a grey image a background would be grey.
    const isColoured = r !== g || g !== b
    const turned = (isColoured && (await isGrey(opened)) ? opened.pipelineColourspace('srgb') : opened).rotate()
    const blended = channels === 4 ? turned.ensureAlpha() : turned.flatten({ background })
    const fitted = size ? blended.resize({ height: size[0], width: size[1], fit, background }) : blended
    const coloured = fitted.toColourspace(channels === 1 ? 'b-w' : 'srgb')
    const { data, info } = await coloured.raw().toBuffer({ resolveWithObject: true })
    const { height, width } = info
    if (info.channels !== channels || data.length !== height * width * channels) {
      throw new Error(`decoded to ${info.channels} channels of ${height} x ${width}, ${data.length} bytes`)
    }
    // In an ArrayBuffer of its own: small ones lie in a pool.
    return { data: data.byteLength === data.buffer.byteLength ? new Uint8Array(data.buffer) : Uint8Array.from(data), height, width }
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0]!.replace(/^Input (buffer|file) (has corrupt header: )?/, '')
    const what = /pixel limit/.test(reason)
      ? `has more pixels than limitInputPixels, ${limitInputPixels.toLocaleString('en')}`
      : `damaged ${kind} image: ${reason}`
    throw new ConvlaneError('INVALID_FILE', `${name}: ${what}`, { cause })
  }
}
