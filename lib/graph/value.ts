import type { OpNode } from './node'

/** Element type of a tensor in a graph. */
export type Dtype = 'float32' | 'int32' | 'uint8'

/** Sizes; `null` is the batch size, and only the first may be it. */
export type SymbolicShape = readonly (number | null)[]

/** What an op's shape rule sees and gives. */
export interface TensorType {
  /** Sizes; `null` is the batch. */
  readonly shape: SymbolicShape
  /** Element type. */
  readonly dtype: Dtype
}

/** Where a value that no op computes comes from. */
export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'state'; readonly name: string }
  | { readonly kind: 'one' } // the gradient of a loss by itself: the scalar 1

/** A symbolic tensor: an edge of the graph. */
export class Value implements TensorType {
  constructor(
    /** Sizes; `null` is the batch. */
    readonly shape: SymbolicShape,
    /** Element type. */
    readonly dtype: Dtype,
    /** The op that computes it and which of its outputs it is, or its source. */
    readonly origin: { readonly node: OpNode; readonly output: number } | Source,
  ) {}
}
