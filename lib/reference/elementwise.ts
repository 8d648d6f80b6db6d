import { activations } from './activation'
import { operand, optional, type ReferenceStep } from './step'

/** y[i] = f(x[i]). */
export function mapOf(f: (x: number) => number): (step: ReferenceStep) => void {
  return (step) => {
    const x = operand(step, 'x').data
    const y = operand(step, 'y').data
    for (let i = 0; i < y.length; i++) y[i] = f(x[i]!)
  }
}

/** y[i] = f(x[i]) for each activation, and dx[i] from dy[i] (and what is added to it) and y[i] or x[i], under the names of the steps. */
export const activationSteps: Readonly<Record<string, (step: ReferenceStep) => void>> = Object.fromEntries(
  Object.entries(activations).flatMap(([name, { of, gradient, from: source }]) => {
    const forward = (step: ReferenceStep) => {
      const x = operand(step, 'x').data
      const y = operand(step, 'y').data
      for (let i = 0; i < y.length; i++) y[i] = of(x[i]!, step.attributes)
    }
    const backward = (step: ReferenceStep) => {
      const dy = operand(step, 'dy').data
      const also = optional(step, 'also')?.data
      const from = operand(step, source).data
      const dx = operand(step, 'dx').data
      for (let i = 0; i < dx.length; i++) dx[i] = gradient(dy[i]! + (also?.[i] ?? 0), from[i]!, step.attributes)
    }
    return [
      [name, forward],
      [`${name}Backward`, backward],
    ]
  }),
)
