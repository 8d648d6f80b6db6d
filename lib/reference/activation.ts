import { ConvlaneError } from '../errors'
import type { ReferenceStep } from './step'

/** max(0, x); NaN passes through, −0 becomes 0. */
export const reluOf = (x: number): number => Math.max(x, 0)
export const sigmoidOf = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
export const tanhOf = (x: number): number => Math.tanh(x)

/** The step's `activation`, applied to a result before it is stored. */
export function activationOf(step: ReferenceStep): (x: number) => number {
  const name = step.attributes.activation ?? 'linear'
  switch (name) {
    case 'linear':
      return (x) => x
    case 'relu':
      return reluOf
    case 'sigmoid':
      return sigmoidOf
    case 'tanh':
      return tanhOf
    default:
      throw new ConvlaneError('INVALID_STEP', `unknown activation ${String(name)}`)
  }
}
