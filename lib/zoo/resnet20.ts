import type { Samples } from '../data/dataset'
import { relu } from '../layers/activation'
import { batchNorm } from '../layers/batchNorm'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { identityShortcut } from '../layers/identityShortcut'
import { add } from '../layers/merge'
import { input, type Node } from '../layers/node'
import { globalAveragePool2d } from '../layers/pool2d'
import type { Model, RankedTensor } from '../model/model'
import { network } from '../model/network'
import { checkZooOptions, type ZooOptions } from './image'

export interface Resnet20Options extends ZooOptions {}

/** A 3 × 3 convolution that begins as He has it, and batch normalization, whose epsilon and momentum are PyTorch's. */
function conv(x: Node<4>, filters: number, stride: number, activation: 'relu' | 'linear'): Node<4> {
  const y = conv2d(filters, 3, { stride, padding: 1, bias: false, kernelInitializer: 'heNormal' }).apply(x)
  return batchNorm({ momentum: 0.9, epsilon: 1e-5, activation }).apply(y)
}

/** Two convolutions beside the identity. */
function block(x: Node<4>, filters: number, stride: number): Node<4> {
  const residual = conv(conv(x, filters, stride, 'relu'), filters, 1, 'linear')
  const shortcut = stride === 1 ? x : identityShortcut(filters, { stride }).apply(x)
  return relu().apply(add().apply(residual, shortcut))
}

/**
 * ResNet-20 for CIFAR-10 of He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016), section 4.2 with n = 3: a 3 × 3 stem of 16
 * filters, three basic blocks each of 16, 32 and 64 filters, the first of the last two with stride 2, the mean of each channel and a dense layer. Shortcuts
 * have no weights, as there (option A): where sizes change they take every second pixel and add channels of zeros. Gives logits `[N, classes]`.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function resnet20(options: Resnet20Options): Model<Samples, RankedTensor<2>> {
  checkZooOptions('resnet20', options, 1)
  const { input: shape, classes, ...others } = options
  const image: Node<4> = input(shape)
  let x = conv(image, 16, 1, 'relu')
  for (const filters of [16, 32, 64]) {
    for (let n = 0; n < 3; n++) x = block(x, filters, n === 0 && filters !== 16 ? 2 : 1)
  }
  const logits = dense(classes).apply(globalAveragePool2d().apply(x))
  return network({ ...others, inputs: image, outputs: logits }) as Model<Samples, RankedTensor<2>>
}
