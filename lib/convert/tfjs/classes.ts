import * as activations from '../../layers/activation'
import type { Layer, LayerConfig } from '../../layers/layer'
import { makeLayer } from '../../layers/registry'
import type { Activation } from '../../ops/activation'
import { valueText } from '../../shape'
import { arrayOf, type Config, damaged, same } from './config'
import { leftOut, zerosOfSame, zerosOfTransposed } from './narrow'
import { activationOf, constraintOf, regularizerOf } from './vocabulary'

/** A layer of a file as layers of convlane, one behind the other. */
export interface Piece {
  readonly layer: Layer
  /** Its parameters, each with what the file calls it; sizes may be written otherwise, as long as the elements lie alike. */
  readonly weights: Readonly<Record<string, string>>
}

/** Names the further layers that one layer becomes. */
export type Naming = (suffix: string) => string

interface Call {
  readonly config: Config
  /** Of the input, `[null, …]`. */
  readonly shape: readonly (number | null)[]
  readonly name: string
  readonly free: Naming
}

type Reader = (call: Call) => Piece[]

const make = ({ name, config }: Call, type: string, options: Record<string, unknown>, weights: Record<string, string> = {}): Piece => {
  const trainable = Object.keys(weights).length > 0 && config.get('trainable') === false
  return { layer: makeLayer(type, name, { ...defined(options), ...(trainable && { trainable: false }) }), weights }
}
const defined = (options: LayerConfig) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/** tfjs' and Keras 2's hard sigmoid has the slope 0.2; ours, PyTorch's and Keras 3's, has 1/6. */
const hardSigmoid = (name: string, free: Naming): Piece[] => [
  { layer: makeLayer('rescale', name, { scale: 0.2, offset: 0.5 }), weights: {} },
  { layer: activations.linearThreshold({ max: 1, name: free('clip') }), weights: {} },
]

/** The layer with its activation, as an option or, where there is none, behind it. */
function activated(call: Call, piece: (activation: Activation) => Piece): Piece[] {
  const activation = activationOf(call.config)
  if (activation !== 'hard_sigmoid') return [piece(activation)]
  return [piece('linear'), ...hardSigmoid(call.free('activation'), call.free)]
}

function channelsLast(config: Config): void {
  config.only('data_format', 'channels_last')
}

/** Regularizers and constraints of weights: `kernel` of so many axes, as it is called here and there. */
function rules(config: Config, kernel: string, axes: number, theirs = kernel): Record<string, unknown> {
  return {
    [`${kernel}Regularizer`]: regularizerOf(config, `${theirs}_regularizer`),
    [`${kernel}Constraint`]: constraintOf(config, `${theirs}_constraint`, axes),
  }
}
const result = (config: Config) => ({ activityRegularizer: regularizerOf(config, 'activity_regularizer') })

function common(call: Call, axes: number) {
  const { config } = call
  channelsLast(config)
  const bias = config.flag('use_bias', true)
  return {
    bias,
    options: {
      kernelSize: config.get('kernel_size'),
      stride: config.get('strides'),
      padding: config.get('padding'),
      dilation: config.get('dilation_rate'),
      bias,
      ...rules(config, 'bias', 1),
      ...result(config),
    },
    axes: axes + 2,
  }
}
/** Refuses what TensorFlow.js and Keras compute differently: volumes, padded, whose windows are narrower than strides. */
function alike(call: Call, piece: Piece, zerosOf: typeof zerosOfSame): Piece {
  const { kernelSize, size = kernelSize, stride, padding } = piece.layer.config() as Record<string, readonly number[]>
  const pixels = call.shape.slice(1, -1) as number[]
  if ((padding as unknown) === 'same' && pixels.length > 2 && zerosOf(pixels, { size: size!, stride: stride! }).some((zeros) => zeros < 0))
    throw call.config.refusal('padding', 'same', 'with windows narrower than strides is one thing in Keras, another in TensorFlow.js')
  return piece
}

const kernelAndBias = (bias: boolean, kernel = 'kernel') => ({ kernel, ...(bias && { bias: 'bias' }) })

const convolution =
  (axes: number): Reader =>
  (call) =>
    activated(call, (activation) => {
      const { options, bias, axes: rank } = common(call, axes)
      const own = { filters: call.config.get('filters'), groups: call.config.get('groups'), ...rules(call.config, 'kernel', rank) }
      return alike(call, make(call, `conv${axes}d`, { ...options, ...own, activation }, kernelAndBias(bias)), zerosOfSame)
    })

