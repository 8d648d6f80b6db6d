import { numberOf, operand, type ReferenceStep } from './step'

/** param = momentum · param + (1 − momentum) · value. */
export function movingAverage(step: ReferenceStep): void {
  const param = operand(step, 'param').data
  const value = operand(step, 'value').data
  const momentum = numberOf(step, 'momentum')
  for (let i = 0; i < param.length; i++) param[i] = momentum * param[i]! + (1 - momentum) * value[i]!
}
