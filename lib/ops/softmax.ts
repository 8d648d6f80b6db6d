import { activationOp } from './elementwise'

const op = activationOp('softmax', false)
export const softmaxOp = op.forward
export const softmaxBackwardOp = op.backward

/** eˣ / Σ eˣ over the last axis, `[..., C]`. To train with cross-entropy use `softmaxCrossEntropy` on the logits instead. Throws for a bad tensor. */
export const softmax = op.call
/** `{ dx }`, the gradient of softmax at `x` (its input) applied to `dy`. Throws `INVALID_SHAPE` when their shapes differ. */
export const softmaxBackward = op.callBackward
