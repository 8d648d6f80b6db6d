import type { Samples } from '../data/dataset'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { flatten } from '../layers/flatten'
import { maxPool2d } from '../layers/pool2d'
import type { Model, RankedTensor } from '../model/model'
import { sequential } from '../model/sequential'
import { checkZooOptions, type ZooOptions } from './image'

/** Height and width: at least 4 each. */
export interface LenetOptions extends ZooOptions {}

/**
 * A small network for small images, after LeCun, Bottou, Bengio and Haffner's LeNet-5 (1998): two convolutions of 32 and 64 filters, 3 × 3 and 5 × 5, with
 * relu, each halved by max-pooling, and a dense layer of 128. (LeNet-5 itself has 6 and 16 filters, subsampling and tanh.) Gives logits `[N, classes]`.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function lenet(options: LenetOptions): Model<Samples, RankedTensor<2>> {
  checkZooOptions('lenet', options, 4)
  const { classes, ...others } = options
  return sequential(
    others,
    conv2d(32, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    conv2d(64, 5, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: 'relu' }),
    dense(classes),
  )
}
