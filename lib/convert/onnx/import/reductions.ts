import type { Layer } from '../../../layers/layer'
import type { Node } from '../../../layers/node'
import { rescale } from '../../../layers/normalize'
import { globalAveragePool1d, globalMaxPool1d } from '../../../layers/pool1d'
import { globalAveragePool2d, globalMaxPool2d } from '../../../layers/pool2d'
import { globalAveragePool3d, globalMaxPool3d } from '../../../layers/pool3d'
import { lastOrder } from '../arrange'
import type { Call, Operator } from './call'
import { longAxes, product, shapeOf, type View } from './view'

type Pool = (options: { readonly name?: string }) => Layer
const pools = {
  average: { 3: globalAveragePool1d, 4: globalAveragePool2d, 5: globalAveragePool3d },
  max: { 3: globalMaxPool1d, 4: globalMaxPool2d, 5: globalMaxPool3d },
} as unknown as Readonly<Record<'average' | 'max', Readonly<Record<number, Pool>>>>

/** The mean or the maximum over axes of the file, by the layer that pools over a whole image. */
export function reduce(call: Call, view: View, axes: readonly number[], kind: 'average' | 'max', keeps: boolean): View {
  const { arranger, fail } = call
  const rank = view.axes.length
  const kept = [...view.axes.keys()].filter((axis) => !axes.includes(axis))
  const batch = kept.filter((axis) => view.axes[axis]!.includes(0))
  if (batch.length === 0) throw fail.unsupported('it reduces the batch')
  const channels = kept.filter((axis) => axis !== batch[0])
  const isImage = rank >= 3 && rank <= 5 && axes.length === rank - 2 && kept.join() === '0,1'
  const lists = isImage ? lastOrder(rank).map((axis) => [axis]) : [batch, [...axes], channels]
  const node: Node = arranger.arranged(view, lists, fail)
  const pooled = call.layer(node, pools[kind][isImage ? rank : 3]!)
  const shape = shapeOf(view)
  const long = channels.filter((axis) => longAxes(view, view.axes[axis]!).length > 0)
  const whole =
    long.length > 1
      ? arranger.reshaped(
          pooled,
          long.map((axis) => shape[axis]!),
        )
      : pooled
  const groups = view.axes.map((_, axis) => (axis === batch[0] ? [0] : long.includes(axis) ? [1 + long.indexOf(axis)] : []))
  return { node: whole, axes: keeps ? groups : groups.filter((_, axis) => !axes.includes(axis)) }
}

const reduction =
  (kind: 'average' | 'max' | 'sum'): Operator =>
  (call) => {
    const view = call.view()
    const given = call.list('axes', 1) ?? []
    const keeps = call.attributes.int('keepdims', 1) !== 0
    const isNothing = given.length === 0 && call.attributes.int('noop_with_empty_axes', 0) !== 0
    if (isNothing) return view
    const rank = view.axes.length
    const axes = given.length > 0 ? given.map((axis) => call.axis(axis, rank)) : [...view.axes.keys()]
    if (new Set(axes).size !== axes.length) throw call.fail.damaged(`axes [${given.join(', ')}] appear twice`)
    const shape = shapeOf(view)
    const reduced = reduce(
      call,
      view,
      [...axes].sort((a, b) => a - b),
      kind === 'max' ? 'max' : 'average',
      keeps,
    )
    if (kind !== 'sum') return reduced
    const count = product(axes.map((axis) => shape[axis]!))
    return { node: call.layer(reduced.node, () => rescale({ scale: count })), axes: reduced.axes }
  }

/** What makes one number of many. */
export const reductions: Readonly<Record<string, Operator>> = {
  ReduceMean: reduction('average'),
  ReduceMax: reduction('max'),
  ReduceSum: reduction('sum'),
}
