import { checkInteger, checkNumber } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import { checkFlag, checkOptions, type OpOptions } from './options'
import { runUpdate } from './update'

export interface AdagradUpdateOptions extends OpOptions {
  /** Sum of the gradients' squares: what the last update gave; zeros at first. */
  readonly sum: Tensor
  /** Number of this update, 1 at the first. */
  readonly step: number
  /** Finite. Default 0.01. */
  readonly learningRate?: number | undefined
  /** 0 ≤ learningRateDecay. Default 0. */
  readonly learningRateDecay?: number | undefined
  /** 0 ≤ initialAccumulator: what the sum is taken to begin with. Default 0. */
  readonly initialAccumulator?: number | undefined
  /** 0 ≤ epsilon. Default 1e-10. */
  readonly epsilon?: number | undefined
  /** 0 ≤ weightDecay, added to the gradient. Default 0. */
  readonly weightDecay?: number | undefined
  /** Takes learningRate · weightDecay · param off the parameter instead. Default false. */
  readonly decoupled?: boolean | undefined
}

/**
 * One update by Adagrad (PyTorch's form): sum += g²; param − learningRate / (1 + (step − 1) · learningRateDecay) · g / (√(initialAccumulator + sum) + ε).
 * Gives new tensors. All of one shape. Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function adagrad(param: Tensor, grad: Tensor, options: AdagradUpdateOptions): { param: Tensor; sum: Tensor } {
  const names = ['sum', 'step', 'learningRate', 'learningRateDecay', 'initialAccumulator', 'epsilon', 'weightDecay', 'decoupled']
  checkOptions(options, names, 'adagrad')
  checkTensor(param, 'adagrad', 'param')
  const attributes = {
    learningRateDecay: checkNumber(options.learningRateDecay ?? 0, 'adagrad', 'learningRateDecay', { low: 0 }),
    initialAccumulator: checkNumber(options.initialAccumulator ?? 0, 'adagrad', 'initialAccumulator', { low: 0 }),
    epsilon: checkNumber(options.epsilon ?? 1e-10, 'adagrad', 'epsilon', { low: 0 }),
    weightDecay: checkNumber(options.weightDecay ?? 0, 'adagrad', 'weightDecay', { low: 0 }),
    decoupled: checkFlag(options.decoupled, 'adagrad', 'decoupled'),
  }
  const scalars = {
    learningRate: checkNumber(options.learningRate ?? 0.01, 'adagrad', 'learningRate'),
    step: checkInteger(options.step, 'adagrad', 'step', 1, Number.MAX_SAFE_INTEGER),
  }
  return runUpdate('adagrad', { param, sum: options.sum, grad }, attributes, scalars, options) as { param: Tensor; sum: Tensor }
}
