import type { Layer } from '../../../layers/layer'
import type { Node } from '../../../layers/node'
import { resize1d, resize2d, resize3d, upsample1d, upsample2d, upsample3d } from '../../../layers/upsample'
import type { Call, Operator } from './call'
import { shapeOf, type View } from './view'

// biome-ignore lint/suspicious/noExplicitAny: layers of one to three axes by their number
type Maker = (size: any, options: any) => Layer
const resizes: Readonly<Record<number, Maker>> = { 1: resize1d, 2: resize2d, 3: resize3d }
const upsamples: Readonly<Record<number, Maker>> = { 1: upsample1d, 2: upsample2d, 3: upsample3d }
const linear = ['linear', 'bilinear', 'trilinear'] as const

/** Largest size whose pixels are looked at one by one. */
const MOST = 2 ** 20

/** The pixels that `resize2d` takes by `'nearest'`. */
export const nearestIndices = (size: number, to: number): number[] =>
  Array.from({ length: to }, (_, o) => Math.floor(((2 * o + 1) * size) / (2 * to)))

/** One axis of the file with another size, the nearest pixels along it. */
export function resizedAlong(call: Call, view: View, axis: number, to: number): View {
  const make = (node: Node) => call.layer(node, (named) => resize2d([node.shape[1]!, to], { interpolation: 'nearest', ...named }))
  return call.arranger.along(view, axis, make, call.fail)
}

/** Where a pixel of the result lies in the image, before it is rounded or kept inside. */
function place(mode: string, o: number, size: number, to: number, scale: number): number {
  if (mode === 'asymmetric') return o / scale
  if (mode === 'align_corners') return to === 1 ? 0 : (o * (size - 1)) / (to - 1)
  if (mode === 'pytorch_half_pixel' && to === 1) return 0
  return (o + 0.5) / scale - 0.5
}

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

interface Scaling {
  readonly sizes: readonly number[]
  readonly scales: readonly number[]
}

/** Sizes and scales of the axes of the file: the inputs' places differ from version to version. */
function scaling(call: Call, shape: readonly (number | null)[]): Scaling {
  const { opset, op, fail } = call
  const at = op === 'Upsample' || opset < 11 ? 1 : 2
  const axes = (call.attributes.ints('axes') ?? [...shape.keys()]).map((axis) => call.axis(axis, shape.length))
  const whole = shape.map((size) => size ?? 1)
  const isGiven = (index: number) => call.has(index) && call.constant(index).data.length > 0
  if (isGiven(at)) {
    const { data } = call.floats(at)
    if (data.length !== axes.length) throw fail.damaged(`${data.length} scales for ${axes.length} axes`)
    const scales = whole.map((_, axis) => (axes.includes(axis) ? data[axes.indexOf(axis)]! : 1))
    return { scales, sizes: whole.map((size, axis) => Math.floor(Math.fround(size * scales[axis]!))) }
  }
  if (at === 1 || !isGiven(3)) throw fail.damaged('neither scales nor sizes are given')
  const given = call.sizes(3)
  if (given.length !== axes.length) throw fail.damaged(`${given.length} sizes for ${axes.length} axes`)
  const sizes = whole.map((size, axis) => {
    const wanted = axes.includes(axis) ? given[axes.indexOf(axis)]! : size
    return shape[axis] === null ? 1 : (wanted ?? 1)
  })
  return { sizes, scales: sizes.map((size, axis) => size / whole[axis]!) }
}

const resize: Operator = (call) => {
  const { attributes, fail, arranger } = call
  const view = call.view()
  const rank = view.axes.length
  const mode = attributes.choice('mode', 'nearest', ['nearest', 'linear'])
  const isOld = call.op === 'Upsample' || call.opset < 11
  const coordinates = isOld ? 'asymmetric' : attributes.text('coordinate_transformation_mode', 'half_pixel')
  const known = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel', 'half_pixel_symmetric']
  if (!known.includes(coordinates)) throw fail.unsupported(`attribute coordinate_transformation_mode is "${coordinates}"`)
  const rounding = isOld ? 'floor' : attributes.choice('nearest_mode', 'round_prefer_floor', Object.keys(roundings))
  attributes.only('antialias', 0)
  attributes.only('exclude_outside', 0)
  attributes.ignore('cubic_coeff_a', 'extrapolation_value')
  attributes.choice('keep_aspect_ratio_policy', 'stretch', ['stretch'])
  const shape = shapeOf(view)
  const { sizes, scales } = scaling(call, shape)
  const isLong = sizes.some((size) => !(size >= 1 && size <= MOST))
  if (rank < 3 || rank > 5 || isLong) throw fail.unsupported(`to [${sizes.join(', ')}]`)
  if (sizes[0] !== 1 || scales[0] !== 1 || sizes[1] !== shape[1]) throw fail.unsupported('of the batch or the channels')
  const axes = sizes.slice(2).map((to, index) => ({ size: shape[index + 2]!, to, scale: scales[index + 2]! }))
  const node = arranger.channelsLast(view, fail)
  const apply = (maker: Maker, size: readonly number[], interpolation: string) =>
    arranger.channelsFirst(call.layer(node, (named) => maker(size, { interpolation, ...named })))
  const all = (holds: (o: number, size: number, to: number, scale: number) => boolean) =>
    axes.every(({ size, to, scale }) => Array.from({ length: to }, (_, o) => o).every((o) => holds(o, size, to, scale)))
  const inside = (x: number, size: number) => Math.min(Math.max(x, 0), size - 1)
  if (mode === 'nearest') {
    const nearest = (o: number, size: number, to: number, scale: number) =>
      inside(roundings[rounding]!(place(coordinates, o, size, to, scale)), size)
    const isWhole = axes.every(({ size, to }) => to % size === 0)
    if (isWhole && all((o, size, to, scale) => nearest(o, size, to, scale) === Math.floor((o * size) / to))) {
      return apply(
        upsamples[rank - 2]!,
        axes.map(({ size, to }) => to / size),
        'nearest',
      )
    }
    if (all((o, size, to, scale) => nearest(o, size, to, scale) === Math.floor(((2 * o + 1) * size) / (2 * to)))) {
      return apply(
        resizes[rank - 2]!,
        axes.map(({ to }) => to),
        'nearest',
      )
    }
    throw fail.unsupported(
      `takes other pixels than "nearest" does here: coordinate_transformation_mode ${coordinates}, nearest_mode ${rounding}`,
    )
  }
  const ours = (o: number, size: number, to: number) => inside(((o + 0.5) * size) / to - 0.5, size)
  const isOurs = all((o, size, to, scale) => Math.abs(inside(place(coordinates, o, size, to, scale), size) - ours(o, size, to)) < 1e-4)
  if (!isOurs) throw fail.unsupported(`attribute coordinate_transformation_mode is "${coordinates}", understood is "half_pixel"`)
  const isWhole = axes.every(({ size, to }) => to % size === 0)
  if (isWhole)
    return apply(
      upsamples[rank - 2]!,
      axes.map(({ size, to }) => to / size),
      linear[rank - 3]!,
    )
  return apply(
    resizes[rank - 2]!,
    axes.map(({ to }) => to),
    linear[rank - 3]!,
  )
}

/** What changes the size of images. */
export const resizing: Readonly<Record<string, Operator>> = { Resize: resize, Upsample: resize }
