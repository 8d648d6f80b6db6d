import { operand, optional, type ReferenceStep } from './step'

/** loss = mean over all elements of (prediction − target)², and its gradient. */
export function meanSquaredError(step: ReferenceStep): void {
  const predictions = operand(step, 'predictions').data
  const targets = operand(step, 'targets').data
  const loss = operand(step, 'loss').data
  const dpredictions = optional(step, 'dpredictions')?.data
  const count = predictions.length
  let total = 0
  for (let i = 0; i < count; i++) {
    const difference = predictions[i]! - targets[i]!
    total += difference * difference
    if (dpredictions) dpredictions[i] = (2 * difference) / count
  }
  loss[0] = total / count
}
