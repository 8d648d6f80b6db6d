import type { Operand, Step } from '../../binding'
import type { AttributeValue } from '../ops/op'
import { reference } from '../reference/index'
import type { ReferenceData, ReferenceOperand } from '../reference/step'

export interface InterpretedRun {
  readonly arena: Float64Array
  readonly state: Float64Array
  /** What the prelude leaves; absent where there is none. */
  readonly kept?: Float64Array
  /** The rows of this run. */
  readonly inputs: readonly ReferenceData[]
  readonly n: number
  readonly scalars: Readonly<Record<string, number>>
}

/**
 * Runs steps of a program in double precision, those from number `from` on, one by one: each step is executed when the generator is asked for the next one.
 * Yields the number of the step that comes.
 */
export function* interpret(steps: readonly Step[], run: InterpretedRun, from = 0): Generator<number, void> {
  for (const [index, step] of steps.entries()) {
    if (index < from) continue
    yield index
    const operands: Record<string, ReferenceOperand> = {}
    const attributes: Record<string, AttributeValue> = {}
    for (const [name, value] of Object.entries(step)) {
      if (name === 'op') continue
      if (isOperand(value)) operands[name] = resolve(value, run)
      else attributes[name] = value
    }
    reference[step.op]!({ operands, attributes, scalars: run.scalars })
  }
}

/** The elements of an operand that this run has. */
export function resolve(operand: Operand, { arena, state, kept, inputs, n }: InterpretedRun): ReferenceOperand {
  const shape = operand.batched ? [n, ...operand.shape.slice(1)] : operand.shape
  const count = shape.reduce((product, size) => product * size, 1)
  if (operand.space === 'input') return { data: inputs[operand.offset]!, shape }
  const memory = operand.space === 'state' ? state : operand.space === 'kept' ? kept! : arena
  return { data: memory.subarray(operand.offset, operand.offset + count), shape }
}

export function isOperand(value: Step[string]): value is Operand {
  return typeof value === 'object' && !Array.isArray(value)
}
