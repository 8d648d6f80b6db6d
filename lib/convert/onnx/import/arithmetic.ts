import { add, multiply } from '../../../layers/merge'
import type { Node } from '../../../layers/node'
import { rescale } from '../../../layers/normalize'
import { activationOf, clipped, geluOf } from './activations'
import { inOrder } from './arranger'
import { shortest } from './attributes'
import type { Call, Operator } from './call'
import type { Constant } from './constant'
import { fold } from './fold'
import { type ErfOf, isConstant, isView, type Operand } from './importer'
import { longAxes, type Size, shapeOf, type View } from './view'

type Word = 'Add' | 'Sub' | 'Mul' | 'Div'

/** The one axis of the file along which a constant has more than one number, aligned with the last axes; -1 where it is one number, none where there are several axes. */
function axisOf({ shape }: Constant, rank: number): number | undefined {
  const long = shape.flatMap((size, axis) => (size > 1 ? [axis + rank - shape.length] : []))
  return long.length > 1 || shape.length > rank ? undefined : (long[0] ?? -1)
}

/** What x · scale + offset is for an operator and its constant; `first`: whether the constant is the first operand. */
function lineOf(call: Call, op: Word, first: boolean, numbers: readonly number[]): { scale: readonly number[]; offset: readonly number[] } {
  const minus = numbers.map((value) => -value)
  if (op === 'Add') return { scale: [1], offset: numbers }
  if (op === 'Mul') return { scale: numbers, offset: [0] }
  if (op === 'Sub') return first ? { scale: [-1], offset: numbers } : { scale: [1], offset: minus }
  if (first) throw call.fail.unsupported('a constant divided by a tensor')
  return { scale: numbers.map((value) => 1 / value), offset: [0] }
}

/** A tensor and a constant: a bias, where what made the tensor has none yet, else numbers that are not trained. */
function withConstant(call: Call, op: Word, view: View, index: number, constant: Constant): Operand {
  const other = 1 - index
  const biasable = op === 'Add' && call.isAlone(other) ? call.graph.biasable.get(view.node) : undefined
  const biased = biasable?.withBias(constant, call.proto.input[index]!)
  if (biased) return biased
  const rank = view.axes.length
  const axis = axisOf(constant, rank)
  if (!(constant.data instanceof Float32Array) || axis === undefined) {
    throw call.fail.unsupported(
      `with a constant of shape [${constant.shape}]: understood is one number, one for each place of an axis, or a bias`,
    )
  }
  const data = constant.data
  if (axis < 0) return linear(call, view, other, lineOf(call, op, index === 0, Array.from(data, shortest)))
  const size = shapeOf(view)[axis]
  if (size !== data.length)
    throw call.fail.damaged(`a constant of shape [${constant.shape}] for [${shapeOf(view).map((one) => one ?? 'N')}]`)
  call.graph.spend(data.length * 4, call.fail)
  const last = call.arranger.last(view, axis, call.fail)
  const numbers = Array.from(inOrder(data, [data.length], 0, last), shortest)
  return last.back(linear(call, { node: last.node, axes: [] }, other, lineOf(call, op, index === 0, numbers)).node)
}

/** x · scale + offset as a layer; with the layer that scaled x before, where nothing else reads that. */
function linear(call: Call, view: View, index: number, line: { scale: readonly number[]; offset: readonly number[] }): View {
  const { node } = view
  const before = node.origin?.layer.type === 'rescale' && call.isAlone(index) ? node.origin : undefined
  const config = before?.layer.config() as { scale: number | readonly number[]; offset: number | readonly number[] } | undefined
  const option = (values: readonly number[]) => (values.length === 1 ? values[0]! : values)
  if (before && config?.offset === 0) {
    const isOffset = line.scale.length === 1 && line.scale[0] === 1
    if (isOffset) {
      call.graph.release(node)
      const scale = config.scale
      return { node: call.layer(before.nodes[0]!, (named) => rescale({ scale, offset: option(line.offset), ...named })), axes: view.axes }
    }
    const isScale = line.scale.length === 1 && line.offset[0] === 0 && typeof config.scale === 'number'
    if (isScale && line.scale[0]! * (config.scale as number) === 1) return { node: before.nodes[0]!, axes: view.axes }
  }
  return call.elementwise(view, (named) => rescale({ scale: option(line.scale), offset: option(line.offset), ...named }))
}

const aligned = (view: View, rank: number): View => ({
  node: view.node,
  axes: [...Array.from({ length: rank - view.axes.length }, () => []), ...view.axes],
})

