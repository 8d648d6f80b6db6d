import { ConvlaneError } from '../errors'
import { numberOf, numbersOf, operand, type ReferenceStep } from './step'

/** Norms over the first and last axis of `[before, outputs, after]` limited or made 1, or nothing below 0. */
export function constrain(step: ReferenceStep): void {
  const { data } = operand(step, 'param')
  const { rule } = step.attributes
  if (rule === 'nonNegative') {
    for (let i = 0; i < data.length; i++) if (data[i]! < 0) data[i] = 0
    return
  }
  if (rule !== 'maxNorm' && rule !== 'unitNorm') throw new ConvlaneError('INVALID_STEP', `there is no rule ${String(rule)}`)
  const [before, outputs, after] = numbersOf(step, 'incoming') as [number, number, number]
  for (let output = 0; output < outputs; output++) {
    const places: number[] = []
    for (let i = 0; i < before; i++) for (let j = 0; j < after; j++) places.push((i * outputs + output) * after + j)
    const norm = Math.sqrt(places.reduce((sum, place) => sum + data[place]! * data[place]!, 0))
    const limit = rule === 'unitNorm' ? 1 : numberOf(step, 'limit')
    if (norm === 0 || (rule === 'maxNorm' && !(norm > limit))) continue
    for (const place of places) data[place] = data[place]! * (limit / norm)
  }
}
