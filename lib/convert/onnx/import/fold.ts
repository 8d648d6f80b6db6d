import type { Call } from './call'
import { broadcastShape, broadcastTo, type Constant, gathered, isFloat, placesOf, stridesOf, type Whole, wholes } from './constant'
import { isConstant } from './importer'
import { product } from './view'

/** Most elements that one constant may be computed to. */
const MOST_ELEMENTS = 2 ** 28

type Folder = (call: Call) => Constant

/** Numbers of two constants, one by one. The batch goes with a factor of 1 alone. */
function pairs(call: Call, float: (a: number, b: number) => number, whole = float): Constant {
  const [a, b] = [call.constant(0), call.constant(1)]
  const shape = broadcastShape(a.shape, b.shape)
  if (!shape) throw call.fail.damaged(`constants of shapes [${a.shape}] and [${b.shape}]`)
  reserve(call, shape)
  const [left, right] = [broadcastTo(a, shape).data, broadcastTo(b, shape).data]
  if (left instanceof Float32Array && right instanceof Float32Array)
    return { shape, data: left.map((value, index) => float(value, right[index]!)) }
  if (left instanceof Float32Array || right instanceof Float32Array) throw call.fail.damaged('floats with whole numbers')
  const isScale = call.op === 'Mul' || call.op === 'Div'
  const data = left.map((value, index): Whole => {
    const other = right[index]!
    if (value !== null && other !== null) return whole(value, other)
    if (isScale && other === 1) return value
    if (call.op === 'Mul' && value === 1) return other
    throw call.fail.unsupported('computes with the size of the batch')
  })
  return { shape, data }
}

/** Refuses what would take too much memory, and counts what it takes. */
function reserve(call: Call, shape: readonly number[]): void {
  const count = product(shape)
  if (!(count <= MOST_ELEMENTS)) throw call.fail.unsupported(`a constant of shape [${shape.slice(0, 8)}]`)
  call.graph.spend(count, call.fail)
}

/** Sizes with one of -1 resolved, and those of 0 kept. */
function reshaped(call: Call, { shape, data }: Constant, target: readonly number[]): Constant {
  const isKept = call.attributes.int('allowzero', 0) === 0
  const kept = target.map((size, axis) => (size === 0 && isKept && shape[axis] !== undefined ? shape[axis]! : size))
  const others = product(kept.filter((size) => size !== -1))
  const sizes = kept.map((size) => (size === -1 ? data.length / others : size))
  const fits = sizes.every((size) => Number.isInteger(size) && size >= 0) && product(sizes) === data.length
  if (!fits) throw call.fail.damaged(`a constant of shape [${shape}] as [${target}]`)
  return { shape: sizes, data }
}

function concat(call: Call): Constant {
  const parts = call.inputs.map((_, index) => call.constant(index))
  const [first] = parts
  const rank = first?.shape.length ?? 0
  const axis = call.axis(call.attributes.int('axis', 0), rank)
  const fits = parts.every(
    (part) =>
      isFloat(part) === isFloat(first!) &&
      part.shape.length === rank &&
      part.shape.every((size, at) => at === axis || size === first!.shape[at]),
  )
  if (!fits) throw call.fail.damaged('constants that do not fit together')
  const shape = first!.shape.map((size, at) => (at === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : size))
  reserve(call, shape)
  const inner = product(shape.slice(axis + 1))
  const outer = product(shape.slice(0, axis))
  const rows = Array.from({ length: outer }, (_, row) =>
    parts.map(({ data, shape: own }) => data.slice(row * own[axis]! * inner, (row + 1) * own[axis]! * inner)),
  ).flat()
  if (!isFloat(first!)) return wholes((rows as Whole[][]).flat(), shape)
  const data = new Float32Array(product(shape))
  let at = 0
  for (const row of rows as Float32Array[]) {
    data.set(row, at)
    at += row.length
  }
  return { shape, data }
}

