import { activationOf } from './activation'
import { operand, type ReferenceStep } from './step'

/** y = activation(a + b). */
export function add(step: ReferenceStep): void {
  const a = operand(step, 'a').data
  const b = operand(step, 'b').data
  const y = operand(step, 'y').data
  const activate = activationOf(step)
  for (let i = 0; i < y.length; i++) y[i] = activate(a[i]! + b[i]!)
}
