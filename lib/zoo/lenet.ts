import type { Samples } from '../data/dataset'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { flatten } from '../layers/flatten'
import { maxPool2d } from '../layers/pool2d'
import type { Model, ModelOptions, RankedTensor } from '../model/model'
import { sequential } from '../model/sequential'
import { checkInteger } from '../shape'

export interface LenetOptions extends ModelOptions {
  /** Height and width, at least 4 each, and channels. */
  readonly input: readonly [height: number, width: number, channels: number]
  readonly classes: number
}

/**
 * A small network for small images, after LeCun's LeNet-5 (1998): two convolutions of 32 and 64 filters, each halved by max-pooling, and a dense
 * layer of 128. Gives logits `[N, classes]`.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function lenet(options: LenetOptions): Model<Samples, RankedTensor<2>> {
  const { classes, ...others } = options
  return sequential(
    others,
    conv2d(32, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    conv2d(64, 5, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: 'relu' }),
    dense(checkInteger(classes, 'lenet', 'classes')),
  )
}
