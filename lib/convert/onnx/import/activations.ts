import * as layers from '../../../layers/activation'
import { dropout } from '../../../layers/dropout'
import type { Layer } from '../../../layers/layer'
import { add } from '../../../layers/merge'
import { rescale } from '../../../layers/normalize'
import { prelu } from '../../../layers/prelu'
import { lastOrder, permuted } from '../arrange'
import { shortest } from './attributes'
import type { Call, Operator } from './call'
import { type ErfOf, isView } from './importer'
import { longAxes, shapeOf, type View } from './view'

const plain =
  (make: (call: Call) => (named: { name?: string }) => Layer): Operator =>
  (call) =>
    call.elementwise(call.view(), make(call))

/** Over one axis of the file, or over all from there on. */
const over =
  (make: (named: { name?: string }) => Layer): Operator =>
  (call) => {
    const view = call.view()
    const rank = view.axes.length
    const axis = call.axis(call.attributes.int('axis', call.opset >= 13 ? -1 : 1), rank)
    const later = [...view.axes.keys()].slice(axis + 1).filter((other) => longAxes(view, view.axes[other]!).length > 0)
    if (call.opset < 13 && later.length > 0) throw call.fail.unsupported(`over the axes from ${axis} on together (operator sets below 13)`)
    if (view.axes[axis]!.includes(0)) throw call.fail.unsupported('over the batch')
    const last = call.arranger.last(view, axis, call.fail)
    return last.back(call.layer(last.node, make))
  }

/** The largest float32, which older exporters write for no bound. */
const MOST = 3.4028234e38

/** min(max(x, low), high). No number is shifted by a bound that is larger: what is small beside it would be lost. */
export function clipped(call: Call, view: View, low: number | undefined, high: number | undefined): View {
  const isBound = (value: number | undefined): value is number => value !== undefined && Math.abs(value) < MOST
  const least = view.node.origin?.layer.type === 'relu' ? 0 : Number.NEGATIVE_INFINITY
  const [from, to] = [Math.max(least, isBound(low) ? low : least), isBound(high) ? high : Number.POSITIVE_INFINITY]
  if (from === least && to === Number.POSITIVE_INFINITY) return view
  if (from > to) throw call.fail.unsupported(`bounds of ${from} and ${to}`)
  const line = (x: View, scale: number, offset: number): View =>
    scale === 1 && offset === 0 ? x : call.elementwise(x, () => rescale({ scale, offset }))
  const upTo = (max: number, named: object) =>
    max === Number.POSITIVE_INFINITY ? layers.relu(named) : layers.linearThreshold({ max, ...named })
  const width = to - from
  if (from >= 0)
    return line(
      call.elementwise(line(view, 1, -from), (named) => upTo(width, named)),
      1,
      from,
    )
  if (to <= 0)
    return line(
      call.elementwise(line(view, -1, to), (named) => upTo(width, named)),
      -1,
      to,
    )
  const above = call.elementwise(view, () => upTo(to, {}))
  const below = line(
    call.elementwise(line(view, -1, 0), () => upTo(-from, {})),
    -1,
    0,
  )
  return { node: call.layer([above.node, below.node], (named) => add(named)), axes: view.axes }
}

const clip: Operator = (call) => {
  const bound = (index: number, name: string): number | undefined => {
    if (call.opset < 11) return call.attributes.has(name) ? call.attributes.float(name, 0) : undefined
    if (!call.has(index)) return undefined
    const { data } = call.floats(index)
    if (data.length !== 1 || Number.isNaN(data[0]!)) throw call.fail.damaged(`its bound "${call.proto.input[index]}" is not one number`)
    return shortest(data[0]!)
  }
  return clipped(call, call.view(), bound(1, 'min'), bound(2, 'max'))
}

/** max(0, min(1, alpha · x + beta)). */
const hardSigmoid: Operator = (call) => {
  const [alpha, beta] = [call.attributes.float('alpha', 0.2), call.attributes.float('beta', 0.5)]
  const view = call.view()
  if (Math.fround(alpha) === Math.fround(1 / 6) && beta === 0.5) return call.elementwise(view, (named) => layers.hardSigmoid(named))
  const line = call.elementwise(view, () => rescale({ scale: alpha, offset: beta }))
  return call.elementwise(line, (named) => layers.linearThreshold({ max: 1, ...named }))
}

const selu: Operator = (call) => {
  const [alpha, gamma] = [call.attributes.float('alpha', 1.6732632), call.attributes.float('gamma', 1.050701)]
  const isOurs = Math.abs(alpha - 1.67326324) < 1e-5 && Math.abs(gamma - 1.05070098) < 1e-5
  if (!isOurs) throw call.fail.unsupported(`alpha ${alpha} and gamma ${gamma}, understood are those of the paper`)
  return call.elementwise(call.view(), (named) => layers.selu(named))
}

