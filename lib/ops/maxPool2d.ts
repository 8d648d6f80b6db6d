import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { type Pair, sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { Attributes, OpDefinition } from './op'
import { checkPoolGradient, inferPool, inferPoolBackward, type PoolOptions, preparePool } from './pool'

/** Which position of its window each maximum has, `kh · KW + kw`, for `maxPool2dBackward`. */
export interface Positions {
  readonly shape: readonly number[]
  readonly data: Int32Array
}

export const maxPool2dOp: OpDefinition = {
  name: 'maxPool2d',
  inputs: ['x'],
  outputs: ['y', 'positions'],
  optionalOutputs: ['positions'],
  shapeAttributes: ['ceil'],
  infer([x], attributes, label) {
    const shape = inferPool(x!, attributes, label)
    return [
      { shape, dtype: 'float32' },
      { shape, dtype: 'int32' },
    ]
  },
  gradient({ inputs, outputs, attributes, label: name }, [dy]) {
    return [backward(dy!, outputs[1]!, attributes, inputs[0]!.shape as number[], name) as Value]
  },
}

export const maxPool2dBackwardOp: OpDefinition = {
  name: 'maxPool2dBackward',
  inputs: ['dy', 'positions'],
  outputs: ['dx'],
  shapeAttributes: ['shape', 'ceil'],
  infer([dy, positions], attributes, label) {
    const dx = inferPoolBackward(dy!, attributes, label)
    if (sameShape(dy!.shape, positions!.shape)) return [dx]
    const message = `${label}: positions must have the shape of dy ${shapeText(dy!.shape)}, received ${shapeText(positions!.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: dy!.shape, received: positions!.shape })
  },
}

function backward(
  dy: Operand,
  positions: Operand,
  attributes: Attributes,
  shape: readonly number[],
  name?: string,
  runtime?: PoolOptions['runtime'],
) {
  return call(maxPool2dBackwardOp, [dy, positions], { ...attributes, shape: shape.slice(1) }, { name, runtime })[0]!
}

/**
 * The maximum of each window of `size` pixels: `x [N, H, W, C]` → `[N, OH, OW, C]`; padding never wins, NaN does.
 * Throws `INVALID_SHAPE` for a window larger than the padded input, `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding
 * among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function maxPool2d(x: Tensor, size: number | Pair, options?: PoolOptions): Tensor
export function maxPool2d(x: Value, size: number | Pair, options?: PoolOptions): Value
export function maxPool2d(x: Operand, size: number | Pair, options: PoolOptions = {}): Operand {
  const { attributes } = preparePool(x, size, options, [], labelOf('maxPool2d', options?.name))
  return call(maxPool2dOp, [x], attributes, options, { wanted: [0] })[0]!
}

/** As `maxPool2d`, with the position of each maximum within its window (the first in row-major order, where several are alike). */
export function maxPool2dWithPositions(x: Tensor, size: number | Pair, options?: PoolOptions): { y: Tensor; positions: Positions }
export function maxPool2dWithPositions(x: Value, size: number | Pair, options?: PoolOptions): { y: Value; positions: Value }
export function maxPool2dWithPositions(x: Operand, size: number | Pair, options: PoolOptions = {}) {
  const { attributes } = preparePool(x, size, options, [], labelOf('maxPool2dWithPositions', options?.name))
  const [y, positions] = call(maxPool2dOp, [x], attributes, options)
  return { y: y!, positions: positions! }
}

export interface MaxPool2dBackwardOptions<T = Positions> extends PoolOptions {
  /** Those of `maxPool2dWithPositions(x, size, options)`. Default: computed anew. */
  readonly positions?: T | undefined
}

/** `{ dx }`: the gradient of `maxPool2d(x, size, options)` by `x`: each `dy [N, OH, OW, C]` goes to its window's maximum. Throws as `maxPool2d` does. */
export function maxPool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: MaxPool2dBackwardOptions): { dx: Tensor }
export function maxPool2dBackward(dy: Value, x: Value, size: number | Pair, options?: MaxPool2dBackwardOptions<Value>): { dx: Value }
export function maxPool2dBackward(dy: Operand, x: Operand, size: number | Pair, options: MaxPool2dBackwardOptions<Operand> = {}) {
  const label = labelOf('maxPool2dBackward', options?.name)
  const { image, shape, attributes } = preparePool(x, size, options, ['positions'], label)
  checkPoolGradient(typeOf(dy, label, 'dy'), shape, label)
  const { runtime, name, positions } = options
  if (positions !== undefined) checkPositions(positions, attributes.size, label)
  const known = positions ?? call(maxPool2dOp, [x], attributes, { runtime, name })[1]!
  return { dx: backward(dy, known, attributes, image.shape as number[], name, runtime) }
}

function checkPositions(positions: Operand, [height, width]: Pair, label: string): void {
  typeOf(positions, label, 'positions', ['int32'])
  if ('origin' in positions) return
  const wrong = positions.data.find((position) => position < 0 || position >= height * width)
  if (wrong === undefined) return
  const message = `${label}: positions must be from 0 to ${height * width - 1}, received ${wrong}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { received: wrong })
}
