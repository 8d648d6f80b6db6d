import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, TensorType, Value } from '../graph/value'
import { checkInteger, shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { concat } from './concat'
import { fillValue } from './fill'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { pad } from './pad'

export const sliceOp: OpDefinition = {
  name: 'slice',
  inputs: ['x'],
  outputs: ['y'],
  shapeAttributes: ['count'],
  infer([x], attributes, label) {
    if (Array.isArray(attributes.start)) return [{ shape: boxShape(x!, attributes, label), dtype: 'float32' }]
    const { start, count } = attributes as { start: number; count: number }
    const channels = x!.shape.at(-1)
    if (typeof channels === 'number' && start + count <= channels) return [{ shape: [...x!.shape.slice(0, -1), count], dtype: 'float32' }]
    const message = `${label}: channels ${start} to ${start + count - 1} are not all within the last axis of ${shapeText(x!.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: channels, received: start + count })
  },
  gradient({ inputs, attributes }, [dy]) {
    if (Array.isArray(attributes.start)) {
      const before = attributes.start as number[]
      const padding = inputs[0]!.shape.map(
        (size, axis) => [before[axis]!, size === null ? 0 : size - before[axis]! - dy!.shape[axis]!] as const,
      )
      return [pad(dy!, padding)]
    }
    const { start, count } = attributes as { start: number; count: number }
    const { shape } = inputs[0]!
    const zeros = (channels: number): Value[] => (channels > 0 ? [fillValue([...shape.slice(0, -1), channels], 0)] : [])
    return [concat([...zeros(start), dy!, ...zeros(shape.at(-1)! - start - count)])]
  },
}

/** `start` and `count` hold a number for each axis; a count of -1 is all of the batch. */
function boxShape(x: TensorType, attributes: Attributes, label: string): SymbolicShape {
  const { start, count } = attributes as { start: number[]; count: number[] }
  return x.shape.map((size, axis) => {
    if (size === null && start[axis] === 0 && count[axis] === -1) return null
    if (size !== null && count[axis]! >= 1 && start[axis]! + count[axis]! <= size) return count[axis]!
    const wanted =
      size === null ? 'the batch must stay whole: start 0, size null' : `${start[axis]} and ${count[axis]} more are not all within`
    const message = `${label}: axis ${axis} of ${shapeText(x.shape)}: ${wanted}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: size, received: [start[axis], count[axis]] })
  })
}

/** An axis by its number, negative ones counting from the end. Throws `INVALID_ARGUMENT`. */
export function checkAxis(axis: unknown, rank: number, label: string): number {
  const found = checkInteger(axis, label, 'axis', -rank, rank - 1)
  return found < 0 ? found + rank : found
}

/** A start by its number, negative ones counting from the end of an axis of `size` places. Throws `INVALID_ARGUMENT`. */
function checkStart(start: unknown, size: number | null | undefined, label: string, argument: string): number {
  const known = size ?? 0
  const found = checkInteger(start, label, argument, -known)
  return found < 0 ? found + known : found
}

/** `count` places of one axis from `start` on. */
export function sliceAlong(x: Operand, axis: number, start: number, count: number, options: OpOptions = {}): Operand {
  const rank = x.shape.length
  if (axis === rank - 1) return call(sliceOp, [x], { start, count }, options)[0]!
  const starts = x.shape.map((_, index) => (index === axis ? start : 0))
  return call(sliceOp, [x], { start: starts, count: x.shape.map((size, index) => (index === axis ? count : (size ?? -1))) }, options)[0]!
}

/**
 * With numbers: `count` channels of the last axis from `start` on, `[..., C]` → `[..., count]`. With an array each: a box, `start` and size for each axis,
 * where a size of `null` is all that is left; in a graph the batch stays whole (0 and `null`). A negative start counts from the end, as numpy's: −2 is the last
 * but one. Throws `INVALID_SHAPE` when there aren't so many, `INVALID_ARGUMENT`.
 */
export function slice(x: Tensor, start: number, count: number, options?: OpOptions): Tensor
export function slice(x: Value, start: number, count: number, options?: OpOptions): Value
export function slice(x: Tensor, start: readonly number[], size: SymbolicShape, options?: OpOptions): Tensor
export function slice(x: Value, start: readonly number[], size: SymbolicShape, options?: OpOptions): Value
export function slice(x: Operand, start: number | readonly number[], count: number | SymbolicShape, options: OpOptions = {}): Operand {
  const label = labelOf('slice', options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(x, label, 'input')
  if (!Array.isArray(start) && !Array.isArray(count)) {
    const attributes = { start: checkStart(start, shape.at(-1), label, 'start'), count: checkInteger(count, label, 'count') }
    return call(sliceOp, [x], attributes, options)[0]!
  }
  if (!Array.isArray(start) || !Array.isArray(count) || start.length !== shape.length || count.length !== shape.length) {
    const message = `${label}: start and size must hold a number for each axis of ${shapeText(shape)}, received ${valueText(start)} and ${valueText(count)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: [start, count] })
  }
  const starts = shape.map((size, axis) => checkStart(start[axis], size, label, `start[${axis}]`))
  const counts = shape.map((size, axis) => {
    if (count[axis] !== null) return checkInteger(count[axis], label, `size[${axis}]`)
    return size === null ? -1 : size - starts[axis]!
  })
  return call(sliceOp, [x], { start: starts, count: counts }, options)[0]!
}

export interface SplitOptions extends OpOptions {
  /** The axis that is cut; negative ones count from the end. Never the batch. Default: the last. */
  readonly axis?: number | undefined
}

/**
 * Cuts an axis into as many parts of one size, or into parts of the sizes given, in order; `concat` along the axis puts them together again.
 * Throws `INVALID_ARGUMENT` unless the parts make up the axis.
 */
export function split(x: Tensor, parts: number | readonly number[], options?: SplitOptions): Tensor[]
export function split(x: Value, parts: number | readonly number[], options?: SplitOptions): Value[]
export function split(x: Operand, parts: number | readonly number[], options: SplitOptions = {}): Operand[] {
  const label = labelOf('split', options?.name)
  checkOptions(options, ['axis'], label)
  const { shape } = typeOf(x, label, 'input')
  const axis = checkAxis(options.axis ?? -1, shape.length, label)
  const size = shape[axis]
  const sizes: readonly unknown[] = Array.isArray(parts)
    ? parts
    : Array.from({ length: checkInteger(parts, label, 'parts', 1, size ?? 1) }, () => size! / (parts as number))
  const total = sizes.reduce<number>((sum, part) => sum + checkInteger(part, label, 'the size of a part'), 0)
  if (total !== size) {
    const message = `${label}: parts of ${total} in all must make up axis ${axis} of ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: size, received: parts })
  }
  let start = 0
  return (sizes as readonly number[]).map((count) => {
    start += count
    return sliceAlong(x, axis, start - count, count, { runtime: options.runtime, name: options.name })
  })
}