function gather(call: Call): Constant {
  const constant = call.constant(0)
  const { shape } = constant
  const axis = call.axis(call.attributes.int('axis', 0), shape.length)
  const indices = call.constant(1)
  const places = call.ints(1).map((place) => call.axis(place, shape[axis]!))
  const result = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)]
  reserve(call, result)
  const inner = product(shape.slice(axis + 1))
  return gathered(constant, result, (index) => {
    const row = Math.floor(index / inner)
    const outer = Math.floor(row / places.length)
    return (outer * shape[axis]! + places[row % places.length]!) * inner + (index % inner)
  })
}

/** Where a slice along an axis begins, how far it steps and how many it takes. */
export function sliceOf(size: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value < 0 ? value + size : value, low), high)
  const first = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1)
  const last = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1)
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) }
}

/** Starts, ends, axes and steps: attributes until operator set 10, inputs from then on. */
export function slices(call: Call, rank: number): { axis: number; start: number; end: number; step: number }[] {
  const isOld = call.opset < 10
  const read = (name: string, index: number) => (isOld ? call.attributes.ints(name, true) : call.has(index) ? call.ints(index) : undefined)
  const [starts, ends] = [read('starts', 1), read('ends', 2)]
  if (!starts || starts.length !== ends?.length) throw call.fail.damaged('starts and ends do not go together')
  const axes = read('axes', 3) ?? starts.map((_, index) => index)
  const steps = (isOld ? undefined : read('steps', 4)) ?? starts.map(() => 1)
  if (axes.length !== starts.length || steps.length !== starts.length || steps.includes(0))
    throw call.fail.damaged('axes and steps do not go together')
  return starts.map((start, index) => ({ axis: call.axis(axes[index]!, rank), start, end: ends[index]!, step: steps[index]! }))
}

function slice(call: Call): Constant {
  const constant = call.constant(0)
  const shape = [...constant.shape]
  const strides = stridesOf(constant.shape)
  let from = 0
  for (const { axis, start, end, step } of slices(call, shape.length)) {
    const { first, count } = sliceOf(constant.shape[axis]!, start, end, step)
    from += first * strides[axis]!
    strides[axis] = strides[axis]! * step
    shape[axis] = count
  }
  reserve(call, shape)
  return gathered(constant, shape, placesOf(shape, strides, from))
}

function transpose(call: Call): Constant {
  const constant = call.constant(0)
  const { shape } = constant
  const order = permutation(call, shape.length)
  const strides = stridesOf(shape)
  const result = order.map((axis) => shape[axis]!)
  reserve(call, result)
  return gathered(
    constant,
    result,
    placesOf(
      result,
      order.map((axis) => strides[axis]!),
    ),
  )
}

/** The order of axes that a Transpose gives; by default the other way round. */
export function permutation(call: Call, rank: number): number[] {
  const order = call.attributes.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  if (order.length === rank && [...order.keys()].every((axis) => order.includes(axis))) return order
  throw call.fail.damaged(`attribute perm is [${order.join(', ')}] for a tensor of ${rank} axes`)
}

/** The axes that Squeeze takes away. */
export function squeezedAxes(call: Call, shape: readonly (number | null)[]): number[] {
  const axes = call.list('axes', 1)?.map((axis) => call.axis(axis, shape.length))
  const isBatch = axes ? axes.some((axis) => shape[axis] === null) : call.graph.batch === 1 && shape.includes(null)
  if (isBatch) throw call.fail.unsupported('it takes the batch away')
  if (!axes) return shape.flatMap((size, axis) => (size === 1 ? [axis] : []))
  const long = axes.find((axis) => shape[axis] !== 1)
  if (long !== undefined) throw call.fail.damaged(`axis ${long} of [${shape.map((size) => size ?? 'N').join(', ')}] is not 1`)
  return axes
}

/** Axes of the result that Unsqueeze adds. */
export function addedAxes(call: Call, rank: number): number[] {
  const given = call.list('axes', 1)
  if (!given) throw call.fail.damaged('axes are missing')
  const axes = given.map((axis) => call.axis(axis, rank + given.length))
  if (new Set(axes).size !== axes.length) throw call.fail.damaged(`axes [${given.join(', ')}] appear twice`)
  return axes
}

