import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, TensorType, Value } from '../graph/value'
import { checkChoice, checkInteger, checkRank, sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type WindowGeometry, type WindowOptions, windowGeometry } from '../window'
import { type Activation, activate, activateBackward, checkActivation } from './activation'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import { checkBias } from './dense'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** Axes that a window slides over: 1 `[L]`, 2 `[H, W]`, 3 `[D, H, W]`. */
export type Axes = 1 | 2 | 3

/** What the sizes of a convolution's operands are called, by the number of axes. */
export const letters = {
  1: { image: ['N', 'L', 'C'], filters: ['K', 'C/groups', 'OC'], result: ['N', 'OL', 'OC'] },
  2: { image: ['N', 'H', 'W', 'C'], filters: ['KH', 'KW', 'C/groups', 'OC'], result: ['N', 'OH', 'OW', 'OC'] },
  3: { image: ['N', 'D', 'H', 'W', 'C'], filters: ['KD', 'KH', 'KW', 'C/groups', 'OC'], result: ['N', 'OD', 'OH', 'OW', 'OC'] },
} as const

/** The sizes of an image `[N, …, C]` that a window slides over. */
export const imageSizes = (shape: TensorType['shape']): number[] => shape.slice(1, -1) as number[]

/** Checks that image and filters fit, and gives the shape of the result. Attributes or options alike. */
export function convolutionResult(
  axes: Axes,
  x: TensorType,
  w: TensorType,
  options: WindowOptions,
  groups: number,
  label: string,
): { geometry: WindowGeometry; y: TensorType } {
  checkRank(x.shape, letters[axes].image, label, 'input')
  checkRank(w.shape, letters[axes].filters, label, 'filters')
  const channels = x.shape[axes + 1]!
  const kernel = w.shape.slice(0, axes) as number[]
  const [depth, filters] = w.shape.slice(axes) as [number, number]
  const refuse = (message: string, expected: unknown, received: unknown) => {
    throw new ConvlaneError('INVALID_SHAPE', `${label}: ${message}`, { expected, received })
  }
  if (groups > 1 && channels % groups !== 0) refuse(`groups ${groups} do not divide the input's ${channels} channels`, groups, channels)
  if (filters % groups !== 0) refuse(`groups ${groups} do not divide the ${filters} filters`, groups, filters)
  if (channels !== depth * groups) {
    const expected = groups === 1 ? `${depth}` : `${depth} · ${groups} groups = ${depth * groups}`
    refuse(`input has ${channels} channels, filters expect ${expected}`, depth * groups, channels)
  }
  const geometry = windowGeometry(label, imageSizes(x.shape), kernel, options)
  return { geometry, y: { shape: [x.shape[0]!, ...geometry.output, filters], dtype: 'float32' } }
}

