import { ConvlaneError } from '../errors'
import type { TensorType } from '../graph/value'
import { checkRank, checkSizes, type Padding, type Pair, sameShape, shapeText } from '../shape'
import { checkWindowsMeetInput, type WindowGeometry, type WindowOptions, windowGeometry } from '../window'
import { type Operand, typeOf } from './call'
import { type Axes, imageSizes, letters } from './convolution'
import type { Attributes } from './op'
import { checkOptions, type OpOptions } from './options'

/** `Sizes` and `Pad`: how stride and dilation, and padding, are written for the number of axes. */
export interface PoolOptions<Sizes = number | Pair, Pad = Padding> extends OpOptions {
  /** Default: the window's size, so that windows touch. */
  readonly stride?: Sizes | undefined
  /** Default `'valid'`. */
  readonly padding?: Pad | undefined
  /** Distance between the pixels of a window. Default 1. */
  readonly dilation?: Sizes | undefined
  /** Rounds the output size up, so that a last window that doesn't fit counts with the pixels that it has (PyTorch's rule). Default false. */
  readonly ceil?: boolean | undefined
}

/** The number of axes of an image that an op slides over. */
const axesOf = (shape: TensorType['shape'] | readonly number[]): Axes => shape.length as Axes

/** Checks a pooling and gives its geometry and the shape of its result, `[N, …, C]`. Attributes or options alike. */
export function poolResult(
  x: TensorType,
  size: readonly number[],
  options: WindowOptions,
  label: string,
): { geometry: WindowGeometry; shape: TensorType['shape'] } {
  checkRank(x.shape, letters[axesOf(size)].image, label, 'input')
  const image = imageSizes(x.shape)
  const geometry = windowGeometry(label, image, size, options, size)
  checkWindowsMeetInput(label, image, size, geometry)
  return { geometry, shape: [x.shape[0]!, ...geometry.output, x.shape.at(-1)!] }
}

/** The attributes of a pooling's steps, from a user's call. `ceil` is for the shape rules only: steps know it from the size of the result. */
export function preparePool(
  axes: Axes,
  x: Operand,
  size: unknown,
  options: PoolOptions<unknown, unknown>,
  more: readonly string[],
  label: string,
) {
  checkOptions(options, ['stride', 'padding', 'dilation', 'ceil', ...more], label)
  const window = checkSizes(size, axes, label, 'size')
  const image = typeOf(x, label, 'input')
  const { geometry, shape } = poolResult(image, window, options, label)
  const { stride, padding, dilation } = geometry
  return { image, shape, attributes: { size: window, stride, padding, dilation, ceil: options.ceil ?? false } }
}

/** The shape rule of all poolings' forward ops. */
export function inferPool(x: TensorType, attributes: Attributes, label: string): TensorType['shape'] {
  return poolResult(x, attributes.size as number[], attributes, label).shape
}

/** The shape rule of their backward ops: `shape` among the attributes is the image's without the batch. */
export function inferPoolBackward(dy: TensorType, attributes: Attributes, label: string): TensorType {
  checkRank(dy.shape, poolLetters(axesOf(attributes.size as number[])), label, 'dy')
  const dx: TensorType = { shape: [dy.shape[0]!, ...(attributes.shape as number[])], dtype: 'float32' }
  checkPoolGradient(dy, inferPool(dx, attributes, label), label)
  return dx
}

/** What the sizes of a pooling's result are called. */
export const poolLetters = (axes: Axes): string[] => [...letters[axes].result.slice(0, -1), 'C']

export function checkPoolGradient(dy: TensorType, shape: TensorType['shape'], label: string): void {
  if (sameShape(dy.shape, shape)) return
  const message = `${label}: dy must have the result's shape ${shapeText(shape)}, received ${shapeText(dy.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: dy.shape })
}
