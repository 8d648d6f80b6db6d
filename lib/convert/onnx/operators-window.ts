import type { Value } from '../../graph/value'
import type { Sides } from '../../ops/pad'
import { span } from '../../shape'
import { attributesOf, type Operator, sizeOf } from './operator'
import { framed } from './operators-shape'
import { type AttributeMap, int, ints, text, type Writer } from './writer'

interface Window {
  readonly size: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly dilation: readonly number[]
}

const image = ({ shape }: Value) => shape.slice(1, -1) as number[]
const padsOf = (padding: readonly (readonly number[])[]) =>
  ints([...padding.map(([before]) => before!), ...padding.map(([, after]) => after!)])
/** Filters: [..., in, out] → [out, in, ...]. */
const filterOrder = (rank: number) => [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, axis) => axis)]

/** What is made of an image, with the channels first on both sides. */
const onImages =
  <A>(write: (w: Writer, from: string, values: readonly [x: Value, y: Value], attributes: A) => string): Operator =>
  (w, node) => {
    const [x, y] = [node.inputs[0]!, node.outputs[0]!]
    w.set(y, 'first', write(w, w.get(x, 'first'), [x, y], attributesOf<A>(node)))
  }

function convolution(opType: string): Operator {
  return (w, { inputs: [x, kernel, bias], outputs: [y], attributes }) => {
    const { stride, padding, dilation, groups, outputPadding } = attributes as unknown as Window & {
      groups: number
      outputPadding?: number[]
    }
    const filters = w.parameter(kernel!, filterOrder(kernel!.shape.length))
    const given: AttributeMap = {
      kernel_shape: ints((kernel!.shape as number[]).slice(0, -2)),
      strides: ints(stride),
      pads: padsOf(padding),
      dilations: ints(dilation),
      group: int(groups),
      ...(outputPadding && { output_padding: ints(outputPadding) }),
    }
    w.set(y!, 'first', w.node(opType, [w.get(x!, 'first'), filters, bias ? w.parameter(bias) : ''], given))
  }
}

/**
 * The padding, and behind it what the last window needs where sizes are rounded up: readers differ in their rules for rounding, not in those for padding.
 */
function sidesOf(x: Value, y: Value, { size, stride, padding, dilation }: Window): Sides {
  return image(x).map((pixels, axis) => {
    const [before, after] = padding[axis]!
    const needed = (image(y)[axis]! - 1) * stride[axis]! + span(size[axis]!, dilation[axis]!) - pixels - before
    return [before, Math.max(after, needed)]
  })
}

function windowAttributes({ size, stride, dilation }: Window, sides: Sides): AttributeMap {
  const given = { kernel_shape: ints(size), strides: ints(stride), pads: padsOf(sides) }
  return dilation.every((step) => step === 1) ? given : { ...given, dilations: ints(dilation) }
}

const none = (sides: Sides): Sides => sides.map(() => [0, 0])
const isNone = (sides: Sides) => sides.every((side) => side[0] === 0 && side[1] === 0)
/** Where readers take no more padding than this, it is put around the image before. */
const isNarrow = ({ size }: Window, sides: Sides) => sides.every((side, axis) => Math.max(...side) < size[axis]!)

const isWhole = (x: Value, { size, dilation }: Window, sides: Sides) =>
  isNone(sides) && image(x).every((pixels, axis) => size[axis] === pixels && dilation[axis] === 1)

const maxPool = onImages((w, from, [x, y], window: Window) => {
  const sides = sidesOf(x, y, window)
  if (isWhole(x, window, sides)) return w.node('GlobalMaxPool', [from])
  if (isNarrow(window, sides)) return w.node('MaxPool', [from], windowAttributes(window, sides))
  return w.node('MaxPool', [framed(w, from, [[0, 0], [0, 0], ...sides], Number.NEGATIVE_INFINITY)], windowAttributes(window, none(sides)))
})

