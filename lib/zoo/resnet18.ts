import type { Samples } from '../data/dataset'
import { relu } from '../layers/activation'
import { batchNorm } from '../layers/batchNorm'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { add } from '../layers/merge'
import { input, type Node } from '../layers/node'
import { globalAveragePool2d } from '../layers/pool2d'
import type { Model, RankedTensor } from '../model/model'
import { network } from '../model/network'
import { checkZooOptions, type ZooOptions } from './image'

export interface Resnet18Options extends ZooOptions {}

/** With PyTorch's momentum: running statistics follow within some dozens of steps. */
const norm = (activation: 'relu' | 'linear') => batchNorm({ momentum: 0.9, activation })

/** A 3 × 3 convolution, which needs no bias before batch normalization. */
function conv(x: Node<4>, filters: number, stride: number, activation: 'relu' | 'linear'): Node<4> {
  const y = conv2d(filters, 3, { stride, padding: 1, bias: false }).apply(x)
  return norm(activation).apply(y)
}

/** Two convolutions beside the identity or, where sizes change, a 1 × 1 projection. */
function block(x: Node<4>, filters: number, stride: number): Node<4> {
  const residual = conv(conv(x, filters, stride, 'relu'), filters, 1, 'linear')
  const shortcut = stride === 1 ? x : norm('linear').apply(conv2d(filters, 1, { stride, bias: false }).apply(x))
  return relu().apply(add().apply(residual, shortcut))
}

/**
 * ResNet-18 of He, Zhang, Ren and Sun (2016), in the form for images of CIFAR's size: a 3 × 3 stem of 64 filters without pooling, two basic blocks each of 64,
 * 128, 256 and 512 filters, the first of the last three with stride 2, the mean of each channel and a dense layer. Gives logits `[N, classes]`.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function resnet18(options: Resnet18Options): Model<Samples, RankedTensor<2>> {
  checkZooOptions('resnet18', options, 1)
  const { input: shape, classes, ...others } = options
  const image: Node<4> = input(shape)
  let x = conv(image, 64, 1, 'relu')
  for (const filters of [64, 128, 256, 512]) {
    x = block(x, filters, filters === 64 ? 1 : 2)
    x = block(x, filters, 1)
  }
  const logits = dense(classes).apply(globalAveragePool2d().apply(x))
  return network({ ...others, inputs: image, outputs: logits }) as Model<Samples, RankedTensor<2>>
}
