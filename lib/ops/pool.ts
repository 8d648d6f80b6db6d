import { ConvlaneError } from '../errors'
import type { TensorType } from '../graph/value'
import { checkPair, checkRank, type Padding, type Pair, sameShape, shapeText } from '../shape'
import { checkWindowsMeetInput, type WindowGeometry, type WindowOptions, windowGeometry } from '../window'
import { type Operand, typeOf } from './call'
import type { Attributes } from './op'
import { checkOptions, type OpOptions } from './options'

export interface PoolOptions extends OpOptions {
  /** Default: the window's size, so that windows touch. */
  readonly stride?: number | Pair | undefined
  /** Default `'valid'`. */
  readonly padding?: Padding | undefined
  /** Distance between the pixels of a window. Default 1. */
  readonly dilation?: number | Pair | undefined
  /** Rounds the output size up, so that a last window that doesn't fit counts with the pixels that it has. Default false. */
  readonly ceil?: boolean | undefined
}

/** Checks a pooling and gives its geometry and the shape of its result, `[N, OH, OW, C]`. Attributes or options alike. */
export function poolResult(
  x: TensorType,
  size: Pair,
  options: WindowOptions,
  label: string,
): { geometry: WindowGeometry; shape: TensorType['shape'] } {
  checkRank(x.shape, ['N', 'H', 'W', 'C'], label, 'input')
  const image: Pair = [x.shape[1]!, x.shape[2]!]
  const geometry = windowGeometry(label, image, size, options, size)
  checkWindowsMeetInput(label, image, size, geometry)
  return { geometry, shape: [x.shape[0]!, ...geometry.output, x.shape[3]!] }
}

/** The attributes of a pooling's steps, from a user's call. `ceil` is for the shape rules only: steps know it from the size of the result. */
export function preparePool(x: Operand, size: number | Pair, options: PoolOptions, more: readonly string[], label: string) {
  checkOptions(options, ['stride', 'padding', 'dilation', 'ceil', ...more], label)
  const window = checkPair(size, label, 'size')
  const image = typeOf(x, label, 'input')
  const { geometry, shape } = poolResult(image, window, options as WindowOptions, label)
  const { stride, padding, dilation } = geometry
  return { image, shape, attributes: { size: window, stride, padding, dilation, ceil: options.ceil ?? false } }
}

/** The shape rule of both poolings' forward ops. */
export function inferPool(x: TensorType, attributes: Attributes, label: string): TensorType['shape'] {
  return poolResult(x, attributes.size as Pair, attributes as WindowOptions, label).shape
}

/** The shape rule of both poolings' backward ops: `shape` among the attributes is the image's without the batch. */
export function inferPoolBackward(dy: TensorType, attributes: Attributes, label: string): TensorType {
  checkRank(dy.shape, ['N', 'OH', 'OW', 'C'], label, 'dy')
  const dx: TensorType = { shape: [dy.shape[0]!, ...(attributes.shape as number[])], dtype: 'float32' }
  checkPoolGradient(dy, inferPool(dx, attributes, label), label)
  return dx
}

export function checkPoolGradient(dy: TensorType, shape: TensorType['shape'], label: string): void {
  if (sameShape(dy.shape, shape)) return
  const message = `${label}: dy must have the result's shape ${shapeText(shape)}, received ${shapeText(dy.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: dy.shape })
}
