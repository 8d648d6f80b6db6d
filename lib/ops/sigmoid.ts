import { activationOp } from './elementwise'

const op = activationOp('sigmoid', true)
export const sigmoidOp = op.forward
export const sigmoidBackwardOp = op.backward

/** 1 / (1 + e⁻ˣ), element by element. Any shape. Throws for a bad tensor. */
export const sigmoid = op.call
/** `{ dx }`, the gradient of sigmoid at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const sigmoidBackward = op.callBackward
