import {
  adaptiveAveragePool1d,
  adaptiveAveragePool2d,
  adaptiveAveragePool3d,
  add,
  averagePool1d,
  averagePool2d,
  averagePool3d,
  batchNorm,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  crop1d,
  crop2d,
  crop3d,
  dense,
  depthwiseConv1d,
  depthwiseConv2d,
  dropout,
  elu,
  flatten,
  gelu,
  globalAveragePool1d,
  globalAveragePool2d,
  globalAveragePool3d,
  globalMaxPool1d,
  globalMaxPool2d,
  globalMaxPool3d,
  groupNorm,
  hardSigmoid,
  hardSwish,
  identityShortcut,
  input,
  instanceNorm,
  type Layer,
  layerNorm,
  leakyRelu,
  linear,
  linearThreshold,
  logSoftmax,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  type Model,
  maxout,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  mish,
  multiply,
  network,
  normalize,
  permute,
  prelu,
  relu,
  rescale,
  reshape,
  resize1d,
  resize2d,
  resize3d,
  rmsNorm,
  rnn,
  selu,
  separableConv1d,
  separableConv2d,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  spatialDropout,
  tanh,
  upsample1d,
  upsample2d,
  upsample3d,
  zeroPad1d,
  zeroPad2d,
  zeroPad3d,
} from '../../lib/index'
import { Random } from './random'

/** A small model around one kind of layer; `foreign`: what of it other formats say with other words, so that it comes back as other layers, or not. */
export interface LayerModel {
  readonly name: string
  readonly make: () => Model
}

const [sequence, image, volume] = [
  [9, 4],
  [8, 7, 4],
  [5, 6, 4, 2],
] as const
const row = [6] as const

// biome-ignore lint/suspicious/noExplicitAny: layers of any rank, put together by hand
const of = (shape: readonly number[], ...layers: any[]): LayerModel => ({
  name: `${layers.map((layer: Layer) => `${layer.type}${textOf(layer)}`).join(', ')} of [${shape.join(', ')}]`,
  make: () => (sequential as (...args: unknown[]) => Model)({ input: shape, seed: 3 }, ...layers),
})
function textOf(layer: Layer): string {
  const given = Object.entries(layer.config()).filter(([key]) => !/Initializer|activation|bias$/.test(key))
  return given.length > 0 ? `(${given.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(', ')})` : ''
}
const net = (name: string, make: () => Model): LayerModel => ({ name, make })

const activations = [
  linear(),
  relu(),
  sigmoid(),
  tanh(),
  softmax(),
  logSoftmax(),
  selu(),
  silu(),
  mish(),
  softplus(),
  softsign(),
  hardSigmoid(),
  hardSwish(),
  leakyRelu(),
  leakyRelu({ slope: 0.01 }),
  elu({ alpha: 0.7 }),
  gelu(),
  gelu({ approximate: 'tanh' }),
  linearThreshold({ max: 6 }),
  linearThreshold({ max: 0.5, slope: 0.1, threshold: -0.2 }),
  linearThreshold({ slope: 0.1 }),
]

