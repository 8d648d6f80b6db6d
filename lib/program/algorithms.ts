import type { Step } from '../../binding'
import type { CompiledProgram } from './compile'

/** Whether it is a convolution for which nobody says how it is computed. */
export const isOpen = (step: Step): boolean => step.algorithm === 'auto'

/** The program with those of its convolutions computed as `choose` says for which nobody else does. */
export function withAlgorithms(compiled: CompiledProgram, choose: (step: Step) => string): CompiledProgram {
  const steps = compiled.spec.steps.map((step) => (isOpen(step) ? { ...step, algorithm: choose(step) } : step))
  return { ...compiled, spec: { ...compiled.spec, steps } }
}