/** Slopes are aligned with the last axes of the file, or with those from the channels on where there are as many of them. */
const parametric: Operator = (call) => {
  const view = call.view()
  const slopes = call.floats(1)
  const rank = view.axes.length
  const shape = [...new Array<number>(Math.max(0, rank - slopes.shape.length)).fill(1), ...slopes.shape]
  const sizes = shapeOf(view)
  const fits = shape.length === rank && shape[0] === 1 && shape.every((size, axis) => size === 1 || size === sizes[axis])
  if (!fits) throw call.fail.unsupported(`slopes of shape [${slopes.shape}] for [${sizes.map((size) => size ?? 'N')}]`)
  const node = call.arranger.channelsLast(view, call.fail)
  const order = lastOrder(rank)
  const own = order.slice(1).map((axis) => shape[axis]!)
  const isPerChannel = own.every((size, index) => size === (index === own.length - 1 ? node.shape.at(-1) : 1))
  const sharedAxes = own.flatMap((size, index) => (size === 1 ? [index + 1] : []))
  const weights = {
    key: JSON.stringify([call.op, call.proto.input[1]]),
    from: [call.proto.input[1]!],
    fills: { alpha: () => permuted(slopes.data, shape, order) },
  }
  return call.arranger.channelsFirst(call.layer(node, (named) => prelu({ ...(!isPerChannel && { sharedAxes }), ...named }), weights))
}

/** Of x / √2, on the way to a gelu. */
const erf: Operator = (call): ErfOf => {
  const { node, axes } = call.view()
  const origin = node.origin
  const config = origin?.layer.type === 'rescale' ? origin.layer.config() : {}
  const isHalf = typeof config.scale === 'number' && Math.abs(config.scale - Math.SQRT1_2) < 1e-6 && config.offset === 0
  if (!isHalf) throw call.fail.unsupported('is understood as part of a gelu alone, x · (1 + erf(x / √2)) / 2')
  return { erfOf: { node: origin!.nodes[0]!, axes }, plusOne: false }
}

/** In training a share is left out; ratio as an attribute until operator set 12. */
const drop: Operator = (call) => {
  call.attributes.ignore('seed')
  const view = call.view()
  if (call.has(2) && call.constant(2).data[0]) throw call.fail.unsupported('input 2 "training_mode" is true')
  const given = call.opset >= 12 ? (call.has(1) ? call.floats(1).data[0] : undefined) : call.attributes.float('ratio', 0.5)
  const rate = given === undefined ? 0.5 : shortest(given)
  return rate === 0 ? view : call.elementwise(view, (named) => dropout(rate, named))
}

/** x · f(x), where that is a layer of its own: f's type and its. */
const selfGated: Readonly<Record<string, (named: { name?: string }) => Layer>> = {
  sigmoid: (named) => layers.silu(named),
  hardSigmoid: (named) => layers.hardSwish(named),
}

/** A product that is one activation: of x and what an activation made of it. Nothing where it is none. */
export function activationOf(call: Call, a: View, b: View): View | undefined {
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ] as const) {
    const origin = gate.node.origin
    if (origin?.nodes[0] !== x.node || JSON.stringify(x.axes) !== JSON.stringify(gate.axes)) continue
    const make = Object.hasOwn(selfGated, origin.layer.type) ? selfGated[origin.layer.type] : undefined
    if (make) return call.elementwise(x, make)
  }
  return undefined
}

/** x · (1 + erf(x / √2)), with the half of it that x may have before. */
export function geluOf(call: Call, { erfOf, plusOne }: ErfOf, other: View): View {
  if (plusOne && isView(other)) {
    if (other.node === erfOf.node) {
      const made = call.elementwise(erfOf, (named) => layers.gelu(named))
      return { node: call.graph.layer([made.node], '', () => rescale({ scale: 2 })), axes: made.axes }
    }
    const origin = other.node.origin
    const config = origin?.layer.type === 'rescale' && origin.nodes[0] === erfOf.node ? origin.layer.config() : {}
    if (config.scale === 0.5 && config.offset === 0) return call.elementwise(erfOf, (named) => layers.gelu(named))
  }
  throw call.fail.unsupported('an erf outside of a gelu')
}

/** Functions of each element, and what goes with them. */
export const activations: Readonly<Record<string, Operator>> = {
  Relu: plain(() => layers.relu),
  Sigmoid: plain(() => layers.sigmoid),
  Tanh: plain(() => layers.tanh),
  Softplus: plain(() => layers.softplus),
  Softsign: plain(() => layers.softsign),
  HardSwish: plain(() => layers.hardSwish),
  Mish: plain(() => layers.mish),
  Selu: selu,
  HardSigmoid: hardSigmoid,
  Clip: clip,
  PRelu: parametric,
  Erf: erf,
  Dropout: drop,
  LeakyRelu: plain(({ attributes }) => {
    const slope = attributes.float('alpha', 0.01)
    return (named) => layers.leakyRelu({ slope, ...named })
  }),
  Elu: plain(({ attributes }) => {
    const alpha = attributes.float('alpha', 1)
    return (named) => layers.elu({ alpha, ...named })
  }),
  Celu: plain(({ attributes, fail }) => {
    const alpha = attributes.float('alpha', 1)
    if (alpha !== 1) throw fail.unsupported(`attribute alpha is ${alpha}, understood is 1`)
    return layers.elu
  }),
  Swish: plain(({ attributes, fail }) => {
    const alpha = attributes.float('alpha', 1)
    if (alpha !== 1) throw fail.unsupported(`attribute alpha is ${alpha}, understood is 1`)
    return layers.silu
  }),
  Gelu: plain(({ attributes }) => {
    const approximate = attributes.choice('approximate', 'none', ['none', 'tanh'])
    return (named) => layers.gelu({ approximate, ...named })
  }),
  Softmax: over(layers.softmax),
  LogSoftmax: over(layers.logSoftmax),
}
