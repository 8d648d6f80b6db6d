import type { Node } from '../../../layers/node'

/**
 * A tensor of the file as axes of a node of ours: axis i of the file's is the axes `axes[i]` of the node, the first of them the slowest; none of them for a size of 1.
 * So nothing is computed for a Transpose, Squeeze, Unsqueeze, Flatten or most Reshapes: only what needs an order gets one.
 */
export interface View {
  readonly node: Node
  readonly axes: readonly (readonly number[])[]
}

/** The batch's size, which is not known. */
export type Size = number | null

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)

const sizeOfGroup = ({ node: { shape } }: View, group: readonly number[]): Size =>
  group.includes(0) ? null : product(group.map((axis) => shape[axis]!))

/** The tensor's shape in the file. */
export const shapeOf = (view: View): Size[] => view.axes.map((group) => sizeOfGroup(view, group))

/** Each axis of a node by itself. */
export const plainView = (node: Node): View => ({ node, axes: node.shape.map((_, axis) => [axis]) })

/** A node whose axes are those of the file in this order. */
export const viewInOrder = (node: Node, order: readonly number[]): View => ({ node, axes: order.map((_, axis) => [order.indexOf(axis)]) })

/** Axes of a group that have more than one place, or are the batch. */
export const longAxes = ({ node: { shape } }: View, group: readonly number[]): number[] => group.filter((axis) => shape[axis] !== 1)

/**
 * A view of another shape, where that needs the node's axes cut at most: what each axis is cut into, and which of the pieces (`[axis, piece]`) make up the axes wanted.
 * None where elements would have to move.
 */
export function refine(view: View, shape: readonly Size[]): { cuts: Map<number, number[]>; groups: [number, number][][] } | undefined {
  const axes = longAxes(view, view.axes.flat())
  const cuts = new Map<number, number[]>()
  const groups: [number, number][][] = []
  let [next, left] = [0, 1]
  for (const size of shape) {
    const group: [number, number][] = []
    groups.push(group)
    if (size === null) {
      if (left > 1 || axes[next++] !== 0) return undefined
      group.push([0, 0])
      continue
    }
    for (let wanted = size; wanted > 1; ) {
      if (left === 1) {
        const axis = axes[next++]
        if (axis === undefined || axis === 0) return undefined
        left = view.node.shape[axis]!
        cuts.set(axis, [])
      }
      const axis = axes[next - 1]!
      const piece = Math.min(wanted, left)
      if (Math.max(wanted, left) % piece !== 0) return undefined
      const pieces = cuts.get(axis)!
      group.push([axis, pieces.length])
      pieces.push(piece)
      wanted /= piece
      left /= piece
    }
  }
  return { cuts, groups }
}
