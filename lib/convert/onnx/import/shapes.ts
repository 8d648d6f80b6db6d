import { crop1d, crop2d, crop3d, zeroPad1d, zeroPad2d, zeroPad3d } from '../../../layers/border'
import type { Layer } from '../../../layers/layer'
import { concat } from '../../../layers/merge'
import type { Node } from '../../../layers/node'
import { averagePool2d } from '../../../layers/pool2d'
import { lastOrder } from '../arrange'
import type { Call, Operator } from './call'
import { isFloat, wholes } from './constant'
import { addedAxes, fold, permutation, sliceOf, slices, squeezedAxes } from './fold'
import { isConstant } from './importer'
import { nearestIndices, resizedAlong } from './resize'
import { longAxes, product, type Size, shapeOf, type View } from './view'

/** For constants as for tensors. */
const either =
  (ofView: (call: Call, view: View) => View | readonly View[]): Operator =>
  (call) =>
    isConstant(call.operand(0)) ? fold(call) : ofView(call, call.view())

const text = (shape: readonly Size[]) => `[${shape.map((size) => size ?? 'N').join(', ')}]`

/** The sizes that a Reshape asks for: `null` where the batch is, all others known. */
function target(call: Call, shape: readonly Size[], wanted: readonly Size[]): Size[] {
  const count = product(shape.map((size) => size ?? 1))
  const sizes = wanted.map((size, axis) => (size === 0 ? (shape[axis] === undefined ? 0 : shape[axis]!) : size))
  const known = product(sizes.map((size) => (size === null || size === -1 ? 1 : size)))
  const open = sizes.filter((size) => size === -1).length
  const refuse = () =>
    call.fail.unsupported(`${text(shape)} as ${text(wanted)}: it mixes the batch with other axes, or the sizes do not go together`)
  if (open > 1 || sizes.some((size) => size !== null && (size < -1 || size === 0))) throw refuse()
  if (sizes.filter((size) => size === null).length > 1) throw refuse()
  if (sizes.includes(null)) {
    const rest = count / known
    if (!Number.isInteger(rest) || (open === 0 && rest !== 1)) throw refuse()
    return sizes.map((size) => (size === -1 ? rest : size))
  }
  const { batch } = call.graph
  const rest = count / (known / (batch ?? Number.NaN))
  const isFixed = sizes[0] === batch && Number.isInteger(rest) && (open === 1 || rest === 1)
  if (isFixed) return sizes.map((size, axis) => (axis === 0 ? null : size === -1 ? rest : size))
  if (open === 1 && known === count) return sizes.map((size) => (size === -1 ? null : size))
  throw refuse()
}

const reshape = either((call, view) => {
  if (call.attributes.int('allowzero', 0) !== 0 && call.sizes(1).includes(0)) throw call.fail.unsupported('a tensor of no elements')
  return call.arranger.reshape(view, target(call, shapeOf(view), call.sizes(1)), call.fail)
})

const flatten: Operator = (call) => {
  const view = call.view()
  const shape = shapeOf(view)
  const given = call.attributes.int('axis', 1)
  const axis = given === shape.length ? given : call.axis(given, shape.length)
  const [before, after] = [shape.slice(0, axis), shape.slice(axis)]
  if (!before.includes(null) || product(before.map((size) => size ?? 1)) !== 1)
    throw call.fail.unsupported('it mixes the batch with other axes')
  return call.arranger.reshape(view, [null, product(after as number[])], call.fail)
}

const transpose = either((call, view) => ({ node: view.node, axes: permutation(call, view.axes.length).map((axis) => view.axes[axis]!) }))

const squeeze = either((call, view) => {
  const gone = squeezedAxes(call, shapeOf(view))
  return { node: view.node, axes: view.axes.filter((_, axis) => !gone.includes(axis)) }
})

const unsqueeze = either((call, view) => {
  const axes = addedAxes(call, view.axes.length)
  const rest = [...view.axes]
  return {
    node: view.node,
    axes: Array.from({ length: view.axes.length + axes.length }, (_, axis) => (axes.includes(axis) ? [] : rest.shift()!)),
  }
})

