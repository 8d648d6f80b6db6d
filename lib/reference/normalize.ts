import { numbersOf, operand, type ReferenceStep } from './step'

/** y = x · scale + offset, with one number for all or one per channel of the last axis. */
export function normalize(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const y = operand(step, 'y').data
  const scales = numbersOf(step, 'scale')
  const offsets = numbersOf(step, 'offset')
  for (let i = 0; i < y.length; i++) y[i] = x[i]! * scales[i % scales.length]! + offsets[i % offsets.length]!
}