const transposed =
  (axes: number): Reader =>
  (call) =>
    activated(call, (activation) => {
      const { options, bias, axes: rank } = common(call, axes)
      call.config.only('output_padding')
      call.config.only('dilation_rate', 1, Array(axes).fill(1))
      const own = {
        filters: call.config.get('filters'),
        dilation: undefined,
        kernelRegularizer: regularizerOf(call.config, 'kernel_regularizer'),
      }
      if (call.config.get('kernel_constraint') !== undefined && constraintOf(call.config, 'kernel_constraint', rank) !== 'nonNegative')
        throw call.config.refusal('kernel_constraint', call.config.get('kernel_constraint'))
      const constraint = call.config.get('kernel_constraint') === undefined ? {} : { kernelConstraint: 'nonNegative' }
      const [size, stride] = [options.kernelSize, options.stride ?? 1].map((value) =>
        Array.isArray(value) ? value : Array(axes).fill(value),
      )
      const added = leftOut({ size, stride })
      const behind = options.padding !== 'same' && added.some((count) => count > 0) ? { outputPadding: added } : {}
      const all = { ...options, ...own, ...behind, ...constraint, activation }
      return alike(call, make(call, `convTranspose${axes}d`, all, kernelAndBias(bias)), (_, window) => zerosOfTransposed(window))
    })

/** TensorFlow.js ignores the dilation of depthwise layers, and writes their regularizer once more as their constraint. */
const depthwise =
  (axes: number): Reader =>
  (call) =>
    activated(call, (activation) => {
      const { config } = call
      const { options, bias } = common(call, axes)
      config.only('dilation_rate', 1, Array(axes).fill(1))
      const nonNegative = { class_name: 'NonNeg', config: {} }
      config.only('depthwise_constraint', nonNegative, config.get('depthwise_regularizer'))
      const constraint = same(config.get('depthwise_constraint'), nonNegative) ? 'nonNegative' : undefined
      const own = { depthMultiplier: config.get('depth_multiplier'), kernelRegularizer: regularizerOf(config, 'depthwise_regularizer') }
      const weights = kernelAndBias(bias, 'depthwise_kernel')
      return make(call, `depthwiseConv${axes}d`, { ...options, ...own, kernelConstraint: constraint, activation }, weights)
    })

const separable =
  (axes: number): Reader =>
  (call) =>
    activated(call, (activation) => {
      const { config } = call
      const { options, bias } = common(call, axes)
      for (const part of ['depthwise', 'pointwise']) for (const rule of ['regularizer', 'constraint']) config.only(`${part}_${rule}`)
      const own = { filters: config.get('filters'), depthMultiplier: config.get('depth_multiplier') }
      const weights = { depthwiseKernel: 'depthwise_kernel', pointwiseKernel: 'pointwise_kernel', ...(bias && { bias: 'bias' }) }
      return make(call, `separableConv${axes}d`, { ...options, ...own, activation }, weights)
    })

/** Of several axes it is applied at each position: a convolution with a window of 1. */
const dense: Reader = (call) =>
  activated(call, (activation) => {
    const { config, shape } = call
    const bias = config.flag('use_bias', true)
    const own = { bias, ...rules(config, 'kernel', 2), ...rules(config, 'bias', 1), ...result(config), activation }
    const units = config.get('units')
    if (shape.length === 2) return make(call, 'dense', { units, ...own }, kernelAndBias(bias))
    return make(call, `conv${shape.length - 2}d`, { filters: units, kernelSize: 1, ...own }, kernelAndBias(bias))
  })

const pool =
  (kind: 'max' | 'average', axes: number): Reader =>
  (call) => {
    channelsLast(call.config)
    const options = { size: call.config.get('pool_size') ?? 2, stride: call.config.get('strides'), padding: call.config.get('padding') }
    return [alike(call, make(call, `${kind}Pool${axes}d`, options), zerosOfSame)]
  }

const globalPool =
  (kind: 'Max' | 'Average', axes: number): Reader =>
  (call) => {
    channelsLast(call.config)
    call.config.only('keepdims', false)
    return [make(call, `global${kind}Pool${axes}d`, {})]
  }

