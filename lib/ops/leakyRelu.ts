import { checkNumber } from '../shape'
import { activationOp } from './elementwise'
import type { OpOptions } from './options'

export interface LeakyReluOptions extends OpOptions {
  /** Of the negative side, 0 or more. Default 0.3 (Keras' layer; its function has 0.2, PyTorch 0.01). */
  readonly slope?: number | undefined
}

const op = activationOp<LeakyReluOptions>('leakyRelu', true, {
  options: ['slope'],
  attributes: ({ slope = 0.3 }, label) => ({ slope: checkNumber(slope, label, 'slope', { low: 0 }) }),
})
export const leakyReluOp = op.forward
export const leakyReluBackwardOp = op.backward

/** x where x > 0, else slope · x, element by element. Any shape. The gradient at 0 is the slope. Throws `INVALID_ARGUMENT`, and for a bad tensor. */
export const leakyRelu = op.call
/** `{ dx }`, the gradient of leakyRelu at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ, `INVALID_ARGUMENT`. */
export const leakyReluBackward = op.callBackward
