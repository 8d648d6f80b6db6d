import { operand, type ReferenceStep } from './step'

/** y = a · b, element by element. */
export function multiply(step: ReferenceStep): void {
  const a = operand(step, 'a').data
  const b = operand(step, 'b').data
  const y = operand(step, 'y').data
  for (let i = 0; i < y.length; i++) y[i] = a[i]! * b[i]!
}
