import type { Attributes, OpDefinition } from '../ops/op'
import { elementCount } from '../shape'
import type { OpNode } from './node'
import { Value } from './value'

/** How an op is called in messages: `conv2d "stem"`, or `conv2d` where it has no name. */
export function labelOf(op: string, name?: string): string {
  return name === undefined ? op : `${op} "${name}"`
}

/**
 * Adds a node to the graph and returns its outputs. Inputs are in the order of `op.inputs`, `undefined` for one left out; attributes are resolved.
 * `name` is the layer's. Throws what the op's shape rule throws, and `INVALID_SHAPE` for too many elements.
 */
export function apply(
  op: OpDefinition,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes = {},
  name?: string,
): readonly Value[] {
  const label = labelOf(op.name, name)
  const types = op.infer(inputs, attributes, label)
  for (const { shape } of types) elementCount(shape, label)
  const outputs: Value[] = []
  const node: OpNode = { op, inputs, outputs, attributes, ...(name === undefined ? {} : { label: name }) }
  types.forEach((type, output) => {
    outputs.push(new Value(type.shape, type.dtype, { node, output }))
  })
  return outputs
}

/** The node that computes a value, if one does. */
export function nodeOf(value: Value): OpNode | undefined {
  return 'node' in value.origin ? value.origin.node : undefined
}
