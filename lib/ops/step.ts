import type { Operand, Step } from '../../binding'
import type { Attributes, OpDefinition } from './op'

/** Names of an op's input operands in a step, in the order of a node's inputs: `bias?` → `bias`, `x*` → `x0`, `x1`, … */
export function inputNames(op: OpDefinition, count: number): string[] {
  if (op.inputs[0] === 'x*') return Array.from({ length: count }, (_, index) => `x${index}`)
  return op.inputs.map((name) => name.replace('?', ''))
}

/** Puts a step together: attributes that only the shape rule reads are left out. */
export function makeStep(op: OpDefinition, attributes: Attributes, operands: Readonly<Record<string, Operand>>): Step {
  const kept = Object.entries(attributes).filter(([name]) => !op.shapeAttributes?.includes(name))
  return { op: op.name, ...Object.fromEntries(kept), ...operands }
}