function unsqueeze(call: Call): Constant {
  const { shape, data } = call.constant(0)
  const axes = addedAxes(call, shape.length)
  const rest = [...shape]
  return { shape: Array.from({ length: shape.length + axes.length }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)), data }
}

function cast(call: Call): Constant {
  const { shape, data } = call.constant(0)
  const isFloats = [1, 10, 11, 16].includes(call.attributes.int('to', 0))
  call.attributes.ignore('saturate')
  if (isFloats === data instanceof Float32Array) return { shape, data }
  if (data instanceof Float32Array) return { shape, data: Array.from(data, Math.trunc) }
  return { shape, data: Float32Array.from(data, (value) => value ?? Number.NaN) }
}

/** Sizes with 1 for the batch, and whether it is among them. */
function withoutBatch(call: Call, index: number): { shape: number[]; isRepeated: boolean } {
  const sizes = call.sizes(index)
  if (sizes.some((size) => size !== null && size < 0)) throw call.fail.damaged(`sizes [${sizes.slice(0, 8)}]`)
  return { shape: sizes.map((size) => size ?? 1), isRepeated: sizes.includes(null) }
}

function constantOfShape(call: Call): Constant {
  const { shape, isRepeated } = withoutBatch(call, 0)
  const value = call.attributes.tensor('value') ?? { shape: [1], data: new Float32Array(1) }
  if (value.data.length !== 1) throw call.fail.damaged(`a value of shape [${value.shape}]`)
  reserve(call, shape)
  return { ...gathered(value, shape, () => 0), ...(isRepeated && { isRepeated }) }
}

function expand(call: Call): Constant {
  const constant = call.constant(0, true)
  const { shape, isRepeated } = withoutBatch(call, 1)
  const result = broadcastShape(constant.shape, shape)
  if (!result) throw call.fail.damaged(`a constant of shape [${constant.shape}] to [${shape}]`)
  reserve(call, result)
  return { ...broadcastTo(constant, result), ...((isRepeated || constant.isRepeated) && { isRepeated: true }) }
}

const each =
  (float: (value: number) => number): Folder =>
  (call) => {
    const { shape, data } = call.constant(0)
    if (data instanceof Float32Array) return { shape, data: data.map(float) }
    return wholes(
      call.sizes(0).map((value) => (value === null ? null : float(value))),
      shape,
    )
  }

/** What is computed of constants, and so of shapes. */
export const folders: Readonly<Record<string, Folder>> = {
  Add: (call) => pairs(call, (a, b) => a + b),
  Sub: (call) => pairs(call, (a, b) => a - b),
  Mul: (call) => pairs(call, (a, b) => a * b),
  Div: (call) =>
    pairs(
      call,
      (a, b) => a / b,
      (a, b) => {
        if (b === 0) throw call.fail.damaged('divides by zero')
        return Math.trunc(a / b)
      },
    ),
  Neg: each((value) => -value),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Sqrt: each(Math.sqrt),
  Identity: (call) => call.constant(0),
  Cast: cast,
  Concat: concat,
  Gather: gather,
  Slice: slice,
  Transpose: transpose,
  Reshape: (call) => reshaped(call, call.constant(0), call.ints(1)),
  Squeeze: (call) => {
    const { shape, data } = call.constant(0)
    const gone = squeezedAxes(call, shape)
    return { shape: shape.filter((_, axis) => !gone.includes(axis)), data }
  },
  Unsqueeze: unsqueeze,
  ConstantOfShape: constantOfShape,
  Expand: expand,
}

/** Whether a node reads constants alone, and of a kind that is computed here. */
export const isFoldable = ({ op, inputs }: Call): boolean =>
  Object.hasOwn(folders, op) && inputs.length > 0 && inputs.every((operand) => operand === undefined || isConstant(operand))

export const fold: Folder = (call) => folders[call.op]!(call)
