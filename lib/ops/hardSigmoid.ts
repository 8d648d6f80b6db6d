import { activationOp } from './elementwise'

const op = activationOp('hardSigmoid', true)
export const hardSigmoidOp = op.forward
export const hardSigmoidBackwardOp = op.backward

/** min(1, max(0, x/6 + ½)), element by element. Any shape. PyTorch's and Keras 3's (Keras 2 had x/5); the gradient at ±3 is 0. Throws for a bad tensor. */
export const hardSigmoid = op.call
/** `{ dx }`, the gradient of hardSigmoid at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const hardSigmoidBackward = op.callBackward
