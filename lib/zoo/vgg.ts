import type { Samples } from '../data/dataset'
import { batchNorm } from '../layers/batchNorm'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { globalAveragePool2d, maxPool2d } from '../layers/pool2d'
import type { Model, RankedTensor } from '../model/model'
import { sequential } from '../model/sequential'
import { checkZooOptions, type ZooOptions } from './image'

/** Height and width: at least 4 each. */
export interface VggOptions extends ZooOptions {}

/** What batch normalization adds is added by it alone. */
const conv = (filters: number) => conv2d(filters, 3, { padding: 'same', bias: false })
/** Running statistics that follow within some dozens of steps: with Keras' 0.99, few images are not enough for them. */
const norm = () => batchNorm({ momentum: 0.9, activation: 'relu' })

/**
 * A plain network of 3 × 3 convolutions for small colour images, after Simonyan and Zisserman's VGG (2015), with batch normalization: pairs of 64, 128 and 256
 * filters, max-pooling between them, the mean of each channel and a dense layer. Gives logits `[N, classes]`.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function vgg(options: VggOptions): Model<Samples, RankedTensor<2>> {
  checkZooOptions('vgg', options, 4)
  const { classes, ...others } = options
  return sequential(
    others,
    conv(64),
    norm(),
    conv(64),
    norm(),
    maxPool2d(2),
    conv(128),
    norm(),
    conv(128),
    norm(),
    maxPool2d(2),
    conv(256),
    norm(),
    conv(256),
    norm(),
    globalAveragePool2d(),
    dense(classes),
  )
}
