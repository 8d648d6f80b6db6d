import type { Value } from '../graph/value'
import type { Tensor } from '../tensor'
import type { LayerNormOptions } from './layerNorm'
import { rowNormOps } from './rowNorm'

const op = rowNormOps({ name: 'rmsNorm', centered: false, epsilon: 1e-6 })
export const rmsNormOp = op.forward
export const rmsNormBackwardOp = op.backward

/** Options of {@link rmsNorm}. */
export interface RmsNormOptions<T = Tensor> extends Omit<LayerNormOptions<T>, 'beta' | 'epsilon'> {
  /** 0 ≤ epsilon, added to the mean square. Default 1e-6, as in Keras; PyTorch's is the distance from 1 to the next float32, 1.19e-7. */
  readonly epsilon?: number | undefined
}

/** Overloads of {@link rmsNorm}. */
export interface RmsNorm {
  (x: Tensor, options?: RmsNormOptions): Tensor
  (x: Value, options?: RmsNormOptions<Value>): Value
}
/** Overloads of {@link rmsNormBackward}. */
export interface RmsNormBackward {
  (dy: Tensor, x: Tensor, options?: Omit<RmsNormOptions, 'activation'>): { dx: Tensor; dgamma: Tensor }
  (dy: Value, x: Value, options?: Omit<RmsNormOptions<Value>, 'activation'>): { dx: Value; dgamma: Value }
}

/**
 * Root mean square normalization (Zhang and Sennrich, 2019): each row of the last axis (or of the last `axes` axes together) of `x` by the root of
 * its mean square; y = activation(gamma · x / √(mean of x² + epsilon)). No mean is taken off and nothing is added.
 *
 * Throws `INVALID_SHAPE`, `INVALID_ARGUMENT`, `INVALID_TENSOR`, `INVALID_DTYPE`.
 */
export const rmsNorm = op.run as RmsNorm

/** Gradients of `rmsNorm(x, options)` without an activation, by `x` and gamma, given that of its result, `dy`. Throws as `rmsNorm` does. */
export const rmsNormBackward = op.runBackward as RmsNormBackward
