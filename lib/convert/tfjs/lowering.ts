import type { LayerConfig } from '../../layers/layer'
import type { Regularizer } from '../../layers/regularizers'
import type { Activation } from '../../ops/activation'
import type { Constraint } from '../../ops/constrain'
import { valueText } from '../../shape'
import { type Json, unsupported } from './config'
import { leftOut, zerosOfSame, zerosOfTransposed } from './narrow'
import { kerasActivation, kerasConstraint, kerasRegularizer } from './vocabulary'

/** A layer as Keras has it: one of those that a layer of convlane becomes, one behind the other. */
export interface KerasLayer {
  readonly type: string
  /** What tells its name from that of the layer it is part of; none for the one that has the name. */
  readonly suffix?: string
  readonly config: Json
  /** Its weights, each with the parameter that it is and, where it is written with other axes, its shape. */
  readonly weights?: Readonly<Record<string, string>>
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

/** One layer of a model, as lowering sees it. */
export interface Lowered {
  readonly type: string
  /** For messages: `conv2d "stem"`. */
  readonly label: string
  readonly config: LayerConfig
  /** Sizes of a sample that goes in, of the first input. */
  readonly input: readonly number[]
  /** And of one that comes out. */
  readonly output: readonly number[]
  readonly parameters: ReadonlyMap<string, readonly number[]>
}

type Lowering = (layer: Lowered) => KerasLayer[]

const refuse = ({ label }: Lowered, what: string) => unsupported(`${label}: TensorFlow.js has no ${what}`)

const simple = (type: string, config: Json = {}, suffix?: string): KerasLayer => ({ type, config, ...(suffix !== undefined && { suffix }) })

/** An activation as layers of its own. */
export function activationLayers(layer: Lowered, activation: Activation, suffix?: string): KerasLayer[] {
  const name = kerasActivation(activation)
  if (name === 'linear') return suffix === undefined ? [simple('Activation', { activation: 'linear' })] : []
  if (name === 'softmax') return [simple('Softmax', { axis: -1 }, suffix)]
  if (name) return [simple('Activation', { activation: name }, suffix)]
  if (activation === 'leakyRelu') return [simple('LeakyReLU', { alpha: 0.3 }, suffix)]
  if (activation === 'hardSigmoid') {
    return [simple('Rescaling', { scale: 1 / 6, offset: 0.5 }, suffix), simple('ReLU', { max_value: 1 }, `${suffix ?? ''}_clip`)]
  }
  throw refuse(layer, `activation '${activation}'`)
}

/** An activation that Keras has as an option; others come behind the layer. */
function option(layer: Lowered): { activation: string; behind: KerasLayer[] } {
  const activation = layer.config.activation as Activation
  const name = kerasActivation(activation)
  return name ? { activation: name, behind: [] } : { activation: 'linear', behind: activationLayers(layer, activation, 'activation') }
}

type Sides = readonly (readonly [before: number, after: number])[]

/** Padding in pixels, `'causal'` among them; none where Keras has the word. */
function sidesOf({ config }: Lowered, axes: number): Sides | undefined {
  const padding = config.padding
  if (padding === 'causal') {
    const [[size], [dilation]] = [config.kernelSize, config.dilation] as [number[], number[]]
    return [[dilation! * (size! - 1), 0]]
  }
  if (padding === 'valid' || padding === 'same') return undefined
  if (typeof padding === 'number') return Array.from({ length: axes }, () => [padding, padding] as const)
  const list = padding as readonly (number | readonly [number, number])[]
  if (axes === 1) return [list as unknown as readonly [number, number]]
  return list.map((side) => (typeof side === 'number' ? [side, side] : side))
}

const isZero = (sides: Sides) => sides.every(([before, after]) => before === 0 && after === 0)

/** Zeros around an image; around a sequence, as an image of one column. */
function zeroPadding(layer: Lowered, sides: Sides, suffix?: string): KerasLayer[] {
  if (sides.length === 2) return [simple('ZeroPadding2D', { padding: sides, data_format: 'channels_last' }, suffix)]
  if (sides.length > 2) throw refuse(layer, 'zeros around volumes')
  const [before, after] = sides[0]!
  return asImage(
    layer.input,
    simple('ZeroPadding2D', { padding: [...sides, [0, 0]], data_format: 'channels_last' }, suffix),
    before + layer.input[0]! + after,
  )
}

/** A layer of images on a sequence, which it makes `length` long. */
function asImage([before, channels]: readonly number[], layer: KerasLayer, length: number): KerasLayer[] {
  const reshape = (shape: readonly unknown[], suffix: string) => simple('Reshape', { target_shape: shape }, suffix)
  return [reshape([before, 1, channels], `${layer.suffix ?? ''}_columns`), layer, reshape([length, channels], `${layer.suffix ?? ''}_row`)]
}

/** Zeros that a convolution begins with, and the word for what is left. */
function padded(layer: Lowered, axes: number): { before: KerasLayer[]; padding: string } {
  const sides = sidesOf(layer, axes)
  if (!sides) return { before: [], padding: layer.config.padding as string }
  return { before: isZero(sides) ? [] : zeroPadding(layer, sides, 'padding'), padding: 'valid' }
}

/** Keras' word for the padding of a volume: without zeros `'same'` is `'valid'`. */
function wordFor(layer: Lowered, padding: string, zeros: readonly number[]): string {
  if (padding !== 'same' || zeros.length < 3 || zeros.every((count) => count >= 0)) return padding
  if (zeros.every((count) => count <= 0)) return 'valid'
  throw refuse(layer, "padding 'same' of volumes with windows narrower than strides along some axes")
}
const windowOf = ({ config }: Lowered) => ({ size: (config.kernelSize ?? config.size) as number[], stride: config.stride as number[] })

const rules = ({ config, parameters }: Lowered, own: string, theirs = own, parameter = own): Json => ({
  [`${theirs}_regularizer`]: kerasRegularizer(config[`${own}Regularizer`] as Regularizer | undefined),
  [`${theirs}_constraint`]: kerasConstraint(config[`${own}Constraint`] as Constraint | undefined, parameters.get(parameter)?.length ?? 1),
})

function biased(layer: Lowered): { use_bias: boolean } {
  if (layer.config.bias === 'position') throw refuse(layer, 'bias for each position')
  return { use_bias: layer.config.bias as boolean }
}
const biasWeight = ({ config }: Lowered): Record<string, string> => (config.bias ? { bias: 'bias' } : {})

const isOnes = (value: unknown) => (value as readonly number[]).every((size) => size === 1)
function window(layer: Lowered): Json {
  const { kernelSize, stride, dilation } = layer.config
  if (!isOnes(stride) && !isOnes(dilation)) throw refuse(layer, 'stride with dilation')
  return { kernel_size: kernelSize, strides: stride, data_format: 'channels_last' }
}

const convolution =
  (axes: number): Lowering =>
  (layer) => {
    const { config, input } = layer
    const { before, padding: word } = padded(layer, axes)
    const padding = wordFor(layer, word, isOnes(config.dilation) ? zerosOfSame(input.slice(0, -1), windowOf(layer)) : [])
    const { activation, behind } = option(layer)
    const common = { ...window(layer), padding, activation, ...biased(layer), ...rules(layer, 'bias') }
    const weights = { kernel: 'kernel', ...biasWeight(layer) }
    if (config.groups === 1) {
      const own = { filters: config.filters, dilation_rate: config.dilation, ...rules(layer, 'kernel') }
      return [...before, { type: `Conv${axes}D`, config: { ...common, ...own }, weights }, ...behind]
    }
    const channels = input.at(-1)!
    const isPlain = axes === 2 && config.groups === channels && isOnes(config.dilation) && config.kernelConstraint === undefined
    if (!isPlain) throw refuse(layer, `convolution in ${config.groups} groups`)
    const multiplier = (config.filters as number) / channels
    const own = { depth_multiplier: multiplier, ...rules(layer, 'kernel', 'depthwise', '') }
    const shapes = { depthwise_kernel: [...(config.kernelSize as number[]), channels, multiplier] }
    const depthwise = {
      type: 'DepthwiseConv2D',
      config: { ...common, ...own },
      weights: { depthwise_kernel: 'kernel', ...biasWeight(layer) },
      shapes,
    }
    return [...before, depthwise, ...behind]
  }

const transposed =
  (axes: number): Lowering =>
  (layer) => {
    const { config } = layer
    const sides = sidesOf(layer, axes)
    const outputPadding = config.outputPadding as readonly number[] | undefined
    if (sides && !isZero(sides)) throw refuse(layer, `padding in pixels of ${layer.type}`)
    if (config.groups !== 1) throw refuse(layer, `${layer.type} in groups`)
    if (!isOnes(config.dilation)) throw refuse(layer, `dilation of ${layer.type}`)
    const word = sides ? 'valid' : (config.padding as string)
    const added = leftOut(windowOf(layer))
    if (word === 'valid' && added.some((size, axis) => size !== (outputPadding?.[axis] ?? 0)))
      throw refuse(layer, `outputPadding other than what strides have beyond windows, ${valueText(added)}`)
    if (config.kernelConstraint !== undefined && config.kernelConstraint !== 'nonNegative')
      throw refuse(layer, `kernelConstraint of ${layer.type}`)
    const { activation, behind } = option(layer)
    const common = {
      ...window(layer),
      padding: wordFor(layer, word, zerosOfTransposed(windowOf(layer))),
      activation,
      ...biased(layer),
      ...rules(layer, 'bias'),
    }
    const own = { filters: config.filters, ...rules(layer, 'kernel') }
    return [
      { type: `Conv${axes}DTranspose`, config: { ...common, ...own }, weights: { kernel: 'kernel', ...biasWeight(layer) } },
      ...behind,
    ]
  }

const depthwise: Lowering = (layer) => {
  const { config } = layer
  const { before, padding } = padded(layer, 2)
  if (!isOnes(config.dilation)) throw refuse(layer, 'dilation of depthwise convolutions')
  if (config.kernelConstraint !== undefined && config.kernelConstraint !== 'nonNegative')
    throw refuse(layer, 'kernelConstraint of depthwise convolutions')
  const { activation, behind } = option(layer)
  const common = { ...window(layer), padding, activation, ...biased(layer), ...rules(layer, 'bias') }
  const own = { depth_multiplier: config.depthMultiplier, ...rules(layer, 'kernel', 'depthwise') }
  const weights = { depthwise_kernel: 'kernel', ...biasWeight(layer) }
  return [...before, { type: 'DepthwiseConv2D', config: { ...common, ...own }, weights }, ...behind]
}

const separable: Lowering = (layer) => {
  const { config } = layer
  for (const rule of ['kernelRegularizer', 'kernelConstraint'])
    if (config[rule] !== undefined) throw refuse(layer, `${rule} of both kernels`)
  const { before, padding } = padded(layer, 2)
  const { activation, behind } = option(layer)
  const common = { ...window(layer), padding, activation, ...biased(layer), ...rules(layer, 'bias') }
  const own = { filters: config.filters, depth_multiplier: config.depthMultiplier, dilation_rate: config.dilation }
  const weights = { depthwise_kernel: 'depthwiseKernel', pointwise_kernel: 'pointwiseKernel', ...biasWeight(layer) }
  return [...before, { type: 'SeparableConv2D', config: { ...common, ...own }, weights }, ...behind]
}

const dense: Lowering = (layer) => {
  const { activation, behind } = option(layer)
  const config = {
    units: layer.config.units,
    activation,
    ...biased(layer),
    ...rules(layer, 'kernel'),
    ...rules(layer, 'bias'),
  }
  return [{ type: 'Dense', config, weights: { kernel: 'kernel', ...biasWeight(layer) } }, ...behind]
}

const pool =
  (kind: 'Max' | 'Average', axes: number): Lowering =>
  (layer) => {
    const { config } = layer
    const sides = sidesOf(layer, axes)
    if (sides && !isZero(sides))
      throw refuse(layer, `pooling with padding ${valueText(config.padding)}: 'same', or zeroPad${axes}d before it`)
    if (!isOnes(config.dilation)) throw refuse(layer, 'pooling with dilation')
    if (config.ceil) throw refuse(layer, 'pooling with sizes rounded up (ceil)')
    if (config.countPadding && config.padding === 'same') throw refuse(layer, 'averages that count padding')
    const word = sides ? 'valid' : (config.padding as string)
    return [poolOf(kind, axes, config.size, config.stride, wordFor(layer, word, zerosOfSame(layer.input.slice(0, -1), windowOf(layer))))]
  }

const poolOf = (kind: 'Max' | 'Average', axes: number, size: unknown, strides: unknown, padding = 'valid'): KerasLayer =>
  simple(`${kind}Pooling${axes}D`, { pool_size: size, strides, padding, ...(axes > 1 && { data_format: 'channels_last' }) })

const globalPool =
  (kind: 'Max' | 'Average', axes: number): Lowering =>
  ({ input }) => {
    if (axes < 3) return [simple(`Global${kind}Pooling${axes}D`, axes === 1 ? {} : { data_format: 'channels_last' })]
    const size = input.slice(0, -1)
    return [poolOf(kind, axes, size, size), simple('Flatten', {}, 'flatten')]
  }

/** Bins of one size are windows. */
const adaptive =
  (axes: number): Lowering =>
  (layer) => {
    const size = layer.input.slice(0, -1).map((length, axis) => length / (layer.config.size as number[])[axis]!)
    if (!size.every(Number.isInteger)) throw refuse(layer, 'adaptive pooling into bins of several sizes')
    return [poolOf('Average', axes, size, size)]
  }

function normalization(layer: Lowered, type: string, more: Json, moving: Readonly<Record<string, string>> = {}): KerasLayer[] {
  const { config } = layer
  const { scale, center } = config as { scale: boolean; center: boolean }
  const own = { epsilon: config.epsilon, center, scale, ...rules(layer, 'beta'), ...rules(layer, 'gamma') }
  const weights = { ...(scale && { gamma: 'gamma' }), ...(center && { beta: 'beta' }), ...moving }
  return [{ type, config: { ...own, ...more }, weights }, ...activationLayers(layer, config.activation as Activation, 'activation')]
}

/** TensorFlow.js normalizes tensors of at most four axes: two axes of a volume become one, both normalized or neither. */
function asFlatter(layer: Lowered, axes: number, make: (axes: number, sizes?: readonly number[]) => KerasLayer[]): KerasLayer[] {
  const { input } = layer
  if (input.length < 4) return make(axes)
  const [depth, height, width, channels] = input as [number, number, number, number]
  const flatter = axes > 2 ? [depth, height * width, channels] : [depth * height, width, channels]
  const own = axes > 2 ? axes - 1 : axes
  const reshape = (shape: readonly number[], suffix: string) => simple('Reshape', { target_shape: shape }, suffix)
  return [reshape(flatter, 'flatter'), ...make(own, flatter.slice(-own)), reshape(input, 'volume')]
}

const batchNorm: Lowering = (layer) => {
  const moving = { moving_mean: 'movingMean', moving_variance: 'movingVariance' }
  return asFlatter(layer, 1, () => normalization(layer, 'BatchNormalization', { axis: -1, momentum: layer.config.momentum }, moving))
}

const layerNorm: Lowering = (layer) => {
  for (const weight of ['gamma', 'beta'])
    if (layer.config[`${weight}Constraint`]) throw refuse(layer, `${weight}Constraint of layer normalization`)
  return asFlatter(layer, layer.config.axes as number, (axes, sizes) => {
    const lowered = normalization(layer, 'LayerNormalization', { axis: Array.from({ length: axes }, (_, index) => index - axes) })
    return lowered.map((one) => ({
      ...one,
      ...(sizes && { shapes: { gamma: sizes, beta: sizes } }),
      config: Object.fromEntries(Object.entries(one.config).filter(([name]) => !name.endsWith('_constraint'))),
    }))
  })
}

const prelu: Lowering = (layer) => {
  const { input, config } = layer
  const all = input.slice(1).map((_, axis) => axis + 1)
  const shared = (config.sharedAxes as readonly number[] | undefined) ?? all
  const shape = input.map((size, axis) => (shared.includes(axis + 1) ? 1 : size))
  const own = { shared_axes: shared.length > 0 ? shared : null, ...rules(layer, 'alpha') }
  return [{ type: 'PReLU', config: own, weights: { alpha: 'alpha' }, shapes: { alpha: shape } }]
}

const linearThreshold: Lowering = (layer) => {
  const { max, slope, threshold } = layer.config
  if (slope !== 0 || threshold !== 0) throw refuse(layer, 'relu with slope or threshold')
  return [simple('ReLU', { max_value: max ?? null })]
}

const elu: Lowering = (layer) => {
  if (layer.config.alpha !== 1) throw refuse(layer, `elu with alpha ${layer.config.alpha}`)
  return [simple('ELU', { alpha: 1 })]
}

/** Every `stride`-th row and column, and zeros behind the channels, these as the width of an image of one channel. */
const identityShortcut: Lowering = ({ config, input, output }) => {
  const [height, width, filters] = output as readonly [number, number, number]
  const channels = input[2]!
  const kept = isOnes(config.stride) ? [] : [poolOf('Average', 2, [1, 1], config.stride)]
  const sides = [
    [0, 0],
    [0, filters - channels],
  ]
  if (filters === channels) return kept.length > 0 ? kept : [simple('Activation', { activation: 'linear' })]
  return [
    ...kept.map((layer) => ({ ...layer, suffix: 'stride' })),
    simple('Reshape', { target_shape: [height * width, channels, 1] }, 'columns'),
    simple('ZeroPadding2D', { padding: sides, data_format: 'channels_last' }),
    simple('Reshape', { target_shape: [height, width, filters] }, 'image'),
  ]
}

const rescale: Lowering = ({ config: { scale, offset } }) => [simple('Rescaling', { scale, offset })]

/** By the arithmetic of the layer. */
const normalize: Lowering = ({ config, input }) => {
  const at = (value: unknown, channel: number) =>
    typeof value === 'number' ? value : (value as readonly number[])[channel % (value as readonly number[]).length]!
  const scale = Array.from({ length: input.at(-1)! }, (_, channel) => 1 / at(config.deviation, channel))
  return [simple('Rescaling', { scale, offset: scale.map((factor, channel) => -at(config.mean, channel) * factor) })]
}

const border =
  (kind: 'ZeroPadding' | 'Cropping', axes: number): Lowering =>
  (layer) => {
    const sides = (layer.config.padding ?? layer.config.cropping) as Sides
    const argument = kind === 'Cropping' ? 'cropping' : 'padding'
    if (axes === 2) return [simple(`${kind}2D`, { [argument]: sides, data_format: 'channels_last' })]
    if (axes === 3) throw refuse(layer, `${kind}3D`)
    return asImage(layer.input, simple(`${kind}2D`, { [argument]: [...sides, [0, 0]], data_format: 'channels_last' }), layer.output[0]!)
  }

const upsample =
  (axes: number): Lowering =>
  (layer) => {
    const { size, interpolation } = layer.config as { size: readonly number[]; interpolation: string }
    if (interpolation !== 'nearest') throw refuse(layer, `interpolation '${interpolation}' with pixels at the middle of their area`)
    if (axes === 3) throw refuse(layer, 'UpSampling3D')
    const factors = axes === 2 ? size : [size[0], 1]
    const own = simple('UpSampling2D', { size: factors, data_format: 'channels_last', interpolation })
    return axes === 2 ? [own] : asImage(layer.input, own, layer.output[0]!)
  }

const rnn: Lowering = (layer) => {
  const { config } = layer
  const rest = { recurrent_initializer: { class_name: 'GlorotUniform', config: {} }, use_bias: true, return_sequences: config.all }
  const own = { units: config.units, activation: config.activation, ...rest }
  const all = { ...own, ...rules(layer, 'kernel'), ...rules(layer, 'recurrent', 'recurrent', 'recurrentKernel'), ...rules(layer, 'bias') }
  const cell = { type: 'SimpleRNN', config: all, weights: { kernel: 'kernel', recurrent_kernel: 'recurrentKernel', bias: 'bias' } }
  if (config.outputs === undefined) return [cell]
  const output = { units: config.outputs, activation: 'linear', use_bias: true, ...rules(layer, 'kernel'), ...rules(layer, 'bias') }
  return [cell, { type: 'Dense', suffix: 'outputs', config: output, weights: { kernel: 'outputKernel', bias: 'outputBias' } }]
}

const byAxes = (name: string, lowering: (axes: number) => Lowering, axes = [1, 2, 3]): [string, Lowering][] =>
  axes.map((count) => [name.replace('#', String(count)), lowering(count)])

/** Every type of layer that can be written. */
const lowerings: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ...byAxes('conv#d', convolution),
  ...byAxes('convTranspose#d', transposed, [2, 3]),
  ...byAxes('maxPool#d', (axes) => pool('Max', axes)),
  ...byAxes('averagePool#d', (axes) => pool('Average', axes)),
  ...byAxes('globalMaxPool#d', (axes) => globalPool('Max', axes)),
  ...byAxes('globalAveragePool#d', (axes) => globalPool('Average', axes)),
  ...byAxes('adaptiveAveragePool#d', adaptive),
  ...byAxes('zeroPad#d', (axes) => border('ZeroPadding', axes)),
  ...byAxes('crop#d', (axes) => border('Cropping', axes)),
  ...byAxes('upsample#d', upsample),
  ['depthwiseConv2d', depthwise],
  ['separableConv2d', separable],
  ['dense', dense],
  ['batchNorm', batchNorm],
  ['layerNorm', layerNorm],
  ['prelu', prelu],
  ['linearThreshold', linearThreshold],
  ['leakyRelu', ({ config }) => [simple('LeakyReLU', { alpha: config.slope })]],
  ['relu', () => [simple('ReLU', { max_value: null })]],
  ['elu', elu],
  ['gelu', (layer) => activationLayers(layer, layer.config.approximate === 'tanh' ? 'geluTanh' : 'gelu')],
  ['dropout', ({ config }) => [simple('Dropout', { rate: config.rate })]],
  [
    'spatialDropout',
    ({ config, input }) => [simple('Dropout', { rate: config.rate, noise_shape: [null, ...input.slice(1).map(() => 1), input.at(-1)!] })],
  ],
  ['flatten', ({ input }) => [input.length > 1 ? simple('Flatten') : simple('Activation', { activation: 'linear' })]],
  ['reshape', ({ config }) => [simple('Reshape', { target_shape: config.shape })]],
  ['permute', ({ config }) => [simple('Permute', { dims: config.axes })]],
  ['add', () => [simple('Add')]],
  ['multiply', () => [simple('Multiply')]],
  ['concat', () => [simple('Concatenate', { axis: -1 })]],
  ['identityShortcut', identityShortcut],
  ['rescale', rescale],
  ['normalize', normalize],
  ['rnn', rnn],
])
const plainActivations = [
  'linear',
  'sigmoid',
  'tanh',
  'softmax',
  'selu',
  'silu',
  'mish',
  'softplus',
  'softsign',
  'hardSigmoid',
  'hardSwish',
  'logSoftmax',
]

/** The layers of Keras that a layer becomes. Throws UNSUPPORTED, naming layer and option. */
export function lower(layer: Lowered): KerasLayer[] {
  const lowering = lowerings.get(layer.type)
  if (lowering) return lowering(layer)
  if (plainActivations.includes(layer.type)) return activationLayers(layer, layer.type as Activation)
  throw unsupported(`${layer.label}: TensorFlow.js has no layer like ${layer.type}`, layer.type)
}