/** The sums over windows, with zeros for what is outside the image: a convolution of each channel by ones, which readers take with any padding. */
function sums(w: Writer, from: string, channels: number, { size, stride, dilation }: Window, sides: Sides): string {
  const ones = w.floats(new Float32Array(channels * sizeOf(size)).fill(1), [channels, 1, ...size])
  const given = { kernel_shape: ints(size), strides: ints(stride), pads: padsOf(sides), dilations: ints(dilation), group: int(channels) }
  return w.node('Conv', [from, ones], given)
}

/** Padding counts, or not, but what the last window adds behind it never does. */
const averagePool = onImages((w, from, [x, y], window: Window & { readonly countPadding: boolean }) => {
  const { padding, countPadding } = window
  const sides = sidesOf(x, y, window)
  if (isWhole(x, window, sides)) return w.node('GlobalAveragePool', [from])
  const isAlike = !countPadding || sides.every((side, axis) => side[1] === padding[axis]![1])
  if (isNarrow(window, sides) && isAlike) {
    const counts: AttributeMap = countPadding && !isNone(sides) ? { count_include_pad: int(1) } : {}
    return w.node('AveragePool', [from], { ...windowAttributes(window, sides), ...counts })
  }
  const counted = countPadding ? padding : none(sides)
  const shares = windowCounts(x, y, window, counted).map((count) => 1 / count)
  return w.node('Mul', [sums(w, from, x.shape.at(-1)!, window, sides), w.floats(shares, [1, 1, ...image(y)])])
})

/** How many pixels of the image, and of what is counted around it, each window has. */
function windowCounts(x: Value, y: Value, { size, stride, padding, dilation }: Window, counted: Sides): number[] {
  const along = image(y).map((windows, axis) =>
    Array.from({ length: windows }, (_, index) => {
      const start = index * stride[axis]! - padding[axis]![0]
      const taps = Array.from({ length: size[axis]! }, (__, tap) => start + tap * dilation[axis]!)
      const [low, high] = [-counted[axis]![0], image(x)[axis]! + counted[axis]![1]]
      return taps.filter((pixel) => pixel >= low && pixel < high).length
    }),
  )
  return along.reduce((all, counts) => all.flatMap((count) => counts.map((other) => count * other)), [1])
}

/** ONNX has whole powers; others are the root of sums of powers. */
const lpPool = onImages((w, from, [x, y], window: Window & { readonly p: number }) => {
  const { p } = window
  const sides = sidesOf(x, y, window)
  if (!Number.isInteger(p)) {
    const powers = w.node('Pow', [w.node('Abs', [from]), w.number(p)])
    return w.node('Pow', [sums(w, powers, x.shape.at(-1)!, window, sides), w.number(1 / p)])
  }
  if (isNarrow(window, sides)) return w.node('LpPool', [from], { ...windowAttributes(window, sides), p: int(p) })
  return w.node('LpPool', [framed(w, from, [[0, 0], [0, 0], ...sides])], { ...windowAttributes(window, none(sides)), p: int(p) })
})

/** Bins of one size are windows; of several, a product with the shares that each pixel has of each bin, axis by axis. */
const adaptiveAveragePool = onImages((w, from, [x, y]) => {
  const [sizes, bins] = [image(x), image(y)]
  if (bins.every((count) => count === 1)) return w.node('GlobalAveragePool', [from])
  if (sizes.every((size, axis) => size % bins[axis]! === 0)) {
    const size = ints(sizes.map((pixels, axis) => pixels / bins[axis]!))
    return w.node('AveragePool', [from], { kernel_shape: size, strides: size })
  }
  return mixed(w, from, [x, y], binShares)
})

