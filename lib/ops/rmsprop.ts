import { ConvlaneError } from '../errors'
import { checkNumber } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import { checkFlag, checkOptions, type OpOptions } from './options'
import { runUpdate } from './update'

export interface RmspropUpdateOptions extends OpOptions {
  /** Moving mean of the gradient's square: what the last update gave; zeros at first. */
  readonly square: Tensor
  /** Moving mean of the gradient, for the centered form: what the last update gave; zeros at first. */
  readonly mean?: Tensor | undefined
  /** What the last update gave; zeros at first. A momentum above 0 needs it. */
  readonly velocity?: Tensor | undefined
  /** Finite. Default 0.01. */
  readonly learningRate?: number | undefined
  /** 0 ≤ alpha < 1. Default 0.99. */
  readonly alpha?: number | undefined
  /** 0 ≤ epsilon. Default 1e-8. */
  readonly epsilon?: number | undefined
  /** 0 ≤ momentum. Default 0. */
  readonly momentum?: number | undefined
  /** 0 ≤ weightDecay, added to the gradient. Default 0. */
  readonly weightDecay?: number | undefined
  /** Takes learningRate · weightDecay · param off the parameter instead. Default false. */
  readonly decoupled?: boolean | undefined
}

/**
 * One update by RMSProp (PyTorch's form, epsilon beside the root, momentum without the learning rate): square = α · square + (1 − α) g²;
 * v = g / (√(square − mean²) + ε), mean only where it is given; velocity = momentum · velocity + v; param − learningRate · velocity.
 * Gives new tensors. All of one shape. Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function rmsprop(
  param: Tensor,
  grad: Tensor,
  options: RmspropUpdateOptions,
): { param: Tensor; square: Tensor; mean?: Tensor; velocity?: Tensor } {
  const names = ['square', 'mean', 'velocity', 'learningRate', 'alpha', 'epsilon', 'momentum', 'weightDecay', 'decoupled']
  checkOptions(options, names, 'rmsprop')
  checkTensor(param, 'rmsprop', 'param')
  const attributes = {
    alpha: checkNumber(options.alpha ?? 0.99, 'rmsprop', 'alpha', { low: 0, high: 1, below: true }),
    epsilon: checkNumber(options.epsilon ?? 1e-8, 'rmsprop', 'epsilon', { low: 0 }),
    momentum: checkNumber(options.momentum ?? 0, 'rmsprop', 'momentum', { low: 0 }),
    weightDecay: checkNumber(options.weightDecay ?? 0, 'rmsprop', 'weightDecay', { low: 0 }),
    decoupled: checkFlag(options.decoupled, 'rmsprop', 'decoupled'),
  }
  const scalars = { learningRate: checkNumber(options.learningRate ?? 0.01, 'rmsprop', 'learningRate') }
  const { square, mean, velocity } = options
  if (attributes.momentum > 0 && velocity === undefined) throw new ConvlaneError('INVALID_ARGUMENT', 'rmsprop: momentum needs a velocity')
  const tensors = { param, square, ...(mean && { mean }), ...(velocity && { velocity }), grad }
  return runUpdate('rmsprop', tensors, attributes, scalars, options) as ReturnType<typeof rmsprop>
}
