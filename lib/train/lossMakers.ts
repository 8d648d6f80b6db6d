import type { FocalOptions, HuberOptions, SigmoidCrossEntropyOptions } from '../ops/losses'
import type { OpOptions } from '../ops/options'
import type { SoftmaxCrossEntropyOptions } from '../ops/softmaxCrossEntropy'
import { makeLoss, type NamedLoss } from './losses'

/** The options of an op without those of how it runs. */
export type LossOptions<O extends OpOptions> = Omit<O, keyof OpOptions>

/**
 * Softmax cross-entropy for `compile`, with label smoothing, an ignored label, weights of the classes. The mean is divided by the sum of the weights (PyTorch's
 * rule; Keras divides by the number of samples). Samples with the ignored label are left out of metrics about classes, too.
 *
 * @example
 * ```js
 * import { dense, sequential, sgd, softmaxCrossEntropy } from 'convlane'
 *
 * const model = sequential({ input: [4] }, dense(3))
 * model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: softmaxCrossEntropy({ labelSmoothing: 0.1, classWeights: [1, 1, 5] }) })
 * ```
 * @throws INVALID_ARGUMENT; `compile` throws INVALID_SHAPE unless there is a weight for each class
 */
export function softmaxCrossEntropy(options: LossOptions<SoftmaxCrossEntropyOptions> = {}): NamedLoss {
  return makeLoss('softmaxCrossEntropy', options)
}

/** Sigmoid cross-entropy for `compile`, with label smoothing and the weight of positives. Throws INVALID_ARGUMENT. */
export function sigmoidCrossEntropy(options: LossOptions<SigmoidCrossEntropyOptions> = {}): NamedLoss {
  return makeLoss('sigmoidCrossEntropy', options)
}

/** The Huber loss for `compile`: `huber({ delta: 2 })`. Throws INVALID_ARGUMENT. */
export function huber(options: LossOptions<HuberOptions> = {}): NamedLoss {
  return makeLoss('huber', options)
}

/** The focal loss for `compile`: `focal({ gamma: 1, alpha: 0.5 })`. Throws INVALID_ARGUMENT. */
export function focal(options: LossOptions<FocalOptions> = {}): NamedLoss {
  return makeLoss('focal', options)
}
