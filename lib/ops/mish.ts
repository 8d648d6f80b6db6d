import { activationOp } from './elementwise'

const op = activationOp('mish', true, { fromInput: true })
export const mishOp = op.forward
export const mishBackwardOp = op.backward

/** x · tanh(log(1 + eˣ)), element by element. Any shape. Throws for a bad tensor. */
export const mish = op.call
/** `{ dx }`, the gradient of mish at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const mishBackward = op.callBackward
