import type { Operand, ProgramSpec, Step } from '../../binding'
import { interpret, isOperand, resolve } from '../../lib/runtime/interpret'
import { activationNames } from '../support/activations'

export const scalars = { learningRate: 0.1, step: 1, seed: 5 }

/** Runs a program once in double precision. The arena is NaN at first, so that a step that reads what no step wrote is found. */
export function runSpec(spec: ProgramSpec, state: Float64Array, inputs: readonly Float64Array[], n = spec.capacity): number[][] {
  const arena = new Float64Array(spec.arenaElements).fill(Number.NaN)
  const run = { arena, state, kept: new Float64Array(spec.prelude?.elements ?? 0).fill(Number.NaN), inputs, n, scalars }
  for (const _ of interpret(spec.steps, run));
  return spec.outputs.map((operand) => Array.from(resolve(operand, run).data))
}

/** Operands of a step by name. */
export function operandsOf(step: Step): Record<string, Operand> {
  return Object.fromEntries(Object.entries(step).filter((entry): entry is [string, Operand] => isOperand(entry[1])))
}

const elements = ({ shape }: Operand) => shape.reduce((product, size) => product * size, 1)
const written = [
  'y',
  'dx',
  'dw',
  'db',
  'loss',
  'correct',
  'counted',
  'weight',
  'matrix',
  'counts',
  'dlogits',
  'dpredictions',
  'positions',
  'norm',
]
const overwriting = [
  ...activationNames.flatMap((name) => [name, `${name}Backward`]),
  'add',
  'multiply',
  'scale',
  'dropout',
  'clipByNorm',
  'clipByValue',
  'batchNorm',
  'batchNormBackward',
]

/** What is wrong with the memory of a program's steps, as the native core would refuse it: places outside, unaligned, written while they are read. */
export function memoryFaults({ steps, arenaElements }: ProgramSpec): string[] {
  const faults: string[] = []
  for (const [index, step] of steps.entries()) {
    const operands = Object.entries(operandsOf(step))
    for (const [name, operand] of operands) {
      if (operand.space !== 'arena') continue
      if (operand.offset % 16 !== 0 || operand.offset + elements(operand) > arenaElements)
        faults.push(`${index} ${step.op}: ${name} is out of place`)
      if (!written.includes(name) || (name === 'y' && step.op.endsWith('Backward'))) continue
      for (const [otherName, other] of operands) {
        if (other === operand || other.space !== 'arena') continue
        const overlaps = operand.offset < other.offset + elements(other) && other.offset < operand.offset + elements(operand)
        const exactly = operand.offset === other.offset && elements(operand) === elements(other) && operand.batched === other.batched
        if (overlaps && !(exactly && overwriting.includes(step.op))) faults.push(`${index} ${step.op}: ${name} overlaps ${otherName}`)
      }
    }
  }
  return faults
}
