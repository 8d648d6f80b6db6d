import type { Draw } from './draws'
import { drawsOf } from './draws'
import { numberOf, numbersOf, operand, type ReferenceStep } from './step'

/** One image: how to read a pixel's channel, and the sizes. */
interface Image {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly data: Float64Array
}

/** A transformation's attributes, without the number behind their names. */
interface Given {
  readonly kind: string
  readonly text: (name: string) => string
  readonly flag: (name: string) => boolean
  readonly numbers: (name: string) => number[]
  readonly has: (name: string) => boolean
}

const between = (draw: number, [low, high]: readonly number[]): number => low! + (high! - low!) * draw

/** The image whose pixels are what `at` gives. */
function drawn(image: Image, at: (y: number, x: number, c: number) => number): Image {
  const data = new Float64Array(image.data.length)
  const { height, width, channels } = image
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) data[(y * width + x) * channels + c] = at(y, x, c)
  return { ...image, data }
}

/** Reads pixels at whole positions, outside as the mode says. */
function reader({ height, width, channels, data }: Image, given: Given): (y: number, x: number, c: number) => number {
  const mode = given.text('mode')
  const value = given.numbers('value')
  const fold = (at: number, size: number): number => {
    if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1)
    if (size === 1) return 0
    const period = 2 * (size - 1)
    const within = ((at % period) + period) % period
    return within < size ? within : period - within
  }
  return (y, x, c) => {
    const isInside = y >= 0 && x >= 0 && y < height && x < width
    if (!isInside && mode === 'constant') return value[value.length === 1 ? 0 : c]!
    return data[((isInside ? y : fold(y, height)) * width + (isInside ? x : fold(x, width))) * channels + c]!
  }
}

function shift(image: Image, given: Given, draw: Draw): Image {
  const [down, right] = given.numbers('most').map((most, axis) => Math.floor((2 * most + 1) * draw(1 + axis)) - most) as [number, number]
  const read = reader(image, given)
  return drawn(image, (y, x, c) => read(y - down, x - right, c))
}

function flip(image: Image, given: Given, draw: Draw, probability: number): Image {
  const [horizontal, vertical] = [given.flag('horizontal') && draw(0) < probability, given.flag('vertical') && draw(1) < probability]
  const { height, width, channels, data } = image
  return drawn(image, (y, x, c) => data[((vertical ? height - 1 - y : y) * width + (horizontal ? width - 1 - x : x)) * channels + c]!)
}

function affine(image: Image, given: Given, draw: Draw): Image {
  const turn = (between(draw(1), given.numbers('degrees')) * Math.PI) / 180
  const [scale, stretch, shear] = ['scale', 'stretch', 'shear'].map((name, i) => between(draw(2 + i), given.numbers(name))) as [
    number,
    number,
    number,
  ]
  const [down, right] = given.numbers('shift').map((most, axis) => between(draw(5 + axis), [-most, most])) as [number, number]
  const [middleY, middleX] = [(image.height - 1) / 2, (image.width - 1) / 2]
  const read = reader(image, given)
  return drawn(image, (y, x, c) => {
    // Backwards: shifted, turned, slanted, resized and stretched.
    const [v, u] = [y - middleY - down, x - middleX - right]
    const [turnedX, turnedY] = [Math.cos(turn) * u - Math.sin(turn) * v, Math.sin(turn) * u + Math.cos(turn) * v]
    const [fromX, fromY] = [middleX + (turnedX - shear * turnedY) / (scale * stretch), middleY + turnedY / scale]
    const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
    const [far, low] = [fromX - left, fromY - top]
    const row = (at: number) => read(at, left, c) * (1 - far) + read(at, left + 1, c) * far
    return row(top) * (1 - low) + row(top + 1) * low
  })
}

