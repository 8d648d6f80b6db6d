import { flagOf, numberOf, operand, optional, type ReferenceStep, rateOf } from './step'

/** Stochastic gradient descent with momentum and weight decay, as PyTorch defines it. */
export function sgd(step: ReferenceStep): void {
  const param = operand(step, 'param').data
  const velocity = optional(step, 'velocity')?.data
  const grad = operand(step, 'grad').data
  const momentum = numberOf(step, 'momentum', 0)
  const weightDecay = numberOf(step, 'weightDecay', 0)
  const decoupled = flagOf(step, 'decoupled')
  const nesterov = flagOf(step, 'nesterov')
  const learningRate = rateOf(step)
  for (let i = 0; i < param.length; i++) {
    const g = grad[i]! + (decoupled ? 0 : weightDecay * param[i]!)
    if (decoupled) param[i]! -= learningRate * weightDecay * param[i]!
    const v = velocity ? momentum * velocity[i]! + g : g
    if (velocity) velocity[i] = v
    param[i]! -= learningRate * (nesterov ? g + momentum * v : v)
  }
}
