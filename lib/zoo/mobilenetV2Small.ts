import { invalid } from '../check'
import type { Samples } from '../data/dataset'
import { batchNorm } from '../layers/batchNorm'
import { conv2d } from '../layers/conv2d'
import { dense } from '../layers/dense'
import { add } from '../layers/merge'
import { input, type Node } from '../layers/node'
import { globalAveragePool2d } from '../layers/pool2d'
import type { Model, RankedTensor } from '../model/model'
import { network } from '../model/network'
import { checkNumber } from '../shape'
import { checkZooOptions, type ZooOptions } from './image'

export interface MobilenetV2SmallOptions extends ZooOptions {
  /** What the paper's numbers of channels are multiplied by, above 0. Default 0.35, the smallest of the paper. */
  readonly width?: number
}

/** Table 2 of the paper; strides for small images. */
const rows = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 1 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const

/** The nearest multiple of 8, at least 8, that is no less than nine tenths: the rule of the paper's own code. */
function wholeEights(channels: number): number {
  const nearest = Math.max(8, 8 * Math.floor((channels + 4) / 8))
  return nearest < 0.9 * channels ? nearest + 8 : nearest
}

/** Running statistics that follow within a few dozen steps. */
const norm = (activation: 'relu6' | 'linear') => batchNorm({ momentum: 0.9, activation })

function conv(x: Node<4>, filters: number, size: number, activation: 'relu6' | 'linear'): Node<4> {
  const y = conv2d(filters, size, { padding: 'same', bias: false, kernelInitializer: 'heNormal' }).apply(x)
  return norm(activation).apply(y)
}

/** More channels, a 3 × 3 filter on each of them by itself, and few channels again, without an activation; beside the identity where sizes stay. */
function invertedResidual(x: Node<4>, expansion: number, filters: number, stride: number): Node<4> {
  const channels = x.shape[3]!
  const expanded = expansion === 1 ? x : conv(x, channels * expansion, 1, 'relu6')
  const groups = expanded.shape[3]!
  const filtered = conv2d(groups, 3, { stride, padding: 1, groups, bias: false, kernelInitializer: 'heNormal' }).apply(expanded)
  const bottleneck = conv(norm('relu6').apply(filtered), filters, 1, 'linear')
  return stride === 1 && channels === filters ? add().apply(x, bottleneck) : bottleneck
}

/**
 * MobileNetV2 of Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2: inverted residuals and linear bottlenecks" (2018), narrow and for images of about
 * 28 × 28 to 32 × 32: the paper's seventeen blocks with relu6, but strides of 1 in the stem and in the second row, so that 32 × 32 pixels become 4 × 4, and
 * a last convolution that is scaled with the others (the paper keeps its 1,280 channels). Gives logits `[N, classes]`.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function mobilenetV2Small(options: MobilenetV2SmallOptions): Model<Samples, RankedTensor<2>> {
  checkZooOptions('mobilenetV2Small', options, 1, ['width'])
  const { input: shape, classes, width = 0.35, ...others } = options
  if (checkNumber(width, 'mobilenetV2Small', 'width', { low: 0 }) === 0) throw invalid('mobilenetV2Small', 'width', 'above 0', width)
  const image: Node<4> = input(shape)
  let x = conv(image, wholeEights(32 * width), 3, 'relu6')
  for (const { expansion, channels, blocks, stride } of rows) {
    for (let n = 0; n < blocks; n++) x = invertedResidual(x, expansion, wholeEights(channels * width), n === 0 ? stride : 1)
  }
  x = conv(x, wholeEights(1280 * width), 1, 'relu6')
  const logits = dense(classes).apply(globalAveragePool2d().apply(x))
  return network({ ...others, inputs: image, outputs: logits }) as Model<Samples, RankedTensor<2>>
}
