import { flatten } from '../../../layers/flatten'
import type { Layer } from '../../../layers/layer'
import type { Node } from '../../../layers/node'
import { permute, reshape } from '../../../layers/reshape'
import { upsample2d } from '../../../layers/upsample'
import { lastOrder, permuted } from '../arrange'
import type { Failure } from './failure'
import { longAxes, plainView, product, refine, type Size, shapeOf, type View, viewInOrder } from './view'

/** Most axes of one sample that layers have. */
const MOST_AXES = 4

/** A node with an axis of the file's tensor as its last one, whose numbers may be in another order than the file has them. */
export interface Last {
  readonly node: Node
  /** Sizes that the axis is made of, in the file's order, and where each of these is in the node's. */
  readonly sizes: readonly number[]
  readonly order: readonly number[]
  /** The view of what a layer made of the node, its shape kept. */
  readonly back: (node: Node) => View
}

/** Puts views into the order that layers need, by layers that move elements where they must. The same order of the same node is made once. */
export class Arranger {
  readonly #made = new Map<Node, Map<string, Node>>()

  #once(node: Node, key: string, make: () => Layer): Node {
    const own = this.#made.get(node) ?? new Map<string, Node>()
    this.#made.set(node, own)
    const found = own.get(key) ?? make().apply(node)
    own.set(key, found)
    return found
  }

  /** The node with the sample's sizes: the same elements in the same order. */
  reshaped(node: Node, sizes: readonly number[]): Node {
    const now = node.shape.slice(1)
    if (now.length === sizes.length && now.every((size, axis) => size === sizes[axis])) return node
    const before = node.origin?.layer.type === 'reshape' || node.origin?.layer.type === 'flatten' ? node.origin.nodes[0]! : node
    if (before !== node) return this.reshaped(before, sizes)
    return this.#once(node, `shape ${sizes}`, () => (sizes.length === 1 ? flatten() : reshape(sizes)))
  }

  /** Whether {@link arranged} would move elements. */
  moves(view: View, lists: readonly (readonly number[])[]): boolean {
    const order = longAxes(
      view,
      lists.flat().flatMap((axis) => view.axes[axis]!),
    )
    return order.some((axis, index) => index > 0 && axis < order[index - 1]!)
  }

  /** A node whose axes are these lists of the view's axes, the batch's first. @throws UNSUPPORTED */
  arranged(view: View, lists: readonly (readonly number[])[], fail: Failure): Node {
    const order = longAxes(
      view,
      lists.flat().flatMap((axis) => view.axes[axis]!),
    )
    if (order[0] !== 0 || lists[0]!.flatMap((axis) => longAxes(view, view.axes[axis]!)).length !== 1) {
      throw fail.unsupported('it mixes the batch with other axes')
    }
    const shape = shapeOf(view)
    const sizes = lists.slice(1).map((list) => product(list.map((axis) => shape[axis]!)))
    if (sizes.length > MOST_AXES) throw fail.unsupported(`tensors of ${sizes.length + 1} axes, layers have at most ${MOST_AXES + 1}`)
    let { node } = view
    if (this.moves(view, lists)) {
      const rest = node.shape.flatMap((_, axis) => (axis > 0 && !order.includes(axis) ? [axis] : []))
      const axes = [...order.slice(1), ...rest]
      node = this.#once(node, `axes ${axes}`, () => permute(axes))
    }
    return this.reshaped(node, sizes)
  }

  /** The order of the file's axes that costs least where any will do: channels last where that moves nothing, or where they are not last either. */
  orderFor(view: View): number[] {
    const { length } = view.axes
    const [asIs, last] = [Array.from({ length }, (_, axis) => axis), lastOrder(length)]
    const lists = (order: readonly number[]) => order.map((axis) => [axis])
    return !this.moves(view, lists(last)) || this.moves(view, lists(asIs)) ? last : asIs
  }

  /** A node `[N, …, C]`, C being the file's axis 1, and how its results lie in the file. @throws UNSUPPORTED */
  channelsLast(view: View, fail: Failure): Node {
    const order = lastOrder(view.axes.length)
    return this.arranged(
      view,
      order.map((axis) => [axis]),
      fail,
    )
  }

  /** A view of a node that {@link channelsLast} gave, or what a layer made of it. */
  channelsFirst(node: Node): View {
    return viewInOrder(node, lastOrder(node.shape.length))
  }

  /** A node with that axis of the file last, without moving elements within it. @throws UNSUPPORTED */
  last(view: View, axis: number, fail: Failure): Last {
    const group = longAxes(view, view.axes[axis]!)
    const sorted = [...group].sort((a, b) => a - b)
    const ordered = { node: view.node, axes: view.axes.map((own, index) => (index === axis ? sorted : own)) }
    const others = lastOrder(view.axes.length)
    const order = axis === 1 ? others : [...ordered.axes.keys()].filter((other) => other !== axis).concat(axis)
    const node = this.arranged(
      ordered,
      order.map((one) => [one]),
      fail,
    )
    const sizes = group.map((one) => view.node.shape[one]!)
    const places = sorted.map((one) => group.indexOf(one))
    const back = (result: Node): View => {
      const whole = viewInOrder(result, order)
      if (group.length < 2) return whole
      const lead = result.shape.slice(1, -1) as number[]
      const cut = this.reshaped(result, [...lead, ...sorted.map((one) => view.node.shape[one]!)])
      if (cut.shape.length > MOST_AXES + 1) throw fail.unsupported(`tensors of ${cut.shape.length} axes`)
      return {
        node: cut,
        axes: whole.axes.map((own, index) => (index === axis ? group.map((one) => lead.length + 1 + sorted.indexOf(one)) : own)),
      }
    }
    return { node, sizes, order: places, back }
  }

  /** A view of other sizes, elements in the file's order. @throws UNSUPPORTED */
  reshape(view: View, shape: readonly Size[], fail: Failure): View {
    const refined = refine(view, shape)
    if (refined) {
      const { cuts, groups } = refined
      const pieces = view.node.shape.map((size, axis) => (axis === 0 ? [size] : (cuts.get(axis) ?? [size!])))
      const sizes = pieces.slice(1).flat() as number[]
      const starts = pieces.map((_, axis) => pieces.slice(0, axis).flat().length)
      if (sizes.length <= MOST_AXES) {
        const isCut = pieces.some(({ length }) => length > 1)
        const node = isCut ? this.reshaped(view.node, sizes) : view.node
        return { node, axes: groups.map((group) => group.map(([axis, piece]) => starts[axis]! + piece)) }
      }
    }
    const whole = this.arranged(view, ordered(view), fail)
    const long = shape.map((size, axis) => (size === 1 ? -1 : axis)).filter((axis) => axis >= 0)
    if (long[0] === undefined || shape[long[0]] !== null) throw fail.unsupported('it mixes the batch with other axes')
    const sizes = long.slice(1).map((axis) => shape[axis]!)
    if (sizes.length > MOST_AXES) throw fail.unsupported(`a tensor of ${shape.length} axes, layers have at most ${MOST_AXES + 1}`)
    const node = this.reshaped(whole, sizes.length > 0 ? sizes : [1])
    return { node, axes: shape.map((_, axis) => (long.includes(axis) ? [long.indexOf(axis)] : [])) }
  }

  /**
   * The view of what a layer makes along one axis of the file: `make` is given a node `[N, before, size, after]`.
   * @throws UNSUPPORTED
   */
  along(view: View, axis: number, make: (node: Node) => Node, fail: Failure): View {
    const group = longAxes(view, view.axes[axis]!)
    if (group.includes(0)) throw fail.unsupported('it works along the batch')
    if (group.length > 1 || view.axes.length > MOST_AXES + 1) {
      return this.along(plainView(this.arranged(view, ordered(view), fail)), axis, make, fail)
    }
    const at = group[0] ?? view.axes[axis]![0]
    if (at === undefined) return this.along(plainView(this.arranged(view, ordered(view), fail)), axis, make, fail)
    const sizes = view.node.shape.slice(1) as number[]
    const made = make(this.reshaped(view.node, [product(sizes.slice(0, at - 1)), sizes[at - 1]!, product(sizes.slice(at))]))
    const size = made.shape[2]!
    const node = this.reshaped(
      made,
      sizes.map((own, index) => (index === at - 1 ? size : own)),
    )
    return { node, axes: view.axes.map((own, index) => (index === axis ? [at] : own)) }
  }

  /** A node whose sizes of 1 are repeated to those wanted. */
  repeated(node: Node, sizes: readonly number[]): Node {
    let now = node
    for (let axis = 0; axis < sizes.length; axis++) {
      const own = now.shape.slice(1) as number[]
      if (own[axis] === sizes[axis]) continue
      const end = own.findIndex((size, index) => index > axis && (size !== 1 || sizes[index] === 1))
      const until = end < 0 ? own.length : end
      const times = product(sizes.slice(axis, until))
      const rows = this.reshaped(now, [product(own.slice(0, axis)), 1, product(own.slice(until))])
      const made = this.#once(rows, `times ${times}`, () => upsample2d([1, times]))
      now = this.reshaped(
        made,
        own.map((size, index) => (index >= axis && index < until ? sizes[index]! : size)),
      )
    }
    return now
  }
}

const ordered = ({ axes }: View) => axes.map((_, axis) => [axis])

/** Numbers along an axis of the file as the node of {@link Last} has them; `data` has that axis as one of its axes. */
export function inOrder(data: Float32Array, shape: readonly number[], axis: number, { sizes, order }: Last): Float32Array {
  if (order.every((place, index) => place === index)) return data
  const cut = [...shape.slice(0, axis), ...sizes, ...shape.slice(axis + 1)]
  const axes = [...shape.keys()].slice(0, axis)
  const rest = shape.slice(axis + 1).map((_, index) => axis + sizes.length + index)
  return permuted(data, cut, [...axes, ...order.map((place) => axis + place), ...rest])
}