const shapeOperator: Operator = (call) => {
  const operand = call.operand(0)
  const shape = isConstant(operand) ? operand.shape : call.shape()
  const [start, end] = [call.attributes.int('start', 0), call.attributes.int('end', shape.length)]
  return wholes(shape.slice(start, end))
}

/** Side by side along an axis of the file. */
const join: Operator = (call) => {
  const operands = call.inputs.map((_, index) => call.operand(index))
  if (operands.every(isConstant)) return fold(call)
  const views = operands.map((_, index) => call.view(index))
  const [first] = views
  const rank = first!.axes.length
  if (views.length === 1) return first!
  const axis = call.axis(call.attributes.int('axis', 1), rank)
  if (views.some((view) => view.axes.length !== rank)) throw call.fail.damaged('tensors with different numbers of axes')
  if (first!.axes[axis]!.includes(0)) throw call.fail.unsupported('along the batch')
  const order = axis === 1 ? lastOrder(rank) : [...first!.axes.keys()].filter((other) => other !== axis).concat(axis)
  const nodes = views.map((view) =>
    call.arranger.arranged(
      view,
      order.map((one) => [one]),
      call.fail,
    ),
  )
  return { node: call.layer(nodes, (named) => concat(named)), axes: order.map((_, one) => [order.indexOf(one)]) }
}

type Border = readonly [number, number]
const crops: Readonly<Record<number, (sides: never, named: object) => Layer>> = { 3: crop1d, 4: crop2d, 5: crop3d }
const pads: Readonly<Record<number, (sides: never, named: object) => Layer>> = { 3: zeroPad1d, 4: zeroPad2d, 5: zeroPad3d }

/** Cuts off, or adds zeros, on both sides of axes of the file: at once where these are those of an image, else one after another. */
function border(call: Call, view: View, sides: ReadonlyMap<number, Border>, kind: 'crop' | 'pad'): View {
  const changed = [...sides].filter(([, [before, after]]) => before > 0 || after > 0)
  if (changed.length === 0) return view
  const { length: rank } = view.node.shape
  const makers = kind === 'crop' ? crops : pads
  const places = changed.map(([axis]) => longAxes(view, view.axes[axis]!))
  if (rank >= 3 && places.every(([at, ...more]) => at !== undefined && at < rank - 1 && more.length === 0)) {
    const all = Array.from({ length: rank - 2 }, (_, axis): Border => changed[places.findIndex(([at]) => at === axis + 1)]?.[1] ?? [0, 0])
    return { node: call.layer(view.node, (named) => makers[rank]!((rank === 3 ? all[0] : all) as never, named)), axes: view.axes }
  }
  return changed.reduce((now, [axis, both]) => {
    const make = (node: Node) => call.layer(node, (named) => makers[4]!([[0, 0], both] as never, named))
    return call.arranger.along(now, axis, make, call.fail)
  }, view)
}

/** So many places of an axis from the first on, every `step`-th of them. */
function taken(call: Call, view: View, axis: number, first: number, count: number, step: number): View {
  const size = shapeOf(view)[axis]!
  const end = first + (count - 1) * step + 1
  const cropped = border(call, view, new Map([[axis, [first, size - end]]]), 'crop')
  if (step === 1) return cropped
  return call.arranger.along(
    cropped,
    axis,
    (node) => call.layer(node, (named) => averagePool2d(1, { stride: [1, step], ...named })),
    call.fail,
  )
}

const slice = either((call, view) => {
  const shape = shapeOf(view)
  const cuts = slices(call, shape.length).map(({ axis, start, end, step }) => {
    const size = shape[axis]!
    if (size === null) {
      if (start === 0 && end >= 2 ** 24 && step === 1) return { axis, first: 0, count: 0, step: 0, size: 0 }
      throw call.fail.unsupported('along the batch')
    }
    return { axis, ...sliceOf(size, start, end, step), step, size }
  })
  if (new Set(cuts.map(({ axis }) => axis)).size !== cuts.length) throw call.fail.damaged('an axis appears twice')
  const along = cuts.filter(({ size }) => size > 0)
  if (along.some(({ count }) => count === 0)) throw call.fail.unsupported('nothing is left')
  if (along.some(({ step }) => step < 0)) throw call.fail.unsupported('backwards')
  const whole = along.filter(({ step }) => step === 1)
  const sides = new Map(whole.map(({ axis, first, count, size }): [number, Border] => [axis, [first, size - first - count]]))
  const cropped = border(call, view, sides, 'crop')
  return along
    .filter(({ step }) => step > 1)
    .reduce((now, { axis, first, count, step }) => taken(call, now, axis, first, count, step), cropped)
})