/** Every pixel a mixture of those of its line, axis by axis: products with the shares of each, `[out, in]`. */
function mixed(w: Writer, from: string, [x, y]: readonly [Value, Value], sharesOf: (pixels: number, count: number) => number[]): string {
  const sizes = [x.shape.at(-1)!, ...image(x)]
  return image(y).reduce((at, count, axis) => {
    const pixels = sizes[axis + 1]!
    if (pixels === count) return at
    const rows = w.node('Reshape', [at, w.integers([-1, sizeOf(sizes.slice(0, axis + 1)), pixels, sizeOf(sizes.slice(axis + 2))])])
    sizes[axis + 1] = count
    const shares = w.floats(sharesOf(pixels, count), [count, pixels])
    return w.node('Reshape', [w.node('MatMul', [shares, rows]), w.integers([-1, ...sizes])])
  }, from)
}

function binShares(pixels: number, bins: number): number[] {
  return Array.from({ length: bins }, (_, bin) => {
    const [start, end] = [Math.floor((bin * pixels) / bins), Math.ceil(((bin + 1) * pixels) / bins)]
    return Array.from({ length: pixels }, (__, pixel) => (pixel >= start && pixel < end ? 1 / (end - start) : 0))
  }).flat()
}

/** How near each pixel is to the place of each new one. */
function nearness(pixels: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const place = Math.min(Math.max(((index + 0.5) * pixels) / count - 0.5, 0), pixels - 1)
    return Array.from({ length: pixels }, (__, pixel) => Math.max(0, 1 - Math.abs(pixel - place)))
  }).flat()
}

/** Sizes of the result over those of the image, as float32 by which the size times the scale, rounded down, is what is wanted. */
function scales(w: Writer, from: readonly number[], to: readonly number[]): string {
  const rounded = to.map((size, axis) => {
    const scale = Math.fround(size / from[axis]!)
    return scale * from[axis]! < size ? Math.fround(scale * (1 + 2 ** -23)) : scale
  })
  return w.floats([1, 1, ...rounded])
}

/** Each pixel again and again: the axes of an image times whole numbers. */
export function repeat(w: Writer, x: Value, y: Value): void {
  const options = { mode: text('nearest'), coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') }
  w.set(y, 'first', w.node('Resize', [w.get(x, 'first'), '', scales(w, image(x), image(y))], options))
}

/** ONNX Runtime moves a transposition through Resize, and has no Resize for the axes where these then lie: behind any that is not of the channels there is none. */
const linearResize = onImages((w, from, [x, y]) => {
  if (w.isPermuted) return mixed(w, from, [x, y], nearness)
  const options = { mode: text('linear'), coordinate_transformation_mode: text('half_pixel') }
  return w.node('Resize', [from, '', scales(w, image(x), image(y))], options)
})

/** Where the nearest pixel may lie between two, readers round as they like: the pixels are picked one by one. */
const nearestResize = onImages((w, from, [x, y]) =>
  image(y).reduce((at, size, axis) => {
    const pixels = image(x)[axis]!
    const nearest = Array.from({ length: size }, (_, pixel) => Math.floor(((2 * pixel + 1) * pixels) / (2 * size)))
    return size === pixels ? at : w.node('Gather', [at, w.integers(nearest)], { axis: int(axis + 2) })
  }, from),
)

const resize: Operator = (w, node) => {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!]
  if (node.attributes.interpolation !== 'nearest') linearResize(w, node)
  else if (image(y).every((size, axis) => size % image(x)[axis]! === 0)) repeat(w, x, y)
  else nearestResize(w, node)
}

const ofEachRank = (name: string, operator: Operator) => [1, 2, 3].map((axes): [string, Operator] => [`${name}${axes}d`, operator])

/** The ops that slide over images. */
export const windowOperators: Readonly<Record<string, Operator>> = Object.fromEntries([
  ...ofEachRank('conv', convolution('Conv')),
  ...ofEachRank('convTranspose', convolution('ConvTranspose')),
  ...ofEachRank('maxPool', maxPool),
  ...ofEachRank('averagePool', averagePool),
  ...ofEachRank('lpPool', lpPool),
  ...ofEachRank('adaptiveAveragePool', adaptiveAveragePool),
  ...ofEachRank('resize', resize),
])
