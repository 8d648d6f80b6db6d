/** The order of axes that brings the channels before those of the image: `[0, 3, 1, 2]` for rank 4. */
export const firstOrder = (rank: number): number[] =>
  Array.from({ length: rank }, (_, axis) => (axis === 0 || rank < 3 ? axis : axis === 1 ? rank - 1 : axis - 1))

/** The order of axes that brings them behind: `[0, 2, 3, 1]` for rank 4. */
export const lastOrder = (rank: number): number[] =>
  Array.from({ length: rank }, (_, axis) => (axis === 0 || rank < 3 ? axis : axis === rank - 1 ? 1 : axis + 1))

/** Where each axis goes back to. */
export const inverse = (order: readonly number[]): number[] => order.map((_, axis) => order.indexOf(axis))

/** Whether that is the order they are in. */
export const isInOrder = (order: readonly number[]): boolean => order.every((axis, index) => axis === index)

/**
 * A tensor's numbers with its axes in another order: axis i of the result is axis `order[i]`. A copy.
 * @param from, to the part of the result's first axis that is wanted; all of it by default
 */
export function permuted<T extends Float32Array | Int32Array>(
  data: T,
  shape: readonly number[],
  order: readonly number[],
  from = 0,
  to = order.length > 0 ? shape[order[0]!]! : 1,
): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  const sizes = order.map((axis, index) => (index === 0 ? to - from : shape[axis]!))
  const steps = order.map((axis) => strides[axis]!)
  const result = new (data.constructor as new (length: number) => T)(sizes.reduce((product, size) => product * size, 1))
  const [inner, step] = [sizes.at(-1) ?? 1, steps.at(-1) ?? 0]
  const counts = sizes.map(() => 0)
  for (let put = 0, start = from * (steps[0] ?? 0); put < result.length; ) {
    for (let index = 0, at = start; index < inner; index++, at += step) result[put++] = data[at]!
    for (let axis = sizes.length - 2; axis >= 0; axis--) {
      start += steps[axis]!
      if (++counts[axis]! < sizes[axis]!) break
      start -= steps[axis]! * sizes[axis]!
      counts[axis] = 0
    }
  }
  return result
}

/** Numbers that are put in order at once: about a millisecond's work. */
const PIECE = 2 ** 18

/** {@link permuted}, in pieces that make up the whole: itself, not copied, where nothing is to be done. */
export function* permutedPieces(data: Float32Array, shape: readonly number[], order: readonly number[]): Generator<Float32Array> {
  if (isInOrder(order)) return yield data
  const count = shape[order[0]!]!
  const rows = Math.max(1, Math.floor((PIECE * count) / data.length))
  for (let row = 0; row < count; row += rows) yield permuted(data, shape, order, row, Math.min(count, row + rows))
}
