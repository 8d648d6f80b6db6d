import type { Dtype, KernelInfo } from '../../binding'
import type { Attributes } from '../../lib/ops/op'

/** One step with its sizes. The values are random, seeded by the name. */
export interface OpCase {
  readonly name: string
  readonly op: string
  /** Shapes of all operands, those that are written included; what is absent is left out of the step. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly attributes: Attributes
  readonly scalars?: Readonly<Record<string, number>>
  /** Element types that differ from the op's usual ones. */
  readonly dtypes?: Readonly<Record<string, Dtype>>
}

/** Sizes around multiples of the vector, up to the widest tile: always twelve of them, so that every instruction set has as many cases. */
export function vectorEdges({ width, vectors }: KernelInfo): number[] {
  return [1, 2, 3, 4].flatMap((v) => [-1, 0, 1].map((d) => Math.max(1, width * Math.min(v, vectors) + d)))
}

/** Sizes around the numbers of rows of the tiles: always twelve. */
export function rowEdges({ rows, vectors }: KernelInfo): number[] {
  return [1, 2, 3, 4].flatMap((v) => [-1, 0, 1].map((d) => Math.max(1, rows[Math.min(v, vectors)]! + d)))
}
