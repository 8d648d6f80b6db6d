import { checkInteger, checkNumber } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import { checkFlag, checkOptions, type OpOptions } from './options'
import { runUpdate } from './update'

export interface AdamUpdateOptions extends OpOptions {
  /** What the last update gave; zeros at first. */
  readonly m: Tensor
  /** What the last update gave; zeros at first. */
  readonly v: Tensor
  /** Number of this update, 1 at the first. */
  readonly step: number
  /** Finite. Default 0.001. */
  readonly learningRate?: number | undefined
  /** 0 ≤ beta1 < 1. Default 0.9. */
  readonly beta1?: number | undefined
  /** 0 ≤ beta2 < 1. Default 0.999. */
  readonly beta2?: number | undefined
  /** 0 ≤ epsilon. Default 1e-8. */
  readonly epsilon?: number | undefined
  /** 0 ≤ weightDecay, added to the gradient. Default 0. */
  readonly weightDecay?: number | undefined
  /** Takes learningRate · weightDecay · param off the parameter instead (AdamW). Default false. */
  readonly decoupled?: boolean | undefined
}

/**
 * One update by Adam (Kingma and Ba, 2015; weight decay as PyTorch's Adam has it): moving averages m of the gradient and v of its square, both corrected
 * for their start at zero. Gives new tensors. All of one shape. Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function adam(param: Tensor, grad: Tensor, options: AdamUpdateOptions): { param: Tensor; m: Tensor; v: Tensor } {
  checkOptions(options, ['m', 'v', 'step', 'learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'decoupled'], 'adam')
  checkTensor(param, 'adam', 'param')
  const rate = { low: 0, high: 1, below: true }
  const attributes = {
    beta1: checkNumber(options.beta1 ?? 0.9, 'adam', 'beta1', rate),
    beta2: checkNumber(options.beta2 ?? 0.999, 'adam', 'beta2', rate),
    epsilon: checkNumber(options.epsilon ?? 1e-8, 'adam', 'epsilon', { low: 0 }),
    weightDecay: checkNumber(options.weightDecay ?? 0, 'adam', 'weightDecay', { low: 0 }),
    decoupled: checkFlag(options.decoupled, 'adam', 'decoupled'),
  }
  const scalars = {
    learningRate: checkNumber(options.learningRate ?? 0.001, 'adam', 'learningRate'),
    step: checkInteger(options.step, 'adam', 'step', 1, Number.MAX_SAFE_INTEGER),
  }
  const { m, v } = options
  return runUpdate('adam', { param, m, v, grad }, attributes, scalars, options) as { param: Tensor; m: Tensor; v: Tensor }
}
