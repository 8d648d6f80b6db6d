import { numberOf, operand, optional, type ReferenceStep } from './step'

/** y = x · s · factor; s is a tensor of one element, 1 when absent. */
export function scale(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const s = (optional(step, 's')?.data[0] ?? 1) * numberOf(step, 'factor', 1)
  const y = operand(step, 'y').data
  for (let i = 0; i < y.length; i++) y[i] = x[i]! * s
}
