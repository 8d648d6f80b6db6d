import type { OpNode } from '../graph/node'
import type { TensorType, Value } from '../graph/value'

export type AttributeValue = string | number | boolean | readonly number[] | readonly (readonly number[])[]
/** Attributes of a step, resolved: `padding` is numbers, never `'same'`. Names as in docs/steps.md. */
export type Attributes = Readonly<Record<string, AttributeValue>>

/**
 * One op: its operands' names (those of docs/steps.md), one shape rule, one gradient rule.
 * Each `lib/ops/<op>.ts` exports one or more of these, and the function that users call.
 */
export interface OpDefinition {
  readonly name: string
  /** Operand names in order; a trailing `?` marks an optional one. `'x*'`: any number, named x0, x1, … */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Types of the outputs. Throws a ConvlaneError that begins with the label (`conv2d "stem": …`) when inputs do not fit. */
  infer(inputs: readonly (TensorType | undefined)[], attributes: Attributes, label: string): TensorType[]
  /**
   * Gradients of the inputs, in order, given those of the outputs (`undefined`: no gradient flows there). `undefined` for an input that has none.
   * `wanted[i]` tells whether the gradient of input i is needed. Absent: the op has no gradient.
   */
  gradient?(node: OpNode, dy: readonly (Value | undefined)[], wanted: readonly boolean[]): (Value | undefined)[]
  /** Which outputs may be left out of the step when nothing reads them (`positions`, `dlogits`). */
  readonly optionalOutputs?: readonly string[]
  /** Attributes that only the shape rule reads: they are not part of the step, whose operands have the shapes. */
  readonly shapeAttributes?: readonly string[]
  /** The output is the input under another shape: no step, the same memory. */
  readonly alias?: boolean
  /** An output may be written over an input of the same size that dies here (elementwise ops). */
  readonly inPlace?: boolean
  /** Multiply-adds for one sample, for `summary()` and profiles. */
  multiplyAdds?(inputs: readonly (TensorType | undefined)[], outputs: readonly TensorType[], attributes: Attributes): number
  /** Scalars of `run` that the step reads. */
  readonly scalars?: readonly string[]
}
