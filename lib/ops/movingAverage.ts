import { checkNumber } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import { checkOptions, type OpOptions } from './options'
import { runUpdate } from './update'

export interface MovingAverageOptions extends OpOptions {
  /** What remains of the average, 0 to 1. Default 0.99, as in Keras; PyTorch's `momentum` is what is taken of the value, 1 less this. */
  readonly momentum?: number | undefined
}

/**
 * One step of a moving average: momentum · average + (1 − momentum) · value, of one shape, as a new tensor. In training it is the update of batch
 * normalization's running statistics. Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function movingAverage(average: Tensor, value: Tensor, options: MovingAverageOptions = {}): Tensor {
  checkOptions(options, ['momentum'], 'movingAverage')
  checkTensor(average, 'movingAverage', 'average')
  const momentum = checkNumber(options.momentum ?? 0.99, 'movingAverage', 'momentum', { low: 0, high: 1 })
  return runUpdate('movingAverage', { param: average, value }, { momentum }, {}, options).param!
}