const split: Operator = (call) => {
  const view = call.view()
  const shape = shapeOf(view)
  const axis = call.axis(call.attributes.int('axis', 0), shape.length)
  const size = shape[axis]!
  if (size === null) throw call.fail.unsupported('along the batch')
  const parts = call.attributes.int('num_outputs', call.proto.output.length)
  const each = Math.ceil(size / parts)
  const even = Array.from({ length: parts }, (_, index) => Math.min(each, size - index * each))
  const sizes = call.list('split', 1) ?? even
  if (sizes.reduce((sum, one) => sum + one, 0) !== size || sizes.some((one) => one < 1))
    throw call.fail.damaged(`parts [${sizes}] of ${size}`)
  let start = 0
  return sizes.map((one) => {
    start += one
    return taken(call, view, axis, start - one, one, 1)
  })
}

/** Zeros around: `pads` as an attribute until operator set 10. */
const pad: Operator = (call) => {
  const view = call.view()
  const rank = view.axes.length
  call.attributes.choice('mode', 'constant', ['constant'])
  const value = call.opset < 11 ? call.attributes.float('value', 0) : call.has(2) ? call.floats(2).data[0] : 0
  if (value !== 0) throw call.fail.unsupported(`pads with ${value}, understood is 0`)
  const given = call.opset < 11 ? (call.attributes.ints('pads') ?? []) : call.ints(1)
  const axes = (call.has(3) ? call.ints(3) : [...view.axes.keys()]).map((axis) => call.axis(axis, rank))
  if (given.length !== 2 * axes.length) throw call.fail.damaged(`pads [${given}] for ${axes.length} axes`)
  if (given.some((count) => count < 0 || count > 2 ** 24)) throw call.fail.unsupported(`pads [${given}]: understood are 0 to 2^24`)
  const sides = axes.map((axis, index): [number, Border] => [axis, [given[index]!, given[index + axes.length]!]])
  return border(call, view, new Map(sides), 'pad')
}

/** One place of an axis, or neighbours, or the nearest ones when an axis gets another size. */
const gather = either((call, view) => {
  const shape = shapeOf(view)
  const axis = call.axis(call.attributes.int('axis', 0), shape.length)
  const size = shape[axis]!
  const indices = call.constant(1)
  if (size === null || isFloat(indices)) throw call.fail.unsupported('along the batch')
  const places = call.ints(1).map((place) => call.axis(place, size))
  const [first] = places
  if (first === undefined || indices.shape.length > 1) throw call.fail.unsupported(`indices of shape [${indices.shape}]`)
  const isRow = places.every((place, index) => place === first + index)
  if (indices.shape.length === 0) {
    const one = taken(call, view, axis, first, 1, 1)
    return { node: one.node, axes: one.axes.filter((_, index) => index !== axis) }
  }
  if (isRow) return taken(call, view, axis, first, places.length, 1)
  if (nearestIndices(size, places.length).join() === places.join()) return resizedAlong(call, view, axis, places.length)
  throw call.fail.unsupported('indices that are neither neighbours nor the nearest ones of another size')
})

/** Views of what there is, and what cuts and joins. */
export const shapes: Readonly<Record<string, Operator>> = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Identity: either((_, view) => view),
  Shape: shapeOperator,
  Concat: join,
  Slice: slice,
  Split: split,
  Pad: pad,
  Gather: gather,
  Cast: either((call, view) => {
    call.attributes.ignore('saturate')
    const to = call.attributes.int('to', 0)
    if ([1, 10, 11, 16].includes(to)) return view
    throw call.fail.unsupported(`to elements of type number ${to}`)
  }),
}
