import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, Value } from '../graph/value'
import { elementCount, sameShape, shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { sumTo } from './broadcast'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** `shape` has -1 for the batch size. `mean`: divided by how often each element is repeated. */
export const broadcastToOp: OpDefinition = {
  name: 'broadcastTo',
  inputs: ['x'],
  outputs: ['y'],
  shapeAttributes: ['shape'],
  infer([x], attributes, label) {
    const shape = (attributes.shape as number[]).map((size) => (size === -1 ? null : size))
    const lead = shape.length - x!.shape.length
    const fits = lead >= 0 && x!.shape.every((size, axis) => size === 1 || size === shape[axis + lead]) && shape.indexOf(null, 1) < 0
    if (fits && !(lead > 0 && x!.shape[0] === null)) return [{ shape, dtype: 'float32' }]
    const message = `${label}: shape ${shapeText(x!.shape)} cannot be broadcast to ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: x!.shape })
  },
  gradient: ({ inputs: [x], attributes }, [dy]) => [sumTo(dy!, x!.shape, attributes.mean === true)],
}

/** Repeats a value to that shape, without a step where it has it. With `mean`, divided by how often. */
export function repeatTo(x: Value, shape: SymbolicShape, mean = false): Value {
  if (sameShape(x.shape, shape)) return x
  return call(broadcastToOp, [x], { shape: shape.map((size) => size ?? -1), mean }, {})[0] as Value
}

/**
 * Repeats x along axes where it has size 1, or that it lacks at the front, as numpy's function of this name. In a graph the batch size is `null`.
 * Throws `INVALID_SHAPE` when x doesn't fit.
 */
export function broadcastTo(x: Tensor, shape: readonly number[], options?: OpOptions): Tensor
export function broadcastTo(x: Value, shape: SymbolicShape, options?: OpOptions): Value
export function broadcastTo(x: Operand, shape: SymbolicShape, options: OpOptions = {}): Operand {
  const label = labelOf('broadcastTo', options?.name)
  checkOptions(options, [], label)
  if (!Array.isArray(shape)) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: shape must be an array, received ${valueText(shape)}`, { received: shape })
  }
  elementCount(shape, label)
  typeOf(x, label, 'input')
  return call(broadcastToOp, [x], { shape: shape.map((size) => size ?? -1), mean: false }, options)[0]!
}
