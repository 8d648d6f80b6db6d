import { activationOp } from './elementwise'

const op = activationOp('tanh', true)
export const tanhOp = op.forward
export const tanhBackwardOp = op.backward

/** The hyperbolic tangent, element by element. Any shape. Throws for a bad tensor. */
export const tanh = op.call
/** `{ dx }`, the gradient of tanh at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const tanhBackward = op.callBackward
