import { numberOf, operand, type ReferenceStep, scalarOf } from './step'

/** param = momentum · param + (1 − momentum) · value, or with a scalar's share of the value; a share of 1 is the value, whatever param was. */
export function movingAverage(step: ReferenceStep): void {
  const param = operand(step, 'param').data
  const value = operand(step, 'value').data
  const { share } = step.attributes
  const taken = typeof share === 'string' ? scalarOf(step, share) : 1 - numberOf(step, 'momentum')
  const kept = typeof share === 'string' ? 1 - taken : numberOf(step, 'momentum')
  const anew = typeof share === 'string' && kept === 0
  for (let i = 0; i < param.length; i++) param[i] = anew ? value[i]! : kept * param[i]! + taken * value[i]!
}