/** Every kind of layer in the ways that change what it computes. */
export const layerModels: readonly LayerModel[] = [
  of(sequence, conv1d(3, 3)),
  of(sequence, conv1d(6, 3, { stride: 2, padding: 'same', groups: 2 })),
  of(sequence, conv1d(3, 3, { padding: 'causal', dilation: 2, bias: false })),
  of(image, conv2d(3, 3)),
  of(image, conv2d(8, [3, 2], { stride: [2, 1], padding: 'same', groups: 4, activation: 'relu' })),
  of(
    image,
    conv2d(3, 3, {
      padding: [
        [2, 0],
        [1, 3],
      ],
      dilation: [2, 1],
      bias: false,
    }),
  ),
  of(image, conv2d(5, 1)),
  of(image, conv2d(3, 5, { padding: 2, activation: 'gelu' })),
  of(volume, conv3d(3, [2, 3, 2], { padding: 'same', stride: 2 })),
  of(volume, conv3d(4, 2, { groups: 2, dilation: [1, 2, 1] })),
  of(sequence, convTranspose1d(3, 4, { stride: 3 })),
  of(image, convTranspose2d(6, 3, { stride: 2, padding: 'same', groups: 2 })),
  of(image, convTranspose2d(3, [3, 2], { stride: [2, 3], padding: 1, outputPadding: [1, 2], activation: 'relu' })),
  of(image, convTranspose2d(3, 3, { dilation: 2, bias: false })),
  of(volume, convTranspose3d(3, 2, { stride: 2 })),
  of(sequence, depthwiseConv1d(3, { depthMultiplier: 2 })),
  of(image, depthwiseConv2d(3, { padding: 'same', stride: 2 })),
  of(image, depthwiseConv2d([3, 2], { depthMultiplier: 3, dilation: 2 })),
  of(sequence, separableConv1d(3, 3)),
  of(image, separableConv2d(5, 3, { padding: 'same', depthMultiplier: 2, activation: 'relu' })),
  of(sequence, maxPool1d(2)),
  of(image, maxPool2d(2)),
  of(image, maxPool2d(3, { stride: 2, padding: 1 })),
  of(image, maxPool2d(3, { stride: 2, ceil: true })),
  of(image, maxPool2d([2, 3], { stride: 1, padding: 'same', dilation: [2, 1] })),
  of(volume, maxPool3d(2, { ceil: true })),
  of(sequence, averagePool1d(3, { stride: 2 })),
  of(image, averagePool2d(2)),
  of(image, averagePool2d(3, { stride: 2, padding: 'same' })),
  of(image, averagePool2d(3, { stride: 2, padding: 1, countPadding: true })),
  of(image, averagePool2d(3, { stride: 2, padding: 1, countPadding: true, ceil: true })),
  of(image, averagePool2d(3, { stride: 2, ceil: true })),
  of(image, averagePool2d(2, { stride: 1, dilation: 2 })),
  of(volume, averagePool3d(2)),
  of(sequence, lpPool1d(3)),
  of(image, lpPool2d(3, { p: 3, stride: 2, padding: 1 })),
  of(image, lpPool2d(3, { p: 1, stride: 2, ceil: true })),
  of(volume, lpPool3d(2, { p: 2 })),
  of(sequence, adaptiveAveragePool1d(4)),
  of(image, adaptiveAveragePool2d([4, 7])),
  of(image, adaptiveAveragePool2d([3, 5])),
  of(image, adaptiveAveragePool2d(1)),
  of(volume, adaptiveAveragePool3d([2, 5, 3])),
  of(sequence, globalAveragePool1d()),
  of(image, globalAveragePool2d(), dense(3)),
  of(volume, globalAveragePool3d()),
  of(sequence, globalMaxPool1d()),
  of(image, globalMaxPool2d()),
  of(volume, globalMaxPool3d()),
  of(row, batchNorm()),
  of(sequence, batchNorm({ scale: false })),
  of(image, batchNorm({ epsilon: 1e-5, momentum: 0.9, activation: 'relu' })),
  of(image, batchNorm({ center: false })),
  of(row, layerNorm()),
  of(image, layerNorm({ axes: 1 })),
  of(image, layerNorm({ axes: 3, scale: false })),
  of(image, layerNorm({ axes: 2, center: false })),
  of(image, rmsNorm()),
  of(image, rmsNorm({ axes: 3, scale: false })),
  of(row, groupNorm(2)),
  of(image, groupNorm(2)),
  of(image, groupNorm(4, { scale: false, center: false })),
  of(volume, groupNorm(1)),
  of(sequence, instanceNorm()),
  of(image, instanceNorm({ epsilon: 1e-5 })),
  ...activations.map((layer) => of(image, layer)),
  ...activations.map((layer) => of(row, layer)),
  of(row, prelu({ alphaInitializer: 'normal' })),
  of(image, prelu({ alphaInitializer: 'normal' })),
  of(image, prelu({ alphaInitializer: 'normal', sharedAxes: [1] })),
  of(image, prelu({ alphaInitializer: 'normal', sharedAxes: [] })),
  of(row, dense(4)),
  of(row, dense(4, { bias: false, activation: 'tanh' })),
  of(image, flatten(), dense(5)),
  of(image, conv2d(3, 3), relu(), maxPool2d(2), flatten(), dense(6), batchNorm(), relu(), dense(4), softmax()),
  of(image, flatten(), dense(12), reshape([2, 2, 3]), conv2d(3, 2)),
  of(image, conv2d(3, 3), reshape([6, 15])),
  of(image, permute([3, 1, 2]), conv2d(2, 3)),
  of(sequence, permute([2, 1]), dropout(0.5)),
  of(sequence, spatialDropout(0.5), maxout(2)),
  of(image, maxout(4)),
  of(row, dense(6), maxout(3)),
  of(sequence, rnn(5)),
  of(sequence, rnn(3, { all: true, outputs: 2, activation: 'relu' })),
  of(sequence, crop1d([1, 2])),
  of(
    image,
    crop2d([
      [0, 1],
      [2, 0],
    ]),
  ),
  of(volume, crop3d(1)),
  of(sequence, zeroPad1d([1, 2])),
  of(
    image,
    zeroPad2d([
      [0, 1],
      [2, 0],
    ]),
    conv2d(2, 3),
  ),
  of(volume, zeroPad3d(1)),
  of(image, zeroPad2d(2), maxPool2d(2)),
  of(image, rescale({ offset: -3 }), zeroPad2d(1), maxPool2d(3, { stride: 1 })),
  of(image, zeroPad2d(1), averagePool2d(3, { stride: 1 })),
  of(image, permute([3, 1, 2]), resize2d([5, 9])),
  of(sequence, upsample1d(2)),
  of(sequence, upsample1d(3, { interpolation: 'linear' })),
  of(image, upsample2d([2, 3])),
  of(image, upsample2d(2, { interpolation: 'bilinear' })),
  of(volume, upsample3d(2)),
  of(volume, upsample3d(2, { interpolation: 'trilinear' })),
  of(sequence, resize1d(5)),
  of(image, resize2d([11, 3])),
  of(image, resize2d([12, 4], { interpolation: 'nearest' })),
  of(image, resize2d([5, 14], { interpolation: 'nearest' })),
  of(volume, resize3d([3, 7, 2])),
  of(image, identityShortcut(6, { stride: 2 })),
  of(image, identityShortcut(4, { stride: [2, 1] })),
  of(image, normalize({ mean: [0.1, 0.2, 0.3, 0.4], deviation: [0.5, 1, 2, 3] })),
  of(row, rescale({ scale: 0.5, offset: -1 })),
  of(image, rescale({ offset: [1, 2, 3, 4] })),
  net('a position for each bias', () =>
    sequential({ input: [6, 6, 2], seed: 3 }, conv2d(3, 3, { bias: 'position', biasInitializer: 'normal' }), relu()),
  ),
  net('branches that are added, multiplied and put side by side', () => {
    const x = input([8, 8, 3])
    const a = conv2d(4, 3, { padding: 'same', activation: 'relu' }).apply(x)
    const b = batchNorm().apply(conv2d(4, 1, { bias: false }).apply(x))
    const c = multiply().apply(sigmoid().apply(a), b)
    const joined = concat().apply(add().apply(a, b, c), x)
    return network({
      inputs: x,
      outputs: dense(5, { name: 'logits' }).apply(globalAveragePool2d().apply(joined)),
      seed: 3,
    }) as unknown as Model
  }),
  net('several inputs and outputs, one of them used twice', () => {
    const [x, extra] = [input([6, 6, 2], { name: 'image' }), input([3], { name: 'facts' })]
    const features = flatten().apply(maxPool2d(2).apply(conv2d(4, 3).apply(x)))
    const all = concat().apply(features, extra)
    const logits = dense(4, { name: 'logits' }).apply(all)
    return network({
      inputs: [x, extra],
      outputs: [logits, softmax({ name: 'chances' }).apply(logits), features],
      seed: 3,
    }) as unknown as Model
  }),
  net('an input that is an output', () => {
    const x = input([4, 4, 2])
    return network({ inputs: x, outputs: [x, relu().apply(x)], seed: 3 }) as unknown as Model
  }),
  net('one layer used twice', () => {
    const [a, b] = [input([5, 5, 2]), input([5, 5, 2])]
    const shared = conv2d(3, 3, { name: 'shared' })
    const outputs = concat().apply(flatten().apply(shared.apply(a)), flatten().apply(relu().apply(shared.apply(b))))
    return network({ inputs: [a, b], outputs, seed: 3 }) as unknown as Model
  }),
]

/** Moves all weights and statistics a little, so that none is what it begins as. */
export async function shake(model: Model, seed = 1): Promise<void> {
  const random = new Random(seed)
  const weights = await model.getWeights()
  for (const [name, { data }] of Object.entries(weights)) {
    const isVariance = name.endsWith('movingVariance')
    for (let index = 0; index < data.length; index++)
      data[index] = isVariance ? random.between(0.5, 2) : data[index]! + random.between(-0.2, 0.2)
  }
  await model.setWeights(weights)
}
