import { apply } from '../graph/apply'
import type { SymbolicShape, Value } from '../graph/value'
import { checkNumber, elementCount } from '../shape'
import type { Tensor } from '../tensor'
import { execute } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** `shape` has -1 for the batch size. */
export const fillOp: OpDefinition = {
  name: 'fill',
  inputs: [],
  outputs: ['y'],
  shapeAttributes: ['shape'],
  infer: (_, attributes) => [{ shape: (attributes.shape as number[]).map((size) => (size === -1 ? null : size)), dtype: 'float32' }],
  gradient: () => [],
}

/** A tensor of that shape with `value` everywhere. Throws `INVALID_SHAPE`, `INVALID_ARGUMENT`. */
export function fill(shape: readonly number[], value: number, options: OpOptions = {}): Tensor {
  checkOptions(options, [], 'fill')
  elementCount(shape, 'fill')
  return execute(fillOp, [], { shape, value: checkNumber(value, 'fill', 'value') }, options)[0] as Tensor
}

/** As `fill`, in a graph. */
export function fillValue(shape: SymbolicShape, value: number): Value {
  return apply(fillOp, [], { shape: shape.map((size) => size ?? -1), value })[0]!
}
