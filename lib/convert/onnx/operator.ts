import { ConvlaneError } from '../../errors'
import { labelOf } from '../../graph/apply'
import type { OpNode } from '../../graph/node'
import type { Writer } from './writer'

/** Writes an op of a graph as nodes of the file. */
export type Operator = (w: Writer, node: OpNode) => void

/** An op's attributes, as its shape rule has checked them. */
export const attributesOf = <T>({ attributes }: OpNode): T => attributes as unknown as T

/** The error for what a file cannot hold. */
export function inexpressible({ op, label }: OpNode, why: string): ConvlaneError {
  return new ConvlaneError('UNSUPPORTED', `exportOnnx: ${labelOf(op.name, label)}: ${why}`, { received: op.name })
}

/** How many elements; the batch counts as one. */
export const sizeOf = (shape: readonly (number | null)[]): number => shape.reduce<number>((product, size) => product * (size ?? 1), 1)
