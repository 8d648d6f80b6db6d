import type { Value } from '../graph/value'
import type { Tensor } from '../tensor'
import type { Activation } from './activation'
import type { OpOptions } from './options'
import { rowNormOps } from './rowNorm'

const op = rowNormOps({ name: 'layerNorm', centered: true, epsilon: 1e-3 })
export const layerNormOp = op.forward
export const layerNormBackwardOp = op.backward

export interface LayerNormOptions<T = Tensor> extends OpOptions {
  /** What is normalized is multiplied by it: of the shape of the normalized axes, `[C]` for the last one. Default: 1. */
  readonly gamma?: T | undefined
  /** Added to it after that, of the same shape. Default: 0. */
  readonly beta?: T | undefined
  /** How many of the last axes are normalized together, at least one axis being left. Default 1. PyTorch names their sizes instead (`normalized_shape`). */
  readonly axes?: number | undefined
  /** 0 ≤ epsilon, added to the variance. Default 1e-3, as in Keras; PyTorch has 1e-5. */
  readonly epsilon?: number | undefined
  /** Applied to the result. Default `'linear'`. */
  readonly activation?: Activation | undefined
}

/** Overloads of {@link layerNorm}. */
export interface LayerNorm {
  (x: Tensor, options?: LayerNormOptions): Tensor
  (x: Value, options?: LayerNormOptions<Value>): Value
}
/** Overloads of {@link layerNormBackward}. */
export interface LayerNormBackward {
  (dy: Tensor, x: Tensor, options?: Omit<LayerNormOptions, 'beta' | 'activation'>): { dx: Tensor; dgamma: Tensor; dbeta: Tensor }
  (dy: Value, x: Value, options?: Omit<LayerNormOptions<Value>, 'beta' | 'activation'>): { dx: Value; dgamma: Value; dbeta: Value }
}

/**
 * Layer normalization (Ba, Kiros and Hinton, 2016): each row of the last axis (or of the last `axes` axes together) of `x` less its mean, by its
 * deviation; y = activation(gamma · (x − mean) / √(variance + epsilon) + beta). The variance is divided by the number of values. Gradients flow through
 * mean and variance.
 *
 * Throws `INVALID_SHAPE`, `INVALID_ARGUMENT`, `INVALID_TENSOR`, `INVALID_DTYPE`.
 */
export const layerNorm = op.run as LayerNorm

/** Gradients of `layerNorm(x, options)` without an activation, by `x`, gamma and beta, given that of its result, `dy`. Throws as `layerNorm` does. */
export const layerNormBackward = op.runBackward as LayerNormBackward
