import type { Attributes, OpDefinition } from '../ops/op'
import type { Value } from './value'

/** One op applied to values. Created by `apply` in lib/graph/apply.ts only. */
export interface OpNode {
  readonly op: OpDefinition
  /** In the order of `op.inputs`; `undefined` for an optional one left out. Ops with a variable number of inputs have them all here. */
  readonly inputs: readonly (Value | undefined)[]
  readonly outputs: readonly Value[]
  readonly attributes: Attributes
  /** Of a layer, for messages and profiles. */
  readonly label?: string
}
