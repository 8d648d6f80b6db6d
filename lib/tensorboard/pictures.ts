import type { Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import type { Picture } from '../io/png'
import { shapeText } from '../shape'
import { checkArray, type Tensor } from '../tensor'

/** Copies of the pictures in `[H, W, C]` or `[N, H, W, C]`, as bytes; floats are from 0 to 1. Throws INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE. */
export function picturesOf(image: Samples, label: string): Picture[] {
  checkArray(image, label, 'image', ['Uint8Array', 'Float32Array'])
  const { shape, data } = image
  const [height, width, channels] = shape.slice(-3) as [number, number, number]
  if ((shape.length !== 3 && shape.length !== 4) || (channels !== 1 && channels !== 3)) {
    const message = `${label}: image must have shape [H, W, C] or [N, H, W, C] with C = 1 or 3, received ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: shape })
  }
  const size = height * width * channels
  return Array.from({ length: data.length / size }, (_, index) => {
    const part = data.slice(index * size, (index + 1) * size)
    return { shape: [height, width, channels], data: part instanceof Uint8Array ? part : bytesOf(part, 0, 1) }
  })
}

/** `low` becomes 0, `high` 255; what is not a number, 0. */
function bytesOf(values: Float32Array, low: number, high: number): Uint8Array {
  const factor = high > low ? 255 / (high - low) : 0
  return Uint8Array.from(new Uint8ClampedArray(Array.from(values, (value) => (value - low) * factor)))
}

/** Most filters in a grid. */
const MOST = 64
/** Pixels of a side that a filter has at least. */
const SIDE = 24

/**
 * Filters `[KH, KW, C, OC]` of a first layer beside one another, as many in a row as there are rows: each from its least weight (black) to its greatest (white), in colour
 * where C is 3, else the mean over the channels.
 */
export function filterGrid({ shape, data }: Tensor): Picture {
  const [kernelHeight, kernelWidth, inputs, outputs] = shape as readonly [number, number, number, number]
  const count = Math.min(outputs, MOST)
  const channels = inputs === 3 ? 3 : 1
  const scale = Math.max(1, Math.ceil(SIDE / Math.max(kernelHeight, kernelWidth)))
  const [cellHeight, cellWidth] = [kernelHeight * scale + 1, kernelWidth * scale + 1]
  const columns = Math.ceil(Math.sqrt(count))
  const [height, width] = [Math.ceil(count / columns) * cellHeight + 1, columns * cellWidth + 1]
  const grid = new Uint8Array(height * width * channels).fill(128)
  for (let filter = 0; filter < count; filter++) {
    const values = new Float32Array(kernelHeight * kernelWidth * channels)
    for (let at = 0; at < kernelHeight * kernelWidth * inputs; at++)
      values[Math.floor(at / inputs) * channels + (channels === 3 ? at % 3 : 0)]! += data[at * outputs + filter]!
    const bytes = bytesOf(values, Math.min(...values), Math.max(...values))
    const [top, left] = [Math.floor(filter / columns) * cellHeight + 1, (filter % columns) * cellWidth + 1]
    for (let y = 0; y < kernelHeight * scale; y++) {
      for (let x = 0; x < kernelWidth * scale; x++) {
        const from = (Math.floor(y / scale) * kernelWidth + Math.floor(x / scale)) * channels
        const to = ((top + y) * width + left + x) * channels
        for (let channel = 0; channel < channels; channel++) grid[to + channel] = bytes[from + channel]!
      }
    }
  }
  return { shape: [height, width, channels], data: grid }
}
