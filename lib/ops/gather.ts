import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import { type SymbolicShape, type TensorType, Value } from '../graph/value'
import { checkInteger, shapeText } from '../shape'
import type { AnyTensor, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { checkAxis } from './slice'

/** Whole numbers of any shape: places along an axis, class numbers. */
export interface Indices {
  /** A size for each axis. */
  readonly shape: readonly number[]
  /** Whole numbers from 0. */
  readonly data: Int32Array | Uint8Array
}

export const gatherOp: OpDefinition = {
  name: 'gather',
  inputs: ['x', 'indices'],
  outputs: ['y'],
  infer([x, indices], attributes, label) {
    const axis = attributes.axis as number
    const shape: SymbolicShape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)]
    if (x!.shape[axis] !== null && !shape.includes(null, 1)) return [{ shape, dtype: 'float32' }]
    const message = `${label}: the batch must stay first and one, received ${shapeText(x!.shape)} and indices ${shapeText(indices!.shape)}, axis ${axis}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: [x!.shape, indices!.shape] })
  },
  gradient({ inputs: [x, indices], attributes }, [dy]) {
    const shape = x!.shape.map((size) => size ?? -1)
    return [call(scatterAddOp, [dy, indices], { axis: attributes.axis!, shape }, {})[0] as Value, undefined]
  },
}

/** `shape` has -1 for the batch size. */
export const scatterAddOp: OpDefinition = {
  name: 'scatterAdd',
  inputs: ['dy', 'indices'],
  outputs: ['dx'],
  shapeAttributes: ['shape'],
  infer: (_, attributes): TensorType[] => [
    { shape: (attributes.shape as number[]).map((size) => (size === -1 ? null : size)), dtype: 'float32' },
  ],
}

export const oneHotOp: OpDefinition = {
  name: 'oneHot',
  inputs: ['indices'],
  outputs: ['y'],
  shapeAttributes: ['depth'],
  infer: ([indices], attributes) => [{ shape: [...indices!.shape, attributes.depth as number], dtype: 'float32' }],
  gradient: () => [undefined],
}

/** Checks whole numbers and makes them int32. Throws `INVALID_ARGUMENT` for one that isn't from 0 to `size - 1`, where they are known. */
function checkIndices(indices: unknown, size: number | null | undefined, label: string): Operand {
  if (indices instanceof Value) {
    typeOf(indices, label, 'indices', ['int32'])
    return indices
  }
  const { shape } = typeOf(indices, label, 'indices', ['int32', 'uint8'])
  const { data } = indices as AnyTensor
  const at = data.findIndex((index) => index < 0 || index >= (size ?? Number.POSITIVE_INFINITY))
  if (at >= 0) {
    const message = `${label}: indices must be from 0 to ${size! - 1}, received ${data[at]} at ${at}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: size, received: data[at] })
  }
  return { shape: shape as readonly number[], data: data[Symbol.toStringTag] === 'Uint8Array' ? Int32Array.from(data) : data }
}

export interface GatherOptions extends OpOptions {
  /** The axis that the indices are places of; negative ones count from the end. Default 0. */
  readonly axis?: number | undefined
}

/**
 * The places of an axis that the indices name: the axis is replaced by theirs, `table [V, E]` and `indices [N]` → `[N, E]`. Tensors: throws
 * `INVALID_ARGUMENT` for an index outside the axis. In a graph such an index gives NaN and gets no gradient; the batch is the first axis of x (not the one
 * that is indexed) or of the indices (with axis 0). Throws `INVALID_SHAPE`, `INVALID_DTYPE` as well.
 */
export function gather(x: Tensor, indices: Indices, options?: GatherOptions): Tensor
export function gather(x: Value, indices: Value, options?: GatherOptions): Value
export function gather(x: Operand, indices: Operand | Indices, options: GatherOptions = {}): Operand {
  const label = labelOf('gather', options?.name)
  checkOptions(options, ['axis'], label)
  const { shape } = typeOf(x, label, 'input')
  const axis = checkAxis(options.axis ?? 0, shape.length, label)
  const whole = checkIndices(indices, shape[axis], label)
  return call(gatherOp, [x, whole], { axis }, { runtime: options.runtime, name: options.name })[0]!
}

/**
 * A row for each index, 1 at its place and 0 elsewhere: `[...]` → `[..., depth]`. Tensors: throws `INVALID_ARGUMENT` for an index that isn't below `depth`.
 * In a graph the row of such an index is 0, as in TensorFlow. Has no gradient.
 */
export function oneHot(indices: Indices, depth: number, options?: OpOptions): Tensor
export function oneHot(indices: Value, depth: number, options?: OpOptions): Value
export function oneHot(indices: Operand | Indices, depth: number, options: OpOptions = {}): Operand {
  const label = labelOf('oneHot', options?.name)
  checkOptions(options, [], label)
  const size = checkInteger(depth, label, 'depth')
  return call(oneHotOp, [checkIndices(indices, size, label)], { depth: size }, options)[0]!
}
