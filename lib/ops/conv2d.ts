import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import {
  checkChoice,
  checkInteger,
  checkRank,
  type Pair,
  sameShape,
  shapeText,
  type WindowGeometry,
  type WindowOptions,
  windowGeometry,
} from '../shape'
import type { Tensor } from '../tensor'
import { type Activation, activate, activateBackward, checkActivation } from './activation'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import { checkBias } from './dense'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

const X = ['N', 'H', 'W', 'C']
const W = ['KH', 'KW', 'C/groups', 'OC']

/** Checks that image and filters fit, and gives the shape of the result. Attributes or options alike. */
function resultOf(
  x: TensorType,
  w: TensorType,
  options: WindowOptions,
  groups: number,
  label: string,
): { geometry: WindowGeometry; y: TensorType } {
  checkRank(x.shape, X, label, 'input')
  checkRank(w.shape, W, label, 'filters')
  const channels = x.shape[3]!
  const [KH, KW, depth, filters] = w.shape as [number, number, number, number]
  const refuse = (message: string, expected: unknown, received: unknown) => {
    throw new ConvlaneError('INVALID_SHAPE', `${label}: ${message}`, { expected, received })
  }
  if (groups > 1 && channels % groups !== 0) refuse(`groups ${groups} do not divide the input's ${channels} channels`, groups, channels)
  if (filters % groups !== 0) refuse(`groups ${groups} do not divide the ${filters} filters`, groups, filters)
  if (channels !== depth * groups) {
    const expected = groups === 1 ? `${depth}` : `${depth} · ${groups} groups = ${depth * groups}`
    refuse(`input has ${channels} channels, filters expect ${expected}`, depth * groups, channels)
  }
  const geometry = windowGeometry(label, [x.shape[1]!, x.shape[2]!], [KH, KW], options)
  return { geometry, y: { shape: [x.shape[0]!, ...geometry.output, filters], dtype: 'float32' } }
}

