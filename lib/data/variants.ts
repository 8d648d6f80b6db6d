import { ConvlaneError } from '../errors'
import { RandomStream } from '../random'
import { allocate } from '../tensor'
import { type Dataset, dataset } from './dataset'

export interface VariantsOptions {
  /** Versions of each image, the original among them. */
  readonly copies: number
  /** The same seed gives the same versions. */
  readonly seed: number
}

/** Largest turn, to either side, in radians. */
const TURN = (20 * Math.PI) / 180
/** Largest change of size, of width against height, and of slant, each as a share. */
const [SIZE, ASPECT, SLANT] = [0.2, 0.2, 0.3]
/** Largest shift along each axis, as a share of the image's size. */
const SHIFT = 0.0875

/**
 * More to train on than there is: each image as it is, and in `copies − 1` versions that are a little turned, slanted, resized and shifted, as other hands
 * might have drawn them. What moves in from outside is 0.
 * @param data images as bytes `[N, H, W, C]` with class numbers
 * @returns N · copies images, the originals first
 * @throws INVALID_ARGUMENT, INVALID_SHAPE, OUT_OF_MEMORY
 */
export function variants(data: Dataset, { copies, seed }: VariantsOptions): Dataset {
  const { x, y, length } = data
  if (!Number.isInteger(copies) || copies < 1) {
    throw new ConvlaneError('INVALID_ARGUMENT', `variants: copies must be a positive integer, received ${copies}`, { received: copies })
  }
  if (x.shape.length !== 4 || !(x.data instanceof Uint8Array) || y.data instanceof Float32Array) {
    throw new ConvlaneError('INVALID_SHAPE', 'variants: takes images as bytes [N, H, W, C] with class numbers')
  }
  const [, height, width, channels] = x.shape as readonly [number, number, number, number]
  const size = height * width * channels
  const images = allocate(Uint8Array, copies * x.data.length, 'variants')
  const labels = new Int32Array(copies * length)
  for (let copy = 0; copy < copies; copy++) {
    labels.set(y.data, copy * length)
    if (copy === 0) images.set(x.data)
    else {
      const random = new RandomStream(seed, 'data', copy)
      for (let n = 0; n < length; n++) {
        const into = images.subarray((copy * length + n) * size, (copy * length + n + 1) * size)
        distort(x.data.subarray(n * size, (n + 1) * size), [height, width, channels], random, into)
      }
    }
  }
  return dataset({
    ...data,
    x: { shape: [copies * length, ...x.shape.slice(1)], data: images },
    y: { shape: [copies * length], data: labels },
  })
}

type Sizes = readonly [height: number, width: number, channels: number]

/** Reads each pixel of `to` from where a random affine map around the centre says, between pixels bilinearly. */
function distort(from: Uint8Array, [height, width, channels]: Sizes, random: RandomStream, to: Uint8Array): void {
  const within = (most: number) => random.uniform(-most, most)
  const [turn, size, aspect, slant] = [within(TURN), 1 + within(SIZE), 1 + within(ASPECT), within(SLANT)]
  const [down, right] = [within(SHIFT * height), within(SHIFT * width)]
  const [cosine, sine] = [Math.cos(turn) / size, Math.sin(turn) / size]
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2]
  const at = (y: number, x: number, channel: number) =>
    y < 0 || x < 0 || y >= height || x >= width ? 0 : from[(y * width + x) * channels + channel]!
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dy, dx] = [y - middleY - down, x - middleX - right]
      const fromY = middleY + cosine * dy - sine * dx
      const fromX = middleX + aspect * (cosine * dx + sine * dy) + slant * dy
      const [top, left] = [Math.floor(fromY), Math.floor(fromX)]
      const [low, far] = [fromY - top, fromX - left]
      for (let channel = 0; channel < channels; channel++) {
        const above = at(top, left, channel) * (1 - far) + at(top, left + 1, channel) * far
        const below = at(top + 1, left, channel) * (1 - far) + at(top + 1, left + 1, channel) * far
        to[(y * width + x) * channels + channel] = Math.round(above * (1 - low) + below * low)
      }
    }
  }
}
