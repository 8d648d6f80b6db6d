import {
  type Activation,
  adaptiveAveragePool1d,
  adaptiveAveragePool2d,
  add,
  averagePool1d,
  averagePool2d,
  averagePool3d,
  batchNorm,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  convTranspose3d,
  crop1d,
  crop2d,
  dense,
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
  hardSigmoid,
  hardSwish,
  identityShortcut,
  input,
  type Layer,
  layerNorm,
  leakyRelu,
  lenet,
  linear,
  linearThreshold,
  logSoftmax,
  type Model,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  mish,
  mlp,
  mobilenetV2Small,
  multiply,
  network,
  nielsen,
  normalize,
  permute,
  prelu,
  relu,
  rescale,
  reshape,
  resnet18,
  resnet20,
  rnn,
  selu,
  separableConv2d,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  spatialDropout,
  type Tensor,
  tanh,
  upsample1d,
  upsample2d,
  vgg,
  zeroPad1d,
  zeroPad2d,
} from '../../lib/index'
import { randomTensor } from '../support/models'

type Make = () => Model<never, unknown>

const chain =
  (shape: readonly number[], ...layers: readonly Layer[]): Make =>
  () =>
    (sequential as (options: object, ...layers: readonly Layer[]) => Model)({ input: shape, seed: 3 }, ...layers)

const image = [7, 6, 4]
const zoo = { input: [16, 16, 3], classes: 5, seed: 2 } as const
const activations: readonly Activation[] = [
  'linear',
  'relu',
  'sigmoid',
  'tanh',
  'softmax',
  'relu6',
  'elu',
  'selu',
  'gelu',
  'silu',
  'mish',
  'softplus',
  'softsign',
  'logSoftmax',
  'leakyRelu',
  'hardSigmoid',
]

function branches(): Model<never, unknown> {
  const [a, b] = [input([6, 6, 3], { name: 'left' }), input([6, 6, 3], { name: 'right' })]
  const shared = conv2d(4, 3, { name: 'shared', padding: 1, activation: 'leakyRelu' })
  const [x, y] = [shared.apply(a), shared.apply(b)]
  const joined = concat().apply(add().apply(x, y), multiply().apply(x, y))
  return network({ inputs: [a, b], outputs: [dense(3).apply(flatten().apply(joined)), relu().apply(joined), a], seed: 4 })
}