function checkGradientShape(dy: TensorType, y: TensorType, label: string): void {
  if (sameShape(dy.shape, y.shape)) return
  const message = `${label}: dy must have the result's shape ${shapeText(y.shape)}, received ${shapeText(dy.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: y.shape, received: dy.shape })
}

/** Attributes of the backward ops: those of the forward op but `activation`, and the shape of what they write (the image's without the batch). */
function backwardAttributes({ activation, ...rest }: Attributes, shape: readonly number[]): Attributes {
  return { ...rest, shape }
}

export const conv2dOp: OpDefinition = {
  name: 'conv2d',
  inputs: ['x', 'w', 'bias?'],
  outputs: ['y'],
  infer([x, w, bias], attributes, label) {
    const { y } = resultOf(x!, w!, attributes as WindowOptions, attributes.groups as number, label)
    if (bias) checkBias(bias, w!.shape[3]!, label, 'filters')
    return [y]
  },
  gradient({ inputs, attributes, label: name }, [dy], wanted) {
    const [x, w] = [inputs[0]!, inputs[1]!]
    const options = { name }
    return [
      wanted[0] ? backwardInput(dy!, w, attributes, x, options) : undefined,
      wanted[1] ? backwardWeights(dy!, x, attributes, w, options) : undefined,
      wanted[2] ? biasGradient(dy!, options) : undefined,
    ] as (Value | undefined)[]
  },
  multiplyAdds: ([, w], [y]) => [...w!.shape, y!.shape[1]!, y!.shape[2]!].reduce<number>((product, size) => product * size!, 1),
}

export const conv2dBackwardInputOp: OpDefinition = {
  name: 'conv2dBackwardInput',
  inputs: ['dy', 'w'],
  outputs: ['dx'],
  shapeAttributes: ['shape'],
  infer([dy, w], attributes, label) {
    checkRank(dy!.shape, ['N', 'OH', 'OW', 'OC'], label, 'dy')
    const x: TensorType = { shape: [dy!.shape[0]!, ...(attributes.shape as number[])], dtype: 'float32' }
    checkGradientShape(dy!, resultOf(x, w!, attributes as WindowOptions, attributes.groups as number, label).y, label)
    return [x]
  },
  multiplyAdds: ([dy, w]) => [...w!.shape, dy!.shape[1]!, dy!.shape[2]!].reduce<number>((product, size) => product * size!, 1),
}

export const conv2dBackwardWeightsOp: OpDefinition = {
  name: 'conv2dBackwardWeights',
  inputs: ['dy', 'x'],
  outputs: ['dw'],
  shapeAttributes: ['shape'],
  infer([dy, x], attributes, label) {
    const w: TensorType = { shape: attributes.shape as number[], dtype: 'float32' }
    checkGradientShape(dy!, resultOf(x!, w, attributes as WindowOptions, attributes.groups as number, label).y, label)
    return [w]
  },
  multiplyAdds: ([dy], [dw]) => [...dw!.shape, dy!.shape[1]!, dy!.shape[2]!].reduce<number>((product, size) => product * size!, 1),
}

function backwardInput(dy: Operand, w: Operand, attributes: Attributes, x: TensorType, options: OpOptions): Operand {
  return call(conv2dBackwardInputOp, [dy, w], backwardAttributes(attributes, x.shape.slice(1) as number[]), options)[0]!
}

function backwardWeights(dy: Operand, x: Operand, attributes: Attributes, w: TensorType, options: OpOptions): Operand {
  return call(conv2dBackwardWeightsOp, [dy, x], backwardAttributes(attributes, w.shape as number[]), options)[0]!
}

/** How a convolution is computed; `'auto'` chooses by the sizes. Results differ by rounding only. */
export type ConvolutionAlgorithm = 'auto' | 'im2col' | 'indirect'

export interface Conv2dOptions<T = Tensor> extends OpOptions {
  /** `[OC]`, added to every pixel. Default: none. */
  readonly bias?: T | undefined
  /** Default 1. */
  readonly stride?: number | Pair | undefined
  /** Default `'valid'`. */
  readonly padding?: WindowOptions['padding'] | undefined
  /** Distance between the taps of a filter. Default 1. */
  readonly dilation?: number | Pair | undefined
  /** Channels and filters are cut into so many parts that don't see each other. Default 1. */
  readonly groups?: number | undefined
  /** Applied to the result. Default `'linear'`. */
  readonly activation?: Activation | undefined
  /** Default `'auto'`. */
  readonly algorithm?: ConvolutionAlgorithm | undefined
}

const optionNames = ['bias', 'stride', 'padding', 'dilation', 'groups', 'activation', 'algorithm']

/** Checks a call and resolves its options. */
function prepare(x: Operand, w: Operand, options: Conv2dOptions<Operand>, label: string) {
  checkOptions(options, optionNames, label)
  const [image, filters] = [typeOf(x, label, 'input'), typeOf(w, label, 'filters')]
  if (options.bias !== undefined) typeOf(options.bias, label, 'bias')
  const groups = checkInteger(options.groups ?? 1, label, 'groups')
  const algorithm = checkChoice(options.algorithm ?? 'auto', ['auto', 'im2col', 'indirect'], label, 'algorithm')
  const activation = checkActivation(options.activation, label)
  const { geometry, y } = resultOf(image, filters, options as WindowOptions, groups, label)
  const { stride, padding, dilation } = geometry
  return { image, filters, y, activation, attributes: { stride, padding, dilation, groups, activation: 'linear', algorithm } }
}

/**
 * Convolution as every framework means it (a cross-correlation): `x [N, H, W, C]` with filters `w [KH, KW, C/groups, OC]` → `[N, OH, OW, OC]`, where
 * OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1, and OW alike.
 *
 * Throws `INVALID_SHAPE` when sizes don't fit or a filter is larger than the padded input, `INVALID_ARGUMENT` for a bad option,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function conv2d(x: Tensor, w: Tensor, options?: Conv2dOptions): Tensor
export function conv2d(x: Value, w: Value, options?: Conv2dOptions<Value>): Value
export function conv2d(x: Operand, w: Operand, options: Conv2dOptions<Operand> = {}): Operand {
  const { activation, attributes } = prepare(x, w, options, labelOf('conv2d', options?.name))
  return activate(call(conv2dOp, [x, w, options.bias], attributes, options)[0]!, activation, options)
}

/**
 * Gradients of `conv2d(x, w, options)` by `x`, `w` and the bias, given that of its result, `dy [N, OH, OW, OC]`. With an activation in the options it
 * is gone back through too, which computes the convolution again. Throws as `conv2d` does.
 */
export function conv2dBackward(dy: Tensor, x: Tensor, w: Tensor, options?: Conv2dOptions): { dx: Tensor; dw: Tensor; db: Tensor }
export function conv2dBackward(dy: Value, x: Value, w: Value, options?: Conv2dOptions<Value>): { dx: Value; dw: Value; db: Value }
export function conv2dBackward(
  dy: Operand,
  x: Operand,
  w: Operand,
  options: Conv2dOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const label = labelOf('conv2dBackward', options?.name)
  const { image, filters, y, activation, attributes } = prepare(x, w, options, label)
  checkGradientShape(typeOf(dy, label, 'dy'), y, label)
  const linear = activation === 'linear' ? dy : call(conv2dOp, [x, w, options.bias], attributes, options)[0]!
  const dz = activateBackward(dy, linear, activation, options)
  const { runtime, name } = options
  return {
    dx: backwardInput(dz, w, attributes, image, options),
    dw: backwardWeights(dz, x, attributes, filters, options),
    db: biasGradient(dz as Value, { runtime, name }),
  }
}
