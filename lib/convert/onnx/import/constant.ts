import { product } from './view'

/** A number of a constant: `null` is the size of the batch. */
export type Whole = number | null

/** A tensor that is known: weights, or what shapes are made of. */
export interface Constant {
  readonly shape: readonly number[]
  /** Float32 numbers, or whole ones and truth values (0 and 1). */
  readonly data: Float32Array | readonly Whole[]
  /** Whether the file repeats it for each sample: an axis that has the size of the batch there has 1 here. */
  readonly isRepeated?: boolean
}

export const isFloat = (constant: Constant): constant is Constant & { readonly data: Float32Array } => constant.data instanceof Float32Array

export const wholes = (data: readonly Whole[], shape: readonly number[] = [data.length]): Constant => ({ shape, data })

/** Of a constant's kind, so many numbers. */
export function gathered({ data }: Constant, shape: readonly number[], at: (index: number) => number): Constant {
  const count = product(shape)
  if (data instanceof Float32Array) {
    const result = new Float32Array(count)
    for (let index = 0; index < count; index++) result[index] = data[at(index)]!
    return { shape, data: result }
  }
  return { shape, data: Array.from({ length: count }, (_, index) => data[at(index)]!) }
}

/** How far the next element along each axis is. */
export const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => product(shape.slice(axis + 1)))

/** Places in a tensor of each element of a result of that shape: along axis i of the result, steps of `strides[i]`, after `start`. */
export function placesOf(shape: readonly number[], strides: readonly number[], start = 0): (index: number) => number {
  const own = stridesOf(shape)
  return (index) => {
    let [left, place] = [index, start]
    for (let axis = 0; axis < shape.length; axis++) {
      const at = Math.floor(left / own[axis]!)
      left -= at * own[axis]!
      place += at * strides[axis]!
    }
    return place
  }
}

/** The shape that shapes are broadcast to; nothing where they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1
  const result = Array.from({ length: rank }, (_, axis) => (at(a, axis) === 1 ? at(b, axis) : at(a, axis)))
  const fits = [a, b].every((shape) => result.every((size, axis) => at(shape, axis) === 1 || at(shape, axis) === size))
  return fits ? result : undefined
}

/** A constant repeated to a shape that it is broadcast to. */
export function broadcastTo(constant: Constant, shape: readonly number[]): Constant {
  const lead = shape.length - constant.shape.length
  const strides = stridesOf(constant.shape)
  const steps = shape.map((_, axis) => (axis < lead || constant.shape[axis - lead] === 1 ? 0 : strides[axis - lead]!))
  return gathered(constant, shape, placesOf(shape, steps))
}
