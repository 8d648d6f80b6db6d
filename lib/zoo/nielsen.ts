import { invalid } from '../check'
import type { Samples } from '../data/dataset'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { dropout } from '../layers/dropout'
import { flatten } from '../layers/flatten'
import { maxPool2d } from '../layers/pool2d'
import type { Model, RankedTensor } from '../model/model'
import { sequential } from '../model/sequential'
import { checkZooOptions, type ZooOptions } from './image'

/** Height and width: at least 16 each. */
export interface NielsenOptions extends ZooOptions {
  /** Units of each fully connected layer. Default `[1000, 1000]`. */
  readonly hidden?: readonly number[]
  /** Share of the inputs that each fully connected layer, the last one too, is trained without. Default 0.5. */
  readonly dropout?: number
}

/**
 * The network of Nielsen's "Neural Networks and Deep Learning" (2015), chapter 6, in its last form: two convolutions of 20 and 40 filters, 5 × 5 without
 * padding, with relu, each halved by max-pooling; two fully connected layers of 1,000 with relu; what goes into these and into the last layer passes dropout.
 * Weights begin as Glorot has them. Gives logits `[N, classes]`.
 *
 * With `hidden: [100]` and `dropout: 0` it is the chapter's network before dropout, with one fully connected layer of 100.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function nielsen(options: NielsenOptions): Model<Samples, RankedTensor<2>> {
  checkZooOptions('nielsen', options, 16, ['hidden', 'dropout'])
  const { classes, hidden = [1000, 1000], dropout: rate = 0.5, ...others } = options
  if (!Array.isArray(hidden)) throw invalid('nielsen', 'hidden', 'an array of numbers of units', hidden)
  const connected = hidden.flatMap((units) => [dropout(rate), dense(units, { activation: 'relu' })])
  return sequential(
    others,
    conv2d(20, 5, { activation: 'relu' }),
    maxPool2d(2),
    conv2d(40, 5, { activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    ...connected,
    dropout(rate),
    dense(classes),
  ) as Model<Samples, RankedTensor<2>>
}
