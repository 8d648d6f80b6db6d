import type { Normalize, Samples } from '../data/dataset'
import type { Picture } from '../io/png'
import { checkArray } from '../tensor'

/** Grey level of a number. */
type Level = (value: number) => number

/** Between pictures, and where there is no number. */
const GAP = 128

/** Longest curve, and height of all curves together, in pixels; and most of them. */
const [LENGTH, HEIGHT, CURVES] = [160, 96, 16] as const

/** Numbers in a row, of those without places. */
const ROW = 32

/**
 * One sample `[H, W, C]` as a picture. Bytes are drawn as they are, or, where `normalize` has one scale for all channels and no offset, such that what the network sees as 1
 * is white; floats from 0 to 1 as 0 to 255, others from their least to their largest. Of one channel it is grey, of three in colour, of other numbers the channels
 * stand side by side; NaN is drawn as the least. Of `[D, H, W, C]` the slices stand beside one another. `[H, W]` is an image of one channel, or, where it is more than four times as long as wide, a
 * sequence: a curve for each of up to 16 channels, one below the other, of more a row of pixels each. Numbers alone, `[N]`, are pixels in rows of 32, or a square where that comes out even.
 * @throws INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE
 */
export function samplePicture(sample: Samples, normalize?: Normalize): Picture {
  checkArray(sample, 'samplePicture', 'sample', ['Float32Array', 'Uint8Array'])
  const { shape, data } = sample
  const level = levelsOf(data, normalize)
  const [a = 1, b = 1, c = 1, d = 1] = shape
  if (shape.length === 4) {
    const size = b * c * d
    return tiled(Array.from({ length: a }, (_, z) => plane(data.subarray(z * size, (z + 1) * size), [b, c, d], level)))
  }
  if (shape.length === 3) return plane(data, [a, b, c], level)
  if (shape.length !== 2) return inRows(data, level)
  if (a <= 4 * b) return plane(data, [a, b, 1], level)
  if (b <= CURVES) return curves(data, a, b, level)
  return { shape: [b, a, 1], data: Uint8Array.from({ length: a * b }, (_, k) => level(data[(k % a) * b + Math.floor(k / a)]!)) }
}

type Numbers = Float32Array | Uint8Array

function plane(data: Numbers, [height, width, channels]: readonly [number, number, number], level: Level): Picture {
  if (channels === 1 || channels === 3) return { shape: [height, width, channels], data: Uint8Array.from(data, level) }
  const side = new Uint8Array(height * width * channels)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) side[(y * channels + c) * width + x] = level(data[(y * width + x) * channels + c]!)
    }
  }
  return { shape: [height, width * channels, 1], data: side }
}

/** Pictures of one size, about as many in a row as there are rows. */
function tiled(pictures: readonly Picture[]): Picture {
  const [height, width, channels] = pictures[0]!.shape
  const columns = Math.ceil(Math.sqrt(pictures.length))
  const rows = Math.ceil(pictures.length / columns)
  const across = columns * (width + 1) - 1
  const data = new Uint8Array((rows * (height + 1) - 1) * across * channels).fill(GAP)
  pictures.forEach((picture, index) => {
    const start = Math.floor(index / columns) * (height + 1) * across + (index % columns) * (width + 1)
    for (let y = 0; y < height; y++) {
      data.set(picture.data.subarray(y * width * channels, (y + 1) * width * channels), (start + y * across) * channels)
    }
  })
  return { shape: [rows * (height + 1) - 1, across, channels], data }
}

function inRows(data: Numbers, level: Level): Picture {
  const side = Math.sqrt(data.length)
  const columns = data.length <= ROW ? data.length : Number.isInteger(side) ? side : ROW
  const rows = Math.ceil(data.length / columns)
  const pixels = new Uint8Array(rows * columns).fill(GAP)
  pixels.set(Uint8Array.from(data, level))
  return { shape: [rows, columns, 1], data: pixels }
}

/** Each column of pixels goes from the least to the largest number that falls on it, and on to the one before. */
function curves(data: Numbers, length: number, channels: number, level: Level): Picture {
  const width = length < LENGTH ? length * Math.floor(LENGTH / length) : LENGTH
  const band = Math.floor(HEIGHT / channels)
  const pixels = new Uint8Array((channels * (band + 1) - 1) * width)
  for (let c = 0; c < channels; c++) {
    const top = c * (band + 1)
    if (c > 0) pixels.fill(GAP, (top - 1) * width, top * width)
    for (let x = 0; x < width; x++) {
      const first = Math.floor((x * length) / width)
      const isNext = x > 0 && Math.floor(((x - 1) * length) / width) < first
      const end = Math.max(first + 1, Math.ceil(((x + 1) * length) / width))
      let [low, high] = [255, 0]
      for (let at = isNext ? first - 1 : first; at < end; at++) {
        const value = level(data[at * channels + c]!)
        if (value < low) low = value
        if (value > high) high = value
      }
      const row = (value: number) => top + Math.round(((255 - value) / 255) * (band - 1))
      for (let y = row(high); y <= row(low); y++) pixels[y * width + x] = 255
    }
  }
  return { shape: [channels * (band + 1) - 1, width, 1], data: pixels }
}

function levelsOf(data: Float32Array | Uint8Array, normalize: Normalize | undefined): Level {
  if (data instanceof Uint8Array) {
    const { scale, offset } = normalize ?? { scale: 1 / 255, offset: 0 }
    if (typeof scale !== 'number' || offset !== 0 || scale <= 0) return (value) => value
    return (value) => Math.min(255, Math.round(value * scale * 255))
  }
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of data) {
    if (!Number.isFinite(value)) continue
    if (value < least) least = value
    if (value > largest) largest = value
  }
  const [low, high] = least >= 0 && largest <= 1 ? [0, 1] : [least, largest]
  const span = high > low ? high - low : 1
  return (value) => (Number.isNaN(value) ? 0 : Math.round(255 * Math.max(0, Math.min(1, (value - low) / span))))
}
