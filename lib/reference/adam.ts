import { flagOf, numberOf, operand, type ReferenceStep, rateOf, scalarOf } from './step'

/** Adam with bias correction; weight decay is added to the gradient, as in PyTorch's Adam, or decoupled from it, as in AdamW. */
export function adam(step: ReferenceStep): void {
  const param = operand(step, 'param').data
  const m = operand(step, 'm').data
  const v = operand(step, 'v').data
  const grad = operand(step, 'grad').data
  const beta1 = numberOf(step, 'beta1')
  const beta2 = numberOf(step, 'beta2')
  const epsilon = numberOf(step, 'epsilon')
  const weightDecay = numberOf(step, 'weightDecay', 0)
  const decoupled = flagOf(step, 'decoupled')
  const learningRate = rateOf(step)
  const count = scalarOf(step, 'step')
  const correction1 = 1 - beta1 ** count
  const correction2 = 1 - beta2 ** count
  for (let i = 0; i < param.length; i++) {
    const g = grad[i]! + (decoupled ? 0 : weightDecay * param[i]!)
    if (decoupled) param[i]! -= learningRate * weightDecay * param[i]!
    const mean = beta1 * m[i]! + (1 - beta1) * g
    const square = beta2 * v[i]! + (1 - beta2) * g * g
    m[i] = mean
    v[i] = square
    param[i]! -= (learningRate / correction1) * (mean / (Math.sqrt(square) / Math.sqrt(correction2) + epsilon))
  }
}
