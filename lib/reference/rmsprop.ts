import { flagOf, numberOf, operand, optional, type ReferenceStep, rateOf } from './step'

/** RMSProp as PyTorch defines it: epsilon beside the root; centered where there is a mean, with momentum where there is a velocity. */
export function rmsprop(step: ReferenceStep): void {
  const param = operand(step, 'param').data
  const square = operand(step, 'square').data
  const mean = optional(step, 'mean')?.data
  const velocity = optional(step, 'velocity')?.data
  const grad = operand(step, 'grad').data
  const alpha = numberOf(step, 'alpha')
  const epsilon = numberOf(step, 'epsilon')
  const momentum = numberOf(step, 'momentum', 0)
  const weightDecay = numberOf(step, 'weightDecay', 0)
  const decoupled = flagOf(step, 'decoupled')
  const learningRate = rateOf(step)
  for (let i = 0; i < param.length; i++) {
    const g = grad[i]! + (decoupled ? 0 : weightDecay * param[i]!)
    if (decoupled) param[i]! -= learningRate * weightDecay * param[i]!
    const v = alpha * square[i]! + (1 - alpha) * g * g
    square[i] = v
    let variance = v
    if (mean) {
      const m = alpha * mean[i]! + (1 - alpha) * g
      mean[i] = m
      variance = Math.max(0, v - m * m)
    }
    let update = g / (Math.sqrt(variance) + epsilon)
    if (velocity) {
      update += momentum * velocity[i]!
      velocity[i] = update
    }
    param[i]! -= learningRate * update
  }
}
