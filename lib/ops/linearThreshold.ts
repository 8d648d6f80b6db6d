import { ConvlaneError } from '../errors'
import { checkNumber } from '../shape'
import { activationOp } from './elementwise'
import type { OpOptions } from './options'

export interface LinearThresholdOptions extends OpOptions {
  /** What no result exceeds. Default: none. */
  readonly max?: number | undefined
  /** Of the side below the threshold, 0 or more. Default 0. */
  readonly slope?: number | undefined
  /** Where x begins to pass, at most `max`. Default 0. */
  readonly threshold?: number | undefined
}

/** Throws `INVALID_ARGUMENT` for what is no finite number, a negative slope and a threshold above the maximum. */
export function thresholdAttributes({ max, slope = 0, threshold = 0 }: LinearThresholdOptions, label: string) {
  const attributes = {
    slope: checkNumber(slope, label, 'slope', { low: 0 }),
    threshold: checkNumber(threshold, label, 'threshold'),
  }
  if (max === undefined) return attributes
  if (checkNumber(max, label, 'max') >= threshold) return { max, ...attributes }
  throw new ConvlaneError('INVALID_ARGUMENT', `${label}: max must be at least the threshold ${threshold}, received ${max}`, {
    received: max,
  })
}

const op = activationOp<LinearThresholdOptions>('linearThreshold', true, {
  fromInput: true,
  options: ['max', 'slope', 'threshold'],
  attributes: thresholdAttributes,
})
export const linearThresholdOp = op.forward
export const linearThresholdBackwardOp = op.backward

/**
 * Relu with a cap, a slope and a threshold (Keras' `ReLU`): min(x, max) where x ≥ threshold, else slope · (x − threshold), element by element. Any
 * shape. The gradient is the slope at the threshold and 0 at `max`. Throws `INVALID_ARGUMENT`, and for a bad tensor.
 */
export const linearThreshold = op.call
/** `{ dx }`, the gradient of linearThreshold at `x` (its input) times `dy`. Throws `INVALID_SHAPE` when their shapes differ, `INVALID_ARGUMENT`. */
export const linearThresholdBackward = op.callBackward
