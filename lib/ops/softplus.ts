import { activationOp } from './elementwise'

const op = activationOp('softplus', true)
export const softplusOp = op.forward
export const softplusBackwardOp = op.backward

/** log(1 + eˣ), element by element, without overflow. Any shape. Keras' and PyTorch's with β = 1. Throws for a bad tensor. */
export const softplus = op.call
/** `{ dx }`, the gradient of softplus at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const softplusBackward = op.callBackward
