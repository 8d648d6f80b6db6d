import type { Value } from '../../graph/value'
import type { Sides } from '../../ops/pad'
import { firstOrder } from './arrange'
import { attributesOf, inexpressible, type Operator, sizeOf } from './operator'
import { dataTypes } from './schema'
import { type Form, int, ints, text, type Writer } from './writer'

/** Where axis of a tensor with the channels behind lies in the form. */
const placeOf = (axis: number, rank: number, form: Form) => (form === 'first' ? firstOrder(rank).indexOf(axis) : axis)

/** Whether the elements lie in another order where the channels are before the others: not where these, or all others, have size 1. */
function orderMatters({ shape }: Value): boolean {
  return shape.at(-1) !== 1 && shape.slice(1, -1).some((size) => size !== 1)
}

/**
 * What lies around the axes, by Pad with all axes named: ONNX Runtime makes one without names the padding of a pooling behind it, where zeros are not what they were
 * (PadFusion), and loses its way among some names when it moves a transposition through it.
 */
export function framed(w: Writer, from: string, sides: Sides, value = 0, mode = 'constant'): string {
  const pads = [0, 1].flatMap((side) => sides.map((both) => both[side]!))
  const filler = mode === 'constant' && value !== 0 ? w.number(value) : ''
  return w.node('Pad', [from, w.integers(pads), filler, w.integers([...sides.keys()])], { mode: text(mode) })
}

/** The ops that move elements, or make them. */
export const shapeOperators: Readonly<Record<string, Operator>> = {
  reshape(w, { inputs: [x], outputs: [y] }) {
    const from = orderMatters(x!) ? w.get(x!, 'last') : w.get(x!, w.formOf(x!))
    w.set(y!, 'last', w.node('Reshape', [from, w.shape(y!.shape, -1)]))
  },
  transpose(w, node) {
    const { permutation } = attributesOf<{ permutation: number[] }>(node)
    w.isPermuted = true
    w.set(node.outputs[0]!, 'last', w.node('Transpose', [w.get(node.inputs[0]!, 'last')], { perm: ints(permutation) }))
  },
  broadcastTo(w, node) {
    const [x, y] = [node.inputs[0]!, node.outputs[0]!]
    if (node.attributes.mean) throw inexpressible(node, 'divides what it repeats')
    const isAlongBatch = y.shape[0] === null && (x.shape.length < y.shape.length || x.shape[0] !== null)
    const shape = isAlongBatch ? w.batched(y.shape) : w.shape(y.shape, 1)
    w.set(y, 'last', w.node('Expand', [w.get(x, 'last'), shape]))
  },
  concat(w, { inputs, outputs: [y], attributes }) {
    const rank = y!.shape.length
    const axis = (attributes.axis as number | undefined) ?? rank - 1
    const form: Form = inputs.some((x) => w.has(x!, 'first')) ? 'first' : 'last'
    const parts = inputs.map((x) => w.get(x!, form))
    w.set(y!, form, w.node('Concat', parts, { axis: int(placeOf(axis, rank, form)) }))
  },
  slice(w, { inputs: [x], outputs: [y], attributes }) {
    const rank = y!.shape.length
    const form = w.formOf(x!)
    const start = Array.isArray(attributes.start)
      ? (attributes.start as number[])
      : x!.shape.map((_, axis) => (axis === rank - 1 ? Number(attributes.start) : 0))
    const cut = start.map((_, axis) => axis).filter((axis) => x!.shape[axis] !== y!.shape[axis])
    if (cut.length === 0) return w.set(y!, form, w.node('Identity', [w.get(x!, form)]))
    const [starts, ends] = [cut.map((axis) => start[axis]!), cut.map((axis) => start[axis]! + y!.shape[axis]!)]
    const axes = cut.map((axis) => placeOf(axis, rank, form))
    w.set(y!, form, w.node('Slice', [w.get(x!, form), w.integers(starts), w.integers(ends), w.integers(axes)]))
  },
  pad(w, node) {
    const [x, y] = [node.inputs[0]!, node.outputs[0]!]
    const { padding, mode, value } = attributesOf<{ padding: Sides; mode: string; value: number }>(node)
    const form = w.formOf(x)
    const sides = form === 'first' ? firstOrder(padding.length).map((axis) => padding[axis]!) : padding
    w.set(y, form, framed(w, w.get(x, form), sides, value, mode))
  },
  gather(w, { inputs: [x, indices], outputs: [y], attributes }) {
    w.set(y!, 'last', w.node('Gather', [w.get(x!, 'last'), w.get(indices!, 'last')], { axis: int(Number(attributes.axis)) }))
  },
  oneHot(w, { inputs: [indices], outputs: [y], attributes }) {
    const whole = w.node('Cast', [w.get(indices!, 'last')], { to: int(dataTypes.int64) })
    w.set(y!, 'last', w.node('OneHot', [whole, w.integers([Number(attributes.depth)]), w.floats([0, 1])]))
  },
  fill(w, { outputs: [y], attributes }) {
    const value = Number(attributes.value)
    const made =
      y!.shape[0] === null
        ? w.node('Expand', [w.number(value), w.batched(y!.shape)])
        : w.floats(new Float32Array(sizeOf(y!.shape)).fill(value), y!.shape as number[])
    w.set(y!, 'last', made)
  },
}
