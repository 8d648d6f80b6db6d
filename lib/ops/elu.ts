import { checkNumber } from '../shape'
import { activationOp } from './elementwise'
import type { OpOptions } from './options'

export interface EluOptions extends OpOptions {
  /** What negative numbers go to, 0 or more. Default 1 (Keras, PyTorch). */
  readonly alpha?: number | undefined
}

const op = activationOp<EluOptions>('elu', true, {
  options: ['alpha'],
  attributes: ({ alpha = 1 }, label) => ({ alpha: checkNumber(alpha, label, 'alpha', { low: 0 }) }),
})
export const eluOp = op.forward
export const eluBackwardOp = op.backward

/** x where x > 0, else alpha · (eˣ − 1), element by element. Any shape. Throws `INVALID_ARGUMENT`, and for a bad tensor. */
export const elu = op.call
/** `{ dx }`, the gradient of elu at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ, `INVALID_ARGUMENT`. */
export const eluBackward = op.callBackward
