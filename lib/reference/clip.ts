import { numberOf, operand, type ReferenceStep } from './step'

/** The root of the sum of squares over all elements of x0, x1, … */
export function l2Norm(step: ReferenceStep): void {
  let total = 0
  for (let part = 0; part < numberOf(step, 'count'); part++) {
    for (const value of operand(step, `x${part}`).data) total += value * value
  }
  operand(step, 'norm').data[0] = Math.sqrt(total)
}

/** Shortens x to the limit where the norm exceeds it; 1e-6 beside the norm is PyTorch's. */
export function clipByNorm(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const y = operand(step, 'y').data
  const ratio = numberOf(step, 'limit') / (operand(step, 'norm').data[0]! + 1e-6)
  const factor = ratio > 1 ? 1 : ratio
  for (let i = 0; i < y.length; i++) y[i] = x[i]! * factor
}

/** Each element brought into −limit … limit. */
export function clipByValue(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const y = operand(step, 'y').data
  const limit = numberOf(step, 'limit')
  for (let i = 0; i < y.length; i++) y[i] = Math.max(-limit, Math.min(limit, x[i]!))
}