export function checkGradientShape(dy: TensorType, y: TensorType, label: string): void {
  if (sameShape(dy.shape, y.shape)) return
  const message = `${label}: dy must have the result's shape ${shapeText(y.shape)}, received ${shapeText(dy.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: y.shape, received: dy.shape })
}

/** Attributes of the backward ops: those of the forward op but `activation`, and the shape of what they write (the image's without the batch). */
function backwardAttributes({ activation, ...rest }: Attributes, shape: readonly number[]): Attributes {
  return { ...rest, shape }
}

/** Multiply-adds of one sample: each filter once at each pixel of the result. */
export const filtersAtPixels = (w: TensorType, y: TensorType): number =>
  [...w.shape, ...imageSizes(y.shape)].reduce<number>((product, size) => product * size!, 1)

/** The three passes of a convolution over so many axes. */
export interface ConvolutionOps {
  readonly axes: Axes
  readonly forward: OpDefinition
  readonly backwardInput: OpDefinition
  readonly backwardWeights: OpDefinition
}

export function convolutionOps(axes: Axes): ConvolutionOps {
  const name = `conv${axes}d`
  const resultOf = (x: TensorType, w: TensorType, attributes: Attributes, label: string) =>
    convolutionResult(axes, x, w, attributes, attributes.groups as number, label).y

  const forward: OpDefinition = {
    name,
    inputs: ['x', 'w', 'bias?'],
    outputs: ['y'],
    infer([x, w, bias], attributes, label) {
      const y = resultOf(x!, w!, attributes, label)
      if (bias) checkBias(bias, w!.shape.at(-1)!, label, 'filters')
      return [y]
    },
    gradient({ inputs, attributes, label }, [dy], wanted) {
      const [x, w] = [inputs[0]!, inputs[1]!]
      const options = { name: label }
      return [
        wanted[0] ? inputGradient(ops, dy!, w, attributes, x, options) : undefined,
        wanted[1] ? weightGradient(ops, dy!, x, attributes, w, options) : undefined,
        wanted[2] ? biasGradient(dy!, options) : undefined,
      ] as (Value | undefined)[]
    },
    multiplyAdds: ([, w], [y]) => filtersAtPixels(w!, y!),
  }

  const backwardInput: OpDefinition = {
    name: `${name}BackwardInput`,
    inputs: ['dy', 'w'],
    outputs: ['dx'],
    shapeAttributes: ['shape'],
    infer([dy, w], attributes, label) {
      checkRank(dy!.shape, letters[axes].result, label, 'dy')
      const x: TensorType = { shape: [dy!.shape[0]!, ...(attributes.shape as number[])], dtype: 'float32' }
      checkGradientShape(dy!, resultOf(x, w!, attributes, label), label)
      return [x]
    },
    multiplyAdds: ([dy, w]) => filtersAtPixels(w!, dy!),
  }

  const backwardWeights: OpDefinition = {
    name: `${name}BackwardWeights`,
    inputs: ['dy', 'x'],
    outputs: ['dw', 'db'],
    optionalOutputs: ['db'],
    shapeAttributes: ['shape'],
    infer([dy, x], attributes, label) {
      const w: TensorType = { shape: attributes.shape as number[], dtype: 'float32' }
      checkGradientShape(dy!, resultOf(x!, w, attributes, label), label)
      return [w, { shape: [w.shape.at(-1)!], dtype: 'float32' }]
    },
    multiplyAdds: ([dy], [dw]) => filtersAtPixels(dw!, dy!),
  }

  const ops = { axes, forward, backwardInput, backwardWeights }
  return ops
}

/** The gradient by the image `x`, whose type alone is asked for. */
export function inputGradient(
  { backwardInput }: ConvolutionOps,
  dy: Operand,
  w: Operand,
  attributes: Attributes,
  x: TensorType,
  options: OpOptions,
): Operand {
  return call(backwardInput, [dy, w], backwardAttributes(attributes, x.shape.slice(1) as number[]), options)[0]!
}

/** The gradient by the filters `w`, whose type alone is asked for. */
export function weightGradient(
  { backwardWeights }: ConvolutionOps,
  dy: Operand,
  x: Operand,
  attributes: Attributes,
  w: TensorType,
  options: OpOptions,
): Operand {
  return call(backwardWeights, [dy, x], backwardAttributes(attributes, w.shape as number[]), options, { wanted: [0] })[0]!
}

/**
 * How a convolution is computed; `'auto'` chooses by the sizes, `'noWinograd'` alike but never Winograd's, `'winograd'` the cheapest of these. Results differ by
 * rounding only. `'direct'` is for at most 32 channels in a group, or 16 on one side of a single group (with stride 1 where these are the filters, and not for the
 * gradient by few channels of a volume); Winograd's for one group, stride and dilation 1 and windows of 3 × 3 or 5 × 5. Elsewhere these are refused: Winograd's INVALID_ARGUMENT.
 */
export type ConvolutionAlgorithm = (typeof convolutionAlgorithms)[number]
export const convolutionAlgorithms = [
  'auto',
  'noWinograd',
  'im2col',
  'indirect',
  'direct',
  'winograd',
  'winograd2',
  'winograd4',
  'winograd6',
] as const

export function checkAlgorithm(value: unknown, label: string): ConvolutionAlgorithm {
  return checkChoice(value, convolutionAlgorithms, label, 'algorithm')
}

interface WinogradFacts {
  readonly algorithm: ConvolutionAlgorithm
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

/** Refuses Winograd's algorithms by name where there is none for the convolution. Throws INVALID_ARGUMENT. */
export function checkWinograd({ algorithm, stride, dilation, groups }: WinogradFacts, window: SymbolicShape, label: string): void {
  if (!algorithm.startsWith('winograd')) return
  const fits = window.join() === '3,3' || (window.join() === '5,5' && algorithm !== 'winograd6')
  if (fits && groups === 1 && [...stride, ...dilation].every((size) => size === 1)) return
  const windows = algorithm === 'winograd6' ? '3 x 3' : '3 x 3 or 5 x 5'
  const message = `${label}: algorithm '${algorithm}' needs two axes, one group, stride and dilation 1 and a window of ${windows}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { received: algorithm })
}

