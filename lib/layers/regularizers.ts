import { checkOptions } from '../check'
import { checkNumber } from '../shape'

/**
 * What a tensor w adds to the loss: l1 · Σ |w| + l2 · Σ w², so that its gradient grows by l1 · sign(w) + 2 · l2 · w. Keras' rule; PyTorch's `weightDecay` of
 * an optimizer adds its factor times w to the gradient, as an `l2` of half as much does with plain SGD, and is not part of the loss.
 */
export interface Regularizer {
  /** 0 or more. Default 0. */
  readonly l1?: number
  /** 0 or more. Default 0. */
  readonly l2?: number
}

/** Throws INVALID_ARGUMENT. */
export function checkRegularizer(value: unknown, label: string, argument: string): Regularizer {
  const at = `${label}: ${argument}`
  checkOptions(at, value, ['l1', 'l2'])
  const { l1 = 0, l2 = 0 } = value as Regularizer
  return { l1: checkNumber(l1, at, 'l1', { low: 0 }), l2: checkNumber(l2, at, 'l2', { low: 0 }) }
}
