import { activationOp } from './elementwise'

const op = activationOp('selu', true)
export const seluOp = op.forward
export const seluBackwardOp = op.backward

/** 1.0507… · (x where x > 0, else 1.67326… · (eˣ − 1)), element by element: keeps mean 0 and variance 1 (Klambauer et al.). Any shape. Throws for a bad tensor. */
export const selu = op.call
/** `{ dx }`, the gradient of selu at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const seluBackward = op.callBackward
