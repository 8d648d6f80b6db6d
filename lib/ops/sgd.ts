import { ConvlaneError } from '../errors'
import { checkNumber } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import { checkFlag, checkOptions, type OpOptions } from './options'
import { runUpdate } from './update'

export interface SgdUpdateOptions extends OpOptions {
  /** Finite. */
  readonly learningRate: number
  /** 0 ≤ momentum. Default 0. More than 0 needs `velocity`, and so does `nesterov`. */
  readonly momentum?: number | undefined
  /** Default false. */
  readonly nesterov?: boolean | undefined
  /** 0 ≤ weightDecay. Default 0. */
  readonly weightDecay?: number | undefined
  /** Takes learningRate · weightDecay · param off the parameter instead of adding weightDecay · param to its gradient. Default false. */
  readonly decoupled?: boolean | undefined
  /** What the last update gave; zeros at first. */
  readonly velocity?: Tensor | undefined
}

/**
 * One update by stochastic gradient descent (PyTorch's): g = grad + weightDecay · param; velocity = momentum · velocity + g;
 * param − learningRate · (nesterov ? g + momentum · velocity : velocity). Gives new tensors. All of one shape.
 * Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function sgd(param: Tensor, grad: Tensor, options: SgdUpdateOptions): { param: Tensor; velocity?: Tensor } {
  checkOptions(options, ['learningRate', 'momentum', 'nesterov', 'weightDecay', 'decoupled', 'velocity'], 'sgd')
  checkTensor(param, 'sgd', 'param')
  const attributes = {
    momentum: checkNumber(options.momentum ?? 0, 'sgd', 'momentum', { low: 0 }),
    nesterov: checkFlag(options.nesterov, 'sgd', 'nesterov'),
    weightDecay: checkNumber(options.weightDecay ?? 0, 'sgd', 'weightDecay', { low: 0 }),
    decoupled: checkFlag(options.decoupled, 'sgd', 'decoupled'),
  }
  const scalars = { learningRate: checkNumber(options.learningRate, 'sgd', 'learningRate') }
  const { velocity } = options
  if ((attributes.momentum > 0 || attributes.nesterov) && velocity === undefined) {
    throw new ConvlaneError('INVALID_ARGUMENT', 'sgd: momentum needs a velocity')
  }
  const tensors = { param, ...(velocity === undefined ? {} : { velocity }), grad }
  return runUpdate('sgd', tensors, attributes, scalars, options) as { param: Tensor; velocity?: Tensor }
}
