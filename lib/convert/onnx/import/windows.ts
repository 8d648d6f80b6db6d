import { conv1d } from '../../../layers/conv1d'
import { conv2d } from '../../../layers/conv2d'
import { conv3d } from '../../../layers/conv3d'
import { convTranspose1d } from '../../../layers/convTranspose1d'
import { convTranspose2d } from '../../../layers/convTranspose2d'
import { convTranspose3d } from '../../../layers/convTranspose3d'
import type { Layer } from '../../../layers/layer'
import type { Node } from '../../../layers/node'
import * as pools1d from '../../../layers/pool1d'
import * as pools2d from '../../../layers/pool2d'
import * as pools3d from '../../../layers/pool3d'
import { ceilOutputSize, outputSize, span } from '../../../shape'
import { permuted } from '../arrange'
import type { Call, Operator } from './call'
import type { Constant } from './constant'
import type { Weights } from './importer'
import { reduce } from './reductions'
import { longAxes, type View } from './view'

type Sides = (readonly [number, number])[]

/** Values of `auto_pad`. */
const PADS = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'] as const

// biome-ignore lint/suspicious/noExplicitAny: layers of one to three axes by their number: sizes and padding are written alike
type Maker = (...args: any[]) => Layer
const convolutions: Readonly<Record<number, Maker>> = { 1: conv1d, 2: conv2d, 3: conv3d }
const transposed: Readonly<Record<number, Maker>> = { 1: convTranspose1d, 2: convTranspose2d, 3: convTranspose3d }
const pools: Readonly<Record<string, Readonly<Record<number, Maker>>>> = {
  MaxPool: { 1: pools1d.maxPool1d, 2: pools2d.maxPool2d, 3: pools3d.maxPool3d },
  AveragePool: { 1: pools1d.averagePool1d, 2: pools2d.averagePool2d, 3: pools3d.averagePool3d },
  LpPool: { 1: pools1d.lpPool1d, 2: pools2d.lpPool2d, 3: pools3d.lpPool3d },
}

/** A node with the channels last, and the sizes of its image. @throws UNSUPPORTED for more than three axes of it */
function imageOf(call: Call): { node: Node; image: number[]; channels: number } {
  const view = call.view()
  const axes = view.axes.length - 2
  if (axes < 1 || axes > 3) throw call.fail.unsupported(`takes a tensor of ${view.axes.length} axes, understood are 3 to 5`)
  const node = call.arranger.channelsLast(view, call.fail)
  return { node, image: node.shape.slice(1, -1) as number[], channels: node.shape.at(-1)! }
}

/** As many whole numbers as there are axes, none below `least`. */
function sizes(call: Call, name: string, axes: number, fallback: number, least = 1): number[] {
  const list = call.attributes.ints(name) ?? new Array<number>(axes).fill(fallback)
  if (list.length === axes && list.every((size) => size >= least)) return list
  throw call.fail.damaged(`attribute ${name} is [${list.join(', ')}], expected ${axes} whole numbers of at least ${least}`)
}

