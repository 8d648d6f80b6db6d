import { invalid } from '../check'
import type { Samples } from '../data/dataset'
import { dense } from '../layers/dense'
import { flatten } from '../layers/flatten'
import type { Model, RankedTensor } from '../model/model'
import { sequential } from '../model/sequential'
import { checkChoice } from '../shape'
import { checkZooOptions, type ZooOptions } from './image'

export interface MlpOptions extends ZooOptions {
  /** Units of each hidden layer. Default `[30]`. */
  readonly hidden?: readonly number[]
  /**
   * What the last layer does. `'linear'`: gives logits, for the loss `'softmaxCrossEntropy'` and class numbers. `'sigmoid'`: as the book's first chapters, for
   * `'meanSquaredError'` (its quadratic cost, but for a factor) and one-hot targets. Default `'linear'`.
   */
  readonly output?: 'linear' | 'sigmoid'
}

/**
 * The network of Nielsen's "Neural Networks and Deep Learning" (2015), chapters 1 and 2: all pixels in a row, 30 sigmoid units, one unit for each class.
 * 784-30-10 for MNIST. Weights begin as Glorot has them, not as normal numbers of variance 1. Gives logits `[N, classes]`.
 *
 * With `hidden: [100]` it is the larger one of chapter 3.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function mlp(options: MlpOptions): Model<Samples, RankedTensor<2>> {
  checkZooOptions('mlp', options, 1, ['hidden', 'output'])
  const { classes, hidden = [30], output = 'linear', ...others } = options
  if (!Array.isArray(hidden)) throw invalid('mlp', 'hidden', 'an array of numbers of units', hidden)
  const last = checkChoice(output, ['linear', 'sigmoid'], 'mlp', 'output')
  const layers = hidden.map((units) => dense(units, { activation: 'sigmoid' }))
  return sequential(others, flatten(), ...layers, dense(classes, { activation: last })) as Model<Samples, RankedTensor<2>>
}