/** Two tensors, sizes of 1 repeated. */
function joined(call: Call, a: View, b: View, make: (named: { name?: string }) => ReturnType<typeof add>): View {
  if (JSON.stringify(a.axes) === JSON.stringify(b.axes) && a.node.shape.join() === b.node.shape.join()) {
    return { node: call.layer([a.node, b.node], make), axes: a.axes }
  }
  const rank = Math.max(a.axes.length, b.axes.length)
  const [left, right] = [aligned(a, rank), aligned(b, rank)]
  const [leftShape, rightShape] = [shapeOf(left), shapeOf(right)]
  const shape = leftShape.map((size, axis): Size => (size === 1 ? rightShape[axis]! : size))
  const fits = (sizes: readonly Size[]) => sizes.every((size, axis) => size === 1 || size === shape[axis])
  if (!fits(leftShape) || !fits(rightShape)) {
    const text = (sizes: readonly Size[]) => `[${sizes.map((size) => size ?? 'N').join(', ')}]`
    throw call.fail.damaged(`shapes ${text(leftShape)} and ${text(rightShape)} do not go together`)
  }
  const isWhole = (view: View) => view.axes.every((group, axis) => longAxes(view, group).length > 0 || shape[axis] === 1)
  const order = call.arranger.orderFor(isWhole(left) ? left : right)
  const lists = order.map((axis) => [axis])
  const sizes = order.slice(1).map((axis) => shape[axis]!)
  const nodes = [left, right].map((view): Node => call.arranger.repeated(call.arranger.arranged(view, lists, call.fail), sizes))
  return { node: call.layer(nodes, make), axes: order.map((_, axis) => [order.indexOf(axis)]) }
}

const sum = (call: Call, a: View, b: View) => joined(call, a, b, (named) => add(named))

const binary =
  (op: Word): Operator =>
  (call) => {
    const [a, b] = [call.operand(0), call.operand(1)]
    if (isConstant(a) && isConstant(b)) return fold(call)
    const erf = [a, b].find((one): one is ErfOf => !isView(one) && !isConstant(one))
    if (erf) return ofErf(call, op, erf, a === erf ? b : a)
    if (isConstant(b)) return withConstant(call, op, a as View, 1, b)
    if (isConstant(a)) return withConstant(call, op, b as View, 0, a)
    const [left, right] = [a as View, b as View]
    if (op === 'Add') return sum(call, left, right)
    if (op === 'Mul') return activationOf(call, left, right) ?? joined(call, left, right, (named) => multiply(named))
    if (op === 'Sub') return sum(call, left, { node: call.graph.layer([right.node], '', () => rescale({ scale: -1 })), axes: right.axes })
    throw call.fail.unsupported('a tensor divided by a tensor')
  }

function ofErf(call: Call, op: Word, erf: ErfOf, other: Operand): Operand {
  if (op === 'Add' && isConstant(other) && other.data.length === 1 && other.data[0] === 1) return { ...erf, plusOne: true }
  if (op === 'Mul' && isView(other)) return geluOf(call, erf, other)
  throw call.fail.unsupported('an erf outside of a gelu')
}

/** Min and Max with one number: a bound. */
const bound =
  (isLow: boolean): Operator =>
  (call) => {
    const operands = call.inputs.map((_, index) => call.operand(index))
    const views = operands.filter(isView)
    const numbers = operands.filter(isConstant).flatMap(({ data }) => Array.from(data, (value) => shortest(Number(value))))
    if (views.length !== 1 || numbers.length !== operands.length - 1 || numbers.length === 0) {
      throw call.fail.unsupported('understood is a tensor with one number')
    }
    return isLow ? clipped(call, views[0]!, Math.max(...numbers), undefined) : clipped(call, views[0]!, undefined, Math.min(...numbers))
  }

const total: Operator = (call) => {
  const [first, ...others] = call.inputs.map((_, index) => call.view(index))
  if (!first) throw call.fail.damaged('has no inputs')
  return others.reduce((all, other) => sum(call, all, other), first)
}

const negative: Operator = (call) =>
  isConstant(call.operand(0)) ? fold(call) : call.elementwise(call.view(), (named) => rescale({ scale: -1, ...named }))

/** What joins two tensors, element by element. */
export const arithmetic: Readonly<Record<string, Operator>> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div'),
  Max: bound(true),
  Min: bound(false),
  Sum: total,
  Neg: negative,
}
