import type { Operand, ProgramSpec, Step } from '../../binding'
import type { Attributes } from '../ops/op'
import { isOperand } from '../runtime/interpret'
import type { CompiledProgram } from './compile'

/** What `run` gives for an input, and how it becomes what the program reads. */
export interface Prepared {
  /** As `run` gives it; batched. */
  readonly dtype: Operand['dtype']
  /** Of one sample. */
  readonly shape: readonly number[]
  /** One after the other; the last one gives the program's input. None: that is what is given. */
  readonly steps: readonly PreparationStep[]
}

export interface PreparationStep {
  readonly op: string
  /** What the op calls that which it reads. */
  readonly from: string
  readonly attributes: Attributes
  /** Sizes of a sample of its result, which is float32. */
  readonly shape: readonly number[]
}

/** The program with steps before it that make its inputs of those that `run` is given. */
export function withPreparation({ spec, labels }: CompiledProgram, given: readonly Prepared[]): CompiledProgram {
  const { capacity } = spec
  const inputs: ProgramSpec['inputs'][number][] = given.map(({ dtype, shape }) => ({ dtype, shape: [capacity, ...shape], batched: true }))
  const preparation: Step[] = []
  const places = given.map(({ dtype, shape, steps }, index) => {
    let from: Operand = { space: 'input', offset: index, dtype, shape: [capacity, ...shape], batched: true }
    for (const step of steps) {
      const y: Operand = { space: 'input', offset: inputs.length, dtype: 'float32', shape: [capacity, ...step.shape], batched: true }
      inputs.push({ dtype: y.dtype, shape: y.shape, batched: true, prepared: true })
      preparation.push({ op: step.op, ...step.attributes, [step.from]: from, y })
      from = y
    }
    return from.offset
  })
  const moved = (value: Step[string]): Step[string] =>
    isOperand(value) && value.space === 'input' ? { ...value, offset: places[value.offset]! } : value
  const steps = spec.steps.map(
    (step) => Object.fromEntries(Object.entries(step).map(([name, value]) => [name, moved(value)])) as unknown as Step,
  )
  return { spec: { ...spec, inputs, preparation, steps }, labels }
}
