import { activationOp } from './elementwise'

const op = activationOp('relu', true)
export const reluOp = op.forward
export const reluBackwardOp = op.backward

/** max(0, x); NaN stays NaN, element by element. Any shape. Throws for a bad tensor. */
export const relu = op.call
/** `{ dx }`, the gradient of relu at `x` (its input) times `dy`; the gradient at 0 is 0. Throws `INVALID_SHAPE` when their shapes differ. */
export const reluBackward = op.callBackward