/** The padding that a window has, by `pads` or `auto_pad`. */
function padding(
  call: Call,
  image: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Sides {
  const mode = call.attributes.choice('auto_pad', 'NOTSET', PADS)
  const pads = sizes(call, 'pads', 2 * image.length, 0, 0)
  if (mode === 'NOTSET') return image.map((_, axis) => [pads[axis]!, pads[axis + image.length]!])
  return image.map((size, axis) => {
    const reach = (Math.ceil(size / stride[axis]!) - 1) * stride[axis]! + span(kernel[axis]!, dilation[axis]!)
    return sidesOf(mode === 'VALID' ? 0 : Math.max(0, reach - size), mode === 'SAME_LOWER')
  })
}

function sidesOf(total: number, lower: boolean): [number, number] {
  const less = Math.floor(total / 2)
  return lower ? [total - less, less] : [less, total - less]
}

/** Padding as layers take it: of one axis a pair. */
const asOption = (sides: Sides) => {
  if (sides.every(([before, after]) => before === 0 && after === 0)) return 'valid'
  return sides.length === 1 ? sides[0]! : sides
}

function kernelSize(call: Call, given: readonly number[]): void {
  const said = call.attributes.ints('kernel_shape')
  if (said && said.join() !== given.join()) throw call.fail.damaged(`attribute kernel_shape is [${said}], the weights' is [${given}]`)
}

/** What convolutions have in common: the layer, with a bias or not, and a bias that comes later. */
function convolve(
  call: Call,
  node: Node,
  kernel: Constant,
  filters: number,
  make: (bias: boolean | 'position', named: object) => Layer,
): View {
  const rank = node.shape.length
  const order = [...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1, 0]
  const weights = (bias?: Float32Array, names: readonly string[] = []): Weights => ({
    key: JSON.stringify([call.op, call.proto.input[1], names]),
    from: [call.proto.input[1]!, ...names],
    fills: { kernel: () => permuted(kernel.data as Float32Array, kernel.shape, order), ...(bias && { bias: () => bias }) },
  })
  call.graph.spend(kernel.data.length, call.fail)
  if (call.has(2)) {
    const bias = call.vector(2, filters)
    const made = call.layer(node, (named) => make(true, named), weights(bias, [call.proto.input[2]!]))
    return call.arranger.channelsFirst(made)
  }
  const made = call.layer(node, (named) => make(false, named), weights())
  call.graph.biasable.set(made, {
    withBias({ data, shape }, name) {
      if (!(data instanceof Float32Array)) return undefined
      const sizesOfSample = [filters, ...(made.shape.slice(1, -1) as number[])]
      const padded = [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape]
      const fits = (wanted: readonly number[]) => padded.length === rank && padded[0] === 1 && padded.slice(1).join() === wanted.join()
      const isPosition = fits(sizesOfSample) && data.length > filters
      if (!isPosition && !fits([filters, ...sizesOfSample.slice(1).map(() => 1)])) return undefined
      const toLast = [...Array.from({ length: rank - 2 }, (_, axis) => axis + 1), 0]
      const bias = isPosition ? permuted(data, sizesOfSample, toLast) : data
      call.graph.release(made)
      const result = call.layer(node, (named) => make(isPosition ? 'position' : true, named), weights(bias, [name]))
      return call.arranger.channelsFirst(result)
    },
  })
  return call.arranger.channelsFirst(made)
}

const conv: Operator = (call) => {
  const { node, image, channels } = imageOf(call)
  const kernel = call.floats(1)
  const [filters, perGroup, ...size] = kernel.shape
  const groups = call.attributes.int('group', 1)
  if (size.length !== image.length || perGroup! * groups !== channels) {
    throw call.fail.damaged(
      `the weights' shape is [${kernel.shape}], the input has ${channels} channels, ${image.length} axes of the image, and ${groups} groups`,
    )
  }
  kernelSize(call, size)
  const stride = sizes(call, 'strides', image.length, 1)
  const dilation = sizes(call, 'dilations', image.length, 1)
  const options = { stride, dilation, groups, padding: asOption(padding(call, image, size, stride, dilation)) }
  const make = (bias: boolean | 'position', named: object) => convolutions[image.length]!(filters, size, { ...options, bias, ...named })
  return convolve(call, node, kernel, filters!, make)
}

const convTranspose: Operator = (call) => {
  const { node, image, channels } = imageOf(call)
  const kernel = call.floats(1)
  const [inputs, perGroup, ...size] = kernel.shape
  const groups = call.attributes.int('group', 1)
  if (size.length !== image.length || inputs !== channels) {
    throw call.fail.damaged(
      `the weights' shape is [${kernel.shape}], the input has ${channels} channels and ${image.length} axes of the image`,
    )
  }
  kernelSize(call, size)
  const stride = sizes(call, 'strides', image.length, 1)
  const dilation = sizes(call, 'dilations', image.length, 1)
  const extra = sizes(call, 'output_padding', image.length, 0, 0)
  const mode = call.attributes.choice('auto_pad', 'NOTSET', PADS)
  const pads = sizes(call, 'pads', 2 * image.length, 0, 0)
  const wanted = call.attributes.ints('output_shape')?.slice(-image.length)
  const sides: Sides = image.map((pixels, axis) => {
    const full = stride[axis]! * (pixels - 1) + extra[axis]! + span(size[axis]!, dilation[axis]!)
    const target = wanted?.[axis] ?? (mode.startsWith('SAME') ? pixels * stride[axis]! : undefined)
    if (target === undefined) return mode === 'VALID' ? [0, 0] : [pads[axis]!, pads[axis + image.length]!]
    if (target > full && !wanted)
      throw call.fail.unsupported(`attribute auto_pad is "${mode}" with windows narrower than strides: readers differ`)
    if (target > full) extra[axis] = extra[axis]! + target - full
    return sidesOf(Math.max(0, full - target), mode !== 'SAME_UPPER')
  })
  const options = {
    stride,
    dilation,
    groups,
    padding: asOption(sides),
    ...(extra.some((more) => more > 0) && { outputPadding: extra }),
  }
  const filters = perGroup! * groups
  const make = (bias: boolean | 'position', named: object) => transposed[image.length]!(filters, size, { ...options, bias, ...named })
  return convolve(call, node, kernel, filters, make)
}

const pool: Operator = (call) => {
  const { node, image } = imageOf(call)
  const { attributes, op } = call
  const given = attributes.ints('kernel_shape')
  if (!given) throw call.fail.damaged('attribute kernel_shape is missing')
  const kernel = sizes(call, 'kernel_shape', image.length, 1)
  const stride = sizes(call, 'strides', image.length, 1)
  const dilation = sizes(call, 'dilations', image.length, 1)
  const isDilated = dilation.some((step) => step > 1)
  const mode = attributes.choice('auto_pad', 'NOTSET', PADS)
  if (op !== 'MaxPool' && isDilated && mode.startsWith('SAME')) {
    throw call.fail.unsupported(`attribute auto_pad is "${mode}" with dilations [${dilation}]: readers differ`)
  }
  const sides = padding(call, image, kernel, stride, dilation)
  const ceil = attributes.int('ceil_mode', 0) !== 0
  // Where sizes are rounded up, the only window of an axis may reach beyond what is there: it ends with that.
  const size = kernel.map((taps, axis) => {
    const padded = image[axis]! + sides[axis]![0] + sides[axis]![1]
    const isBeyond = ceil && span(taps, dilation[axis]!) > padded && span(taps, dilation[axis]!) - padded < stride[axis]!
    if (isBeyond && dilation[axis]! > 1) {
      throw call.fail.unsupported(`attribute ceil_mode with dilations [${dilation}], where a window reaches beyond what is there`)
    }
    return isBeyond ? padded : taps
  })
  attributes.ignore('storage_order')
  const differs = image.some((pixels, axis) => {
    const window = [pixels, size[axis]!, stride[axis]!, sides[axis]!, dilation[axis]!] as const
    return ceil && ceilOutputSize(...window) !== outputSize(...window)
  })
  const options = {
    stride,
    dilation,
    padding: asOption(sides),
    ...(differs && { ceil }),
    ...(op === 'AveragePool' && attributes.int('count_include_pad', 0) !== 0 && { countPadding: true }),
    ...(op === 'LpPool' && { p: attributes.int('p', 2) }),
  }
  return call.arranger.channelsFirst(call.layer(node, (named) => pools[op]![image.length]!(size, { ...options, ...named })))
}

/** The mean or the maximum of each channel; its axes of the image stay, with a size of 1. */
const globalPool =
  (kind: 'average' | 'max'): Operator =>
  (call) => {
    const view = call.view()
    const axes = [...view.axes.keys()].slice(2)
    return axes.every((axis) => longAxes(view, view.axes[axis]!).length === 0) ? view : reduce(call, view, axes, kind, true)
  }

/** What slides over images. */
export const windows: Readonly<Record<string, Operator>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool('average'),
  GlobalMaxPool: globalPool('max'),
}
