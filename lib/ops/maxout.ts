import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkInteger, elementCount, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Operand, typeOf } from './call'
import { maxPool } from './maxPool'
import { maxPool1dOps } from './maxPool1d'
import { checkOptions, type OpOptions } from './options'
import { reshape } from './reshape'

/**
 * The largest of `pieces` values for each unit (Goodfellow and others, "Maxout networks", 2013): `[N, …, C]` → `[N, …, C / pieces]`, where unit u has the
 * channels u, u + C / pieces, u + 2 · C / pieces, …: piece after piece, each of all units. (TensorFlow Addons has the pieces of a unit next to each other.)
 * The gradient goes to the first of the largest; NaN is larger than all.
 * Throws `INVALID_SHAPE` for pieces that do not divide the channels or a tensor of rank below 2, `INVALID_ARGUMENT`.
 */
export function maxout(x: Tensor, pieces: number, options?: OpOptions): Tensor
export function maxout(x: Value, pieces: number, options?: OpOptions): Value
export function maxout(x: Operand, pieces: number, options: OpOptions = {}): Operand {
  const label = labelOf('maxout', options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(x, label, 'input')
  checkInteger(pieces, label, 'pieces')
  const channels = shape.at(-1)
  if (shape.length < 2 || typeof channels !== 'number' || channels % pieces !== 0) {
    const message = `${label}: takes [N, …, C] with a multiple of ${pieces} channels, received ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: pieces, received: shape })
  }
  const units = channels / pieces
  // A pooling along one axis whose windows are the pieces of one pixel.
  const pixels = elementCount(shape.slice(1, -1), label)
  const each = reshape(x as Value, [shape[0]!, pixels * pieces, units], options)
  const most = maxPool(maxPool1dOps, each, pieces, options) as Value
  return reshape(most, [...shape.slice(0, -1), units], options)
}
