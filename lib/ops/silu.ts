import { activationOp } from './elementwise'

const op = activationOp('silu', true, { fromInput: true })
export const siluOp = op.forward
export const siluBackwardOp = op.backward

/** x / (1 + e⁻ˣ), element by element; also called swish. Any shape. Throws for a bad tensor. */
export const silu = op.call
/** `{ dx }`, the gradient of silu at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const siluBackward = op.callBackward
