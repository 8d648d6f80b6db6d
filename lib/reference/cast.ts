import { operand, type ReferenceStep } from './step'

/** The same numbers in another element type; whole ones towards zero and within int32, 0 for NaN. The step's `to` says which. */
export function cast(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const y = operand(step, 'y').data
  const isWhole = step.attributes.to === 'int32'
  for (let i = 0; i < y.length; i++) {
    const value = x[i]!
    y[i] = isWhole ? Math.trunc(Math.min(Math.max(Number.isNaN(value) ? 0 : value, -(2 ** 31)), 2 ** 31 - 1)) : value
  }
}