function cutout(image: Image, given: Given, draw: Draw): Image {
  const [least, most] = given.numbers('size') as [number, number]
  const value = given.numbers('value')
  const size = (j: number) => least + Math.floor((most - least + 1) * draw(j))
  const [height, width] = [size(1), size(2)]
  const top = Math.floor(image.height * draw(3)) - Math.floor(height / 2)
  const left = Math.floor(image.width * draw(4)) - Math.floor(width / 2)
  return drawn(image, (y, x, c) =>
    y >= top && y < top + height && x >= left && x < left + width
      ? value[value.length === 1 ? 0 : c]!
      : image.data[(y * image.width + x) * image.channels + c]!,
  )
}

function colour(image: Image, given: Given, draw: Draw): Image {
  const factor = between(draw(1), given.numbers('factor'))
  const [low, high] = given.has('range') ? given.numbers('range') : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const { height, width, channels, data } = image
  const pixels = height * width
  const isColour = channels === 3 || channels === 4
  const colours = channels === 4 ? 3 : channels
  const grey = (pixel: number) =>
    0.299 * data[pixel * channels]! + 0.587 * data[pixel * channels + 1]! + 0.114 * data[pixel * channels + 2]!
  let sum = 0
  if (isColour) for (let pixel = 0; pixel < pixels; pixel++) sum += grey(pixel)
  else for (const number of data) sum += number
  const mean = sum / (isColour ? pixels : data.length)
  return drawn(image, (y, x, c) => {
    const pixel = y * width + x
    const old = data[pixel * channels + c]!
    if (c >= colours) return old
    const other = given.kind === 'brightness' ? 0 : given.kind === 'contrast' ? mean : grey(pixel)
    return Math.min(Math.max(factor * old + (1 - factor) * other, low!), high!)
  })
}

const transformations: Readonly<Record<string, (image: Image, given: Given, draw: Draw, probability: number) => Image>> = {
  shift,
  flip,
  affine,
  cutout,
  brightness: colour,
  contrast: colour,
  saturation: colour,
}

function givenOf(step: ReferenceStep, number: number): Given {
  const { attributes } = step
  return {
    kind: String(attributes[`kind${number}`]),
    text: (name) => String(attributes[name + number]),
    flag: (name) => attributes[name + number] === true,
    numbers: (name) => numbersOf(step, name + number),
    has: (name) => attributes[name + number] !== undefined,
  }
}

/** The transformations' numbers in the order in which they act on a sample: neighbours of one group that is not 0 are shuffled. */
function orderOf(step: ReferenceStep, count: number, stream: number, sample: number): number[] {
  const order = Array.from({ length: count }, (_, number) => number)
  const groupOf = (number: number) => numberOf(step, `group${number}`, 0)
  for (let begin = 0; begin < count; ) {
    let end = begin + 1
    while (groupOf(begin) !== 0 && end < count && groupOf(end) === groupOf(begin)) end++
    const draw = drawsOf(step, stream + begin, sample)
    for (let k = begin; k + 1 < end; k++) {
      const at = k + Math.floor((end - k) * draw(32 + k - begin))
      ;[order[k], order[at]] = [order[at]!, order[k]!]
    }
    begin = end
  }
  return order
}

/** Each image changed by the transformations, one after the other. */
export function augment(step: ReferenceStep): void {
  const { data: x, shape } = operand(step, 'x')
  const y = operand(step, 'y').data
  const [n, height, width, channels] = shape as readonly [number, number, number, number]
  const [count, stream] = [numberOf(step, 'count'), numberOf(step, 'stream')]
  const size = height * width * channels
  for (let sample = 0; sample < n; sample++) {
    let image: Image = { height, width, channels, data: Float64Array.from(x.subarray(sample * size, (sample + 1) * size)) }
    for (const number of orderOf(step, count, stream, sample)) {
      const given = givenOf(step, number)
      const draw = drawsOf(step, stream + number, sample)
      const probability = numberOf(step, `probability${number}`)
      if (given.kind === 'flip' || draw(0) < probability) image = transformations[given.kind]!(image, given, draw, probability)
    }
    y.set(image.data, sample * size)
  }
}
