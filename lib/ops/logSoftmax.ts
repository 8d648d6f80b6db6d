import { activationOp } from './elementwise'

const op = activationOp('logSoftmax', false)
export const logSoftmaxOp = op.forward
export const logSoftmaxBackwardOp = op.backward

/** x − log Σ eˣ over the last axis, `[..., C]`: the logarithm of softmax, without its underflow. Throws for a bad tensor. */
export const logSoftmax = op.call
/** `{ dx }`, the gradient of logSoftmax at `x` (its input) applied to `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const logSoftmaxBackward = op.callBackward