/** Models that TensorFlow.js has layers for, by what is tried in them. */
export const models: Readonly<Record<string, Make>> = {
  mlp: () => mlp(zoo),
  lenet: () => lenet(zoo),
  nielsen: () => nielsen(zoo),
  vgg: () => vgg(zoo),
  resnet18: () => resnet18({ ...zoo, input: [8, 8, 3] }),
  resnet20: () => resnet20(zoo),
  mobilenetV2Small: () => mobilenetV2Small({ ...zoo, width: 0.25 }),
  'convolutions of sequences': chain(
    [9, 3],
    conv1d(4, 3, { padding: 'causal', dilation: 2 }),
    conv1d(5, 3, { padding: 'same', stride: 2, activation: 'tanh' }),
    conv1d(4, 2, { padding: [2, 1], bias: false }),
  ),
  'convolutions of images': chain(
    image,
    conv2d(6, 3, { padding: 'same', stride: 2 }),
    conv2d(5, 2, {
      padding: [
        [1, 0],
        [2, 2],
      ],
      bias: false,
      activation: 'leakyRelu',
    }),
    conv2d(4, [2, 1], { dilation: [2, 1], kernelRegularizer: { l1: 0.1, l2: 0.2 }, biasRegularizer: { l2: 1 } }),
    conv2d(4, 1, { kernelConstraint: { maxNorm: 9 }, biasConstraint: 'nonNegative', activityRegularizer: { l1: 0.5 }, trainable: false }),
    conv2d(8, 3, { groups: 4, padding: 1 }),
  ),
  'convolutions of volumes': chain([4, 5, 4, 2], conv3d(3, 2, { padding: 'same' }), conv3d(2, [1, 2, 2], { stride: 2 })),
  'transposed convolutions': chain(
    [3, 4, 3],
    convTranspose2d(4, 3, { stride: 2, padding: 'same' }),
    convTranspose2d(2, [2, 3], { stride: [1, 2], activation: 'relu', bias: false }),
  ),
  'normalization of volumes': chain(
    [2, 3, 2, 3],
    batchNorm({ activation: 'hardSigmoid' }),
    layerNorm(),
    layerNorm({ axes: 2 }),
    layerNorm({ axes: 3, activation: 'relu' }),
    layerNorm({ axes: 4 }),
  ),
  'windows narrower than strides': chain(
    [7, 6, 2],
    convTranspose2d(3, [1, 2], { stride: 2, outputPadding: [1, 0] }),
    convTranspose2d(2, 1, { stride: 2, padding: 'same' }),
    conv2d(3, 1, { stride: 2, padding: 'same' }),
  ),
  'windows narrower than strides in volumes': chain(
    [6, 5, 4, 2],
    convTranspose3d(3, [1, 2, 1], { stride: 2, padding: 'same' }),
    conv3d(2, [2, 1, 2], { stride: 2, padding: 'same' }),
    maxPool3d(1, { stride: [2, 1, 1], padding: 'same' }),
    averagePool3d(1, { stride: [1, 1, 2], padding: 'same' }),
  ),
  'transposed convolutions of volumes': chain([2, 3, 2, 2], convTranspose3d(3, 2, { stride: 2 })),
  'depthwise and separable': chain(
    image,
    depthwiseConv2d(3, { depthMultiplier: 2, padding: 1, activation: 'hardSigmoid' }),
    depthwiseConv2d(3, { stride: 2, padding: 'same', bias: false, kernelRegularizer: { l2: 0.1 } }),
    separableConv2d(5, 2, { activation: 'softplus' }),
  ),
  'separable, two windows for each channel': chain(image, separableConv2d(5, 2, { depthMultiplier: 2 })),
  'pooling of sequences': chain([12, 3], maxPool1d(2), averagePool1d(3, { stride: 1, padding: 'same' }), adaptiveAveragePool1d(3)),
  'pooling of images': chain(
    [12, 12, 2],
    maxPool2d(3, { stride: 2, padding: 'same' }),
    averagePool2d([2, 1], { padding: 'same', stride: 1 }),
    adaptiveAveragePool2d([3, 2]),
    maxPool2d(2, { padding: 0 }),
  ),
  'pooling of volumes': chain([4, 4, 6, 2], maxPool3d([2, 2, 1]), averagePool3d([1, 1, 3])),
  ...Object.fromEntries(
    [
      [[6, 3], globalAveragePool1d(), globalMaxPool1d()] as const,
      [[4, 5, 3], globalAveragePool2d(), globalMaxPool2d()] as const,
      [[2, 3, 2, 3], globalAveragePool3d(), globalMaxPool3d()] as const,
    ].flatMap(([shape, ...layers]) => layers.map((layer) => [layer.type, chain(shape, layer)])),
  ),
  normalizations: chain(
    [4, 4, 3],
    batchNorm({ momentum: 0.9, epsilon: 1e-5, activation: 'leakyRelu' }),
    batchNorm({ scale: false, gammaRegularizer: { l2: 1 } }),
    batchNorm({ center: false }),
    layerNorm({ activation: 'relu' }),
    layerNorm({ axes: 3, epsilon: 1e-5 }),
    layerNorm({ scale: false }),
  ),
  'normalization of vectors': chain([6], batchNorm(), layerNorm({ center: false })),
  ...Object.fromEntries(activations.map((activation) => [`dense, then ${activation}`, chain([5], dense(4, { activation }))])),
  ...Object.fromEntries(
    [
      linear(),
      relu(),
      sigmoid(),
      tanh(),
      softmax(),
      selu(),
      silu(),
      mish(),
      softplus(),
      softsign(),
      hardSigmoid(),
      logSoftmax(),
      leakyRelu({ slope: 0.2 }),
      elu(),
      gelu({ approximate: 'none' }),
      linearThreshold({ max: 6 }),
      linearThreshold(),
    ].map((layer, index) => [`${layer.type} ${index}`, chain([3, 5], layer)]),
  ),
  prelu: chain([4, 3, 2], prelu(), prelu({ sharedAxes: [1] }), prelu({ sharedAxes: [] })),
  borders: chain(
    [5, 6, 2],
    zeroPad2d([
      [1, 2],
      [0, 3],
    ]),
    crop2d([
      [2, 1],
      [1, 0],
    ]),
  ),
  'borders of sequences': chain([5, 2], zeroPad1d([1, 2]), crop1d(1)),
  upsampling: chain([3, 2, 2], upsample2d([2, 3])),
  'upsampling of sequences': chain([3, 2], upsample1d(2)),
  shapes: chain([4, 3, 2], reshape([6, 4]), permute([2, 1]), dropout(0.5), spatialDropout(0.3), flatten(), flatten()),
  'identity shortcuts': chain(
    [6, 6, 2],
    identityShortcut(4, { stride: 2 }),
    identityShortcut(4),
    identityShortcut(6),
    identityShortcut(6, { stride: 3 }),
  ),
  scales: chain([3, 3, 2], rescale({ scale: 0.5, offset: -1 }), normalize({ mean: [0.1, 0.2], deviation: [0.5, 2] })),
  recurrence: chain(
    [5, 3],
    rnn(4, { all: true }),
    rnn(3, { all: true, outputs: 4, activation: 'relu' }),
    rnn(3, { activation: 'sigmoid' }),
  ),
  branches,
}

