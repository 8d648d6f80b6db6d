import { activationOp } from './elementwise'

const op = activationOp('softsign', true)
export const softsignOp = op.forward
export const softsignBackwardOp = op.backward

/** x / (1 + |x|), element by element. Any shape. Throws for a bad tensor. */
export const softsign = op.call
/** `{ dx }`, the gradient of softsign at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const softsignBackward = op.callBackward
