import { numberOf, operand, type ReferenceStep } from './step'

/** Writes one value everywhere. */
export function fill(step: ReferenceStep): void {
  operand(step, 'y').data.fill(numberOf(step, 'value'))
}
