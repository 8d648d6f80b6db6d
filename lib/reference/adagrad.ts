import { flagOf, numberOf, operand, type ReferenceStep, rateOf, scalarOf } from './step'

/** Adagrad as PyTorch defines it; the accumulator's first value is added where it is read. */
export function adagrad(step: ReferenceStep): void {
  const param = operand(step, 'param').data
  const sum = operand(step, 'sum').data
  const grad = operand(step, 'grad').data
  const epsilon = numberOf(step, 'epsilon')
  const initial = numberOf(step, 'initialAccumulator', 0)
  const weightDecay = numberOf(step, 'weightDecay', 0)
  const decoupled = flagOf(step, 'decoupled')
  const learningRate = rateOf(step)
  const rate = learningRate / (1 + (scalarOf(step, 'step') - 1) * numberOf(step, 'learningRateDecay', 0))
  for (let i = 0; i < param.length; i++) {
    const g = grad[i]! + (decoupled ? 0 : weightDecay * param[i]!)
    if (decoupled) param[i]! -= learningRate * weightDecay * param[i]!
    const total = sum[i]! + g * g
    sum[i] = total
    param[i]! -= (rate * g) / (Math.sqrt(initial + total) + epsilon)
  }
}
