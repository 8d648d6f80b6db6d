import type { Operand, Step } from '../../binding'
import { type ConvolutionAlgorithm, convolutionAlgorithms } from '../ops/convolution'
import type { CompiledProgram } from './compile'

/** Algorithms of convolutions that were chosen by time, by what `geometryOf` says. */
export type AlgorithmChoices = Readonly<Record<string, ConvolutionAlgorithm>>

/** Whether it is a convolution for which nobody says how it is computed. */
export const isOpen = (step: Step): boolean => step.algorithm === 'auto'

/** The program with those of its convolutions computed as `choose` says for which nobody else does. */
export function withAlgorithms(compiled: CompiledProgram, choose: (step: Step) => string): CompiledProgram {
  const steps = compiled.spec.steps.map((step) => (isOpen(step) ? { ...step, algorithm: choose(step) } : step))
  return { ...compiled, spec: { ...compiled.spec, steps } }
}

/** What a convolution's cost does not follow from, or hardly: inference takes what was found for training. */
const aside = ['op', 'bias', 'activation', 'algorithm']

/** Names a convolution's pass with its sizes, but the batch, on an instruction set. */
export function geometryOf(step: Step, isa: string): string {
  const sizes = ([name, value]: [string, Step[string]]): string => {
    if (typeof value !== 'object') return `${name}=${value}`
    if (!('space' in value)) return `${name}=${value.flat()}`
    const { shape, batched } = value as Operand
    return `${name}=${batched ? shape.slice(1) : shape}`
  }
  const parts = Object.entries(step).filter(([name]) => !aside.includes(name))
  return [isa, step.op, ...parts.map(sizes).sort()].join(' ')
}

/** Whether it is the name of an algorithm, and not of a rule to choose one. */
export const isAlgorithm = (name: unknown): name is ConvolutionAlgorithm =>
  convolutionAlgorithms.includes(name as ConvolutionAlgorithm) && !['auto', 'noWinograd', 'winograd'].includes(name as string)