/** An axis, or several, counted from 0 for the batch or from −1 for the last: how many of the last ones they are. */
function lastAxes({ config, shape }: Call): number {
  const value = config.get('axis') ?? -1
  const list = typeof value === 'number' ? [value] : arrayOf(value, `${config.label}: axis`)
  const axes = list.map((axis) => ((axis as number) < 0 ? shape.length + (axis as number) : axis)).sort()
  if (axes.every((axis, index) => axis === shape.length - axes.length + index) && axes.length < shape.length) return axes.length
  throw config.refusal('axis', value, 'is not the last')
}

function onLastAxis(call: Call): void {
  if (lastAxes(call) !== 1) throw call.config.refusal('axis', call.config.get('axis'), 'is more than the last')
}

function gammaBeta({ config }: Call) {
  const [center, scale] = [config.flag('center', true), config.flag('scale', true)]
  const own = { ...rules(config, 'gamma', 1), ...rules(config, 'beta', 1) }
  const weights: Record<string, string> = { ...(scale && { gamma: 'gamma' }), ...(center && { beta: 'beta' }) }
  return { options: { epsilon: config.number('epsilon', 1e-3), center, scale, ...own }, weights }
}

const batchNormalization: Reader = (call) => {
  const { config } = call
  onLastAxis(call)
  config.only('renorm', false)
  config.only('virtual_batch_size')
  config.only('fused', true, false)
  config.only('synchronized', false)
  const { options, weights } = gammaBeta(call)
  const all = { ...weights, movingMean: 'moving_mean', movingVariance: 'moving_variance' }
  return [make(call, 'batchNorm', { ...options, momentum: config.number('momentum', 0.99) }, all)]
}

const layerNormalization: Reader = (call) => {
  const { options, weights } = gammaBeta(call)
  return [make(call, 'layerNorm', { ...options, axes: lastAxes(call) }, weights)]
}

const groupNormalization: Reader = (call) => {
  onLastAxis(call)
  const { options, weights } = gammaBeta(call)
  return [make(call, 'groupNorm', { ...options, groups: call.config.get('groups') ?? 32 }, weights)]
}

const activation: Reader = (call) => {
  const value = activationOf(call.config)
  if (value === 'hard_sigmoid') return hardSigmoid(call.name, call.free)
  if (value === 'relu6') return [make(call, 'linearThreshold', { max: 6 })]
  return [value === 'geluTanh' ? make(call, 'gelu', { approximate: 'tanh' }) : make(call, value, {})]
}

const relu: Reader = (call) => {
  const { config } = call
  config.only('negative_slope', 0)
  config.only('threshold', 0)
  const max = config.get('max_value')
  return [max === undefined ? make(call, 'relu', {}) : make(call, 'linearThreshold', { max })]
}

const prelu: Reader = (call) => {
  const { config, shape } = call
  const given = config.get('shared_axes')
  const shared = typeof given === 'number' ? [given] : given
  const all = shape.slice(2).map((_, axis) => axis + 1)
  const isPerChannel = shape.length > 2 ? JSON.stringify(shared) === JSON.stringify(all) : shared === undefined
  const rule = {
    alphaRegularizer: regularizerOf(config, 'alpha_regularizer'),
    alphaConstraint: constraintOf(config, 'alpha_constraint', 1),
  }
  return [make(call, 'prelu', { ...rule, ...(!isPerChannel && { sharedAxes: shared ?? [] }) }, { alpha: 'alpha' })]
}

/** With a noise shape that leaves out all axes between batch and channels it is a spatial dropout. */
const dropout: Reader = (call) => {
  const { config, shape } = call
  const spatial = [null, ...shape.slice(1, -1).map(() => 1), null]
  config.only('noise_shape', spatial, [...spatial.slice(0, -1), shape.at(-1)])
  return [make(call, config.get('noise_shape') === undefined ? 'dropout' : 'spatialDropout', { rate: config.get('rate') })]
}

const flatten: Reader = (call) => {
  channelsLast(call.config)
  return [make(call, 'flatten', {})]
}

