import { activationOp } from './elementwise'

const op = activationOp('hardSwish', true, { fromInput: true })
export const hardSwishOp = op.forward
export const hardSwishBackwardOp = op.backward

/** x · min(1, max(0, x/6 + ½)), element by element. Any shape. The gradient is 0 up to −3 and 1 from 3 on. Throws for a bad tensor. */
export const hardSwish = op.call
/** `{ dx }`, the gradient of hardSwish at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const hardSwishBackward = op.callBackward
