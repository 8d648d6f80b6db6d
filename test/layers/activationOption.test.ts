import { describe, expect, test } from 'vitest'
import * as lib from '../../lib/index'
import { type Activation, input, type Layer, network } from '../../lib/index'
import { randomTensor } from '../support/models'

/** Every word of the option, and the layer that computes the same. */
const activations: Record<Activation, () => Layer> = {
  linear: lib.linear,
  relu: lib.relu,
  leakyRelu: lib.leakyRelu,
  relu6: () => lib.linearThreshold({ max: 6 }),
  elu: lib.elu,
  selu: lib.selu,
  gelu: lib.gelu,
  geluTanh: () => lib.gelu({ approximate: 'tanh' }),
  silu: lib.silu,
  mish: lib.mish,
  softplus: lib.softplus,
  softsign: lib.softsign,
  sigmoid: lib.sigmoid,
  hardSigmoid: lib.hardSigmoid,
  hardSwish: lib.hardSwish,
  tanh: lib.tanh,
  softmax: lib.softmax,
  logSoftmax: lib.logSoftmax,
}

/** Every layer that has the option, by the ranks it takes. */
const layers: Record<string, [sample: number[], make: (options: { activation?: Activation }) => Layer]> = {
  dense: [[5], (options) => lib.dense(4, options)],
  batchNorm: [[3, 4], (options) => lib.batchNorm(options)],
  conv1d: [[6, 2], (options) => lib.conv1d(4, 3, options)],
  conv2d: [[4, 5, 2], (options) => lib.conv2d(4, 3, options)],
  'conv2d, a bias for each position': [[4, 5, 2], (options) => lib.conv2d(4, 3, { ...options, bias: 'position' })],
  conv3d: [[3, 4, 3, 2], (options) => lib.conv3d(4, 2, options)],
  convTranspose1d: [[4, 2], (options) => lib.convTranspose1d(4, 3, options)],
  convTranspose2d: [[3, 2, 2], (options) => lib.convTranspose2d(4, 2, { ...options, stride: 2 })],
  convTranspose3d: [[2, 3, 2, 2], (options) => lib.convTranspose3d(4, 2, options)],
  depthwiseConv1d: [[6, 4], (options) => lib.depthwiseConv1d(3, options)],
  depthwiseConv2d: [[4, 5, 4], (options) => lib.depthwiseConv2d(3, options)],
  separableConv1d: [[6, 2], (options) => lib.separableConv1d(4, 3, options)],
  separableConv2d: [[4, 5, 2], (options) => lib.separableConv2d(4, 3, options)],
}

describe.each(Object.entries(layers))('%s', (_, [sample, make]) => {
  test.each(Object.entries(activations))('with %s is the layer with the activation behind it', async (activation, then) => {
    const x = input(sample)
    const seed = 3
    const both = [make({ activation: activation as Activation }).apply(x), then().apply(make({}).apply(x))]
    const [fused, apart] = both.map((outputs) => network({ inputs: x, outputs, seed }))
    const data = randomTensor([3, ...sample], 7)
    expect((await fused!.predict(data)).data).toEqual((await apart!.predict(data)).data)
  })
})
