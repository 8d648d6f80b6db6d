import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, Value } from '../graph/value'
import { elementCount, shapeText, valueText } from '../shape'
import type { AnyTensor, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** `shape` has -1 for the batch size. Never a step: the compiler gives the output its input's memory. */
export const reshapeOp: OpDefinition = {
  name: 'reshape',
  inputs: ['x'],
  outputs: ['y'],
  alias: true,
  infer([x], attributes, label) {
    const shape = (attributes.shape as number[]).map((size) => (size === -1 ? null : size))
    const batched = x!.shape[0] === null
    const fits = (shape[0] === null) === batched && !shape.includes(null, 1)
    if (fits && elementCount(shape, label) === elementCount(x!.shape, label)) return [{ shape, dtype: x!.dtype }]
    const message = `${label}: shape ${shapeText(x!.shape)} cannot become ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: x!.shape, received: shape })
  },
  gradient: (node, [dy]) => [reshape(dy!, node.inputs[0]!.shape)],
}

/**
 * The same elements under another shape. In a graph the batch size is `null` on both sides; a tensor's data is copied.
 * Throws `INVALID_SHAPE` when the numbers of elements differ.
 */
export function reshape(x: Tensor, shape: readonly number[], options?: OpOptions): Tensor
export function reshape(x: Value, shape: SymbolicShape, options?: OpOptions): Value
export function reshape(x: Operand, shape: SymbolicShape, options: OpOptions = {}): Operand {
  const label = labelOf('reshape', options?.name)
  checkOptions(options, [], label)
  if (!Array.isArray(shape)) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: shape must be an array, received ${valueText(shape)}`, { received: shape })
  }
  elementCount(shape, label)
  const type = typeOf(x, label, 'input')
  const attributes = { shape: shape.map((size) => size ?? -1) }
  if ('origin' in x) return call(reshapeOp, [x], attributes, options)[0]!
  reshapeOp.infer([type], attributes, label)
  return { shape: [...(shape as readonly number[])], data: (x as AnyTensor).data.slice() }
}

/** `[N, H, W, C]` → `[N, H·W·C]`: all axes but the first in one. Throws `INVALID_SHAPE` for rank 0. */
export function flatten(x: Tensor, options?: OpOptions): Tensor
export function flatten(x: Value, options?: OpOptions): Value
export function flatten(x: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('flatten', options?.name)
  const { shape } = typeOf(x, label, 'input')
  if (shape.length === 0)
    throw new ConvlaneError('INVALID_SHAPE', `${label}: input must have at least rank 1, received []`, { received: shape })
  return reshape(x as Value, [shape[0]!, elementCount(shape.slice(1), label)], options)
}