/** Models that it has no layers for, and what the message must name. */
export const refused: Readonly<Record<string, readonly [make: Make, message: string]>> = {
  hardSwish: [chain([3], hardSwish({ name: 'act' })), 'hardSwish "act": TensorFlow.js has no activation'],
  geluTanh: [chain([3], dense(2, { name: 'd', activation: 'geluTanh' })), "no activation 'geluTanh'"],
  groups: [chain(image, conv2d(4, 1, { groups: 2, name: 'two' })), 'conv2d "two": TensorFlow.js has no convolution in 2 groups'],
  'a bias for each position': [chain([4, 4, 1], conv2d(2, 3, { bias: 'position', name: 'c' })), 'conv2d "c": TensorFlow.js has no bias'],
  'padded pooling': [
    chain([4, 4, 1], maxPool2d(2, { padding: 1, name: 'p' })),
    'maxPool2d "p": TensorFlow.js has no pooling with padding 1',
  ],
  'transposed windows narrower than strides': [
    chain([4, 4, 1], convTranspose2d(2, 1, { stride: 2, name: 't' })),
    'convTranspose2d "t": TensorFlow.js has no outputPadding other than what strides have beyond windows, [1, 1]',
  ],
  'windows narrower than strides along some axes': [
    chain([4, 4, 4, 1], maxPool3d([1, 3, 3], { stride: 2, padding: 'same', name: 'p' })),
    'maxPool3d "p": TensorFlow.js has no padding \'same\' of volumes with windows narrower than strides along some axes',
  ],
  'stride with dilation': [
    chain([9, 9, 1], separableConv2d(2, 2, { stride: 2, dilation: 2, name: 's' })),
    'separableConv2d "s": TensorFlow.js has no stride with dilation',
  ],
  'smooth upsampling': [chain([4, 4, 1], upsample2d(2, { interpolation: 'bilinear' })), "no interpolation 'bilinear'"],
}

/** The model with weights that tell apart what is mixed up: variances and biases above 0, nothing else of a kind. TensorFlow.js applies constraints when it loads. */
export async function scattered<M extends Model<never, unknown>>(model: M): Promise<M> {
  const weights = await model.getWeights()
  const random = Object.entries(weights).map(([name, { shape }], index): [string, Tensor] => {
    const { data } = randomTensor(shape, index + 1)
    const fanIn = Math.max(
      1,
      shape.slice(0, -1).reduce((product, size) => product * size, 1),
    )
    const scaled = data.map((value) => (name.endsWith('/movingVariance') ? 1 + value / 2 : value * Math.sqrt(3 / fanIn)))
    if (name.endsWith('/bias')) return [name, { shape, data: data.map(Math.abs) }]
    return [name, { shape, data: name.endsWith('/gamma') ? data.map((value) => 1 + value / 2) : scaled }]
  })
  await model.setWeights(Object.fromEntries(random))
  return model
}

/** Samples for each input of a model. */
export const samplesFor = (model: Model<never, unknown>, n: number): Tensor[] =>
  model.architecture.inputs.map(({ shape }, index) => randomTensor([n, ...shape], 90 + index))

/** What a model says, of all outputs. */
export async function said(model: Model<never, unknown>, samples: readonly Tensor[]): Promise<Tensor[]> {
  const result = (await model.predict((samples.length === 1 ? samples[0] : samples) as never)) as Tensor | Tensor[]
  return Array.isArray(result) ? result : [result]
}