/** `Sizes` and `Pad`: how stride and dilation, and padding, are written for the number of axes. */
export interface ConvolutionOptions<T = Tensor, Sizes = unknown, Pad = unknown> extends OpOptions {
  /** `[OC]`, added to every pixel. Default: none. */
  readonly bias?: T | undefined
  /** Default 1. */
  readonly stride?: Sizes | undefined
  /** Default `'valid'`. */
  readonly padding?: Pad | undefined
  /** Distance between the taps of a filter. Default 1. */
  readonly dilation?: Sizes | undefined
  /** Channels and filters are cut into so many parts that don't see each other. Default 1. */
  readonly groups?: number | undefined
  /** Applied to the result. Default `'linear'`. */
  readonly activation?: Activation | undefined
  /** Default `'auto'`. */
  readonly algorithm?: ConvolutionAlgorithm | undefined
}

const optionNames = ['bias', 'stride', 'padding', 'dilation', 'groups', 'activation', 'algorithm']

/** The options that every convolution checks alike, besides those of its window. */
export function commonOptions(options: ConvolutionOptions<Operand>, names: readonly string[], label: string) {
  checkOptions(options, names, label)
  if (options.bias !== undefined) typeOf(options.bias, label, 'bias')
  return {
    groups: checkInteger(options.groups ?? 1, label, 'groups'),
    algorithm: checkAlgorithm(options.algorithm ?? 'auto', label),
    activation: checkActivation(options.activation, label),
  }
}

/** Checks a call and resolves its options. */
function prepare(axes: Axes, x: Operand, w: Operand, options: ConvolutionOptions<Operand>, label: string) {
  checkOptions(options, optionNames, label)
  const [image, filters] = [typeOf(x, label, 'input'), typeOf(w, label, 'filters')]
  const { groups, algorithm, activation } = commonOptions(options, optionNames, label)
  const { geometry, y } = convolutionResult(axes, image, filters, options, groups, label)
  const { stride, padding, dilation } = geometry
  checkWinograd({ algorithm, stride, dilation, groups }, filters.shape.slice(0, axes), label)
  return { image, filters, y, activation, attributes: { stride, padding, dilation, groups, activation: 'linear', algorithm } }
}

/** What `conv1d`, `conv2d` and `conv3d` do. */
export function convolution({ axes, forward }: ConvolutionOps, x: Operand, w: Operand, options: ConvolutionOptions<Operand> = {}): Operand {
  const { activation, attributes } = prepare(axes, x, w, options, labelOf(forward.name, options?.name))
  return activate(call(forward, [x, w, options.bias], attributes, options)[0]!, activation, options)
}

/** What their backward functions do. */
export function convolutionBackward(
  ops: ConvolutionOps,
  dy: Operand,
  x: Operand,
  w: Operand,
  options: ConvolutionOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const { axes, forward } = ops
  const label = labelOf(`${forward.name}Backward`, options?.name)
  const { image, filters, y, activation, attributes } = prepare(axes, x, w, options, label)
  checkGradientShape(typeOf(dy, label, 'dy'), y, label)
  const linear = activation === 'linear' ? dy : call(forward, [x, w, options.bias], attributes, options)[0]!
  const dz = activateBackward(dy, linear, activation, options)
  const { runtime, name } = options
  return {
    dx: inputGradient(ops, dz, w, attributes, image, options),
    dw: weightGradient(ops, dz, x, attributes, filters, options),
    db: biasGradient(dz as Value, { runtime, name }),
  }
}