const reshape: Reader = (call) => {
  const { config, shape } = call
  const target = arrayOf(config.get('target_shape'), `${config.label}: target_shape`)
  const elements = shape.slice(1).reduce<number>((product, size) => product * size!, 1)
  const open = (size: unknown) => size === null || (size as number) < 0
  const known = target.reduce<number>((product, size) => (open(size) ? product : product * (size as number)), 1)
  if (target.filter(open).length > 1)
    throw damaged(`${config.label}: target_shape ${valueText(target)} leaves more than one size open`, target)
  return [make(call, 'reshape', { shape: target.map((size) => (open(size) ? elements / known : size)) })]
}

const border =
  (type: 'zeroPad' | 'crop', axes: number): Reader =>
  (call) => {
    channelsLast(call.config)
    const argument = type === 'crop' ? 'cropping' : 'padding'
    return [make(call, `${type}${axes}d`, { [argument]: call.config.get(argument) ?? 1 })]
  }

/** Between pixels TensorFlow.js takes other places than Keras and convlane do. */
const upsampling =
  (axes: number): Reader =>
  (call) => {
    channelsLast(call.config)
    call.config.only('interpolation', 'nearest')
    return [make(call, `upsample${axes}d`, { size: call.config.get('size') ?? 2 })]
  }

const simpleRnn: Reader = (call) => {
  const { config } = call
  for (const name of ['return_state', 'go_backwards', 'stateful', 'time_major']) config.only(name, false)
  for (const name of ['dropout', 'recurrent_dropout']) config.only(name, 0)
  config.only('use_bias', true)
  config.get('unroll')
  const options = {
    units: config.get('units'),
    activation: activationOf(config, 'tanh'),
    all: config.flag('return_sequences', false),
    ...rules(config, 'kernel', 2),
    ...rules(config, 'recurrent', 2),
    ...rules(config, 'bias', 1),
    ...result(config),
  }
  return [make(call, 'rnn', options, { kernel: 'kernel', recurrentKernel: 'recurrent_kernel', bias: 'bias' })]
}

const alongLast =
  (type: string): Reader =>
  (call) => {
    onLastAxis(call)
    return [make(call, type, {})]
  }

const byAxes = (name: string, reader: (axes: number) => Reader, axes = [1, 2, 3]): [string, Reader][] =>
  axes.map((count) => [name.replace('#', `${count}D`), reader(count)])

/** Every class of layers that can be read. */
export const classes: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...byAxes('Conv#', convolution),
  ...byAxes('Conv#Transpose', transposed),
  ...byAxes('DepthwiseConv#', depthwise, [1, 2]),
  ...byAxes('SeparableConv#', separable, [1, 2]),
  ...byAxes('MaxPooling#', (axes) => pool('max', axes)),
  ...byAxes('AveragePooling#', (axes) => pool('average', axes)),
  ...byAxes('GlobalMaxPooling#', (axes) => globalPool('Max', axes)),
  ...byAxes('GlobalAveragePooling#', (axes) => globalPool('Average', axes)),
  ...byAxes('ZeroPadding#', (axes) => border('zeroPad', axes)),
  ...byAxes('Cropping#', (axes) => border('crop', axes)),
  ...byAxes('UpSampling#', upsampling),
  ...byAxes('SpatialDropout#', () => (call) => {
    channelsLast(call.config)
    return [make(call, 'spatialDropout', { rate: call.config.get('rate') })]
  }),
  ['Dense', dense],
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', layerNormalization],
  ['GroupNormalization', groupNormalization],
  ['Activation', activation],
  ['ReLU', relu],
  ['LeakyReLU', (call) => [make(call, 'leakyRelu', { slope: call.config.get('alpha') ?? call.config.get('negative_slope') })]],
  ['ELU', (call) => [make(call, 'elu', { alpha: call.config.get('alpha') })]],
  ['PReLU', prelu],
  ['Softmax', alongLast('softmax')],
  ['Dropout', dropout],
  ['Flatten', flatten],
  ['Reshape', reshape],
  ['Permute', (call) => [make(call, 'permute', { axes: call.config.get('dims') })]],
  ['Add', (call) => [make(call, 'add', {})]],
  ['Multiply', (call) => [make(call, 'multiply', {})]],
  ['Concatenate', alongLast('concat')],
  ['Rescaling', (call) => [make(call, 'rescale', { scale: call.config.get('scale'), offset: call.config.get('offset') })]],
  ['SimpleRNN', simpleRnn],
])
