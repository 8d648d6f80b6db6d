import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank, type Pair } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { Attributes, OpDefinition } from './op'
import { checkFlag, checkOptions, type OpOptions } from './options'
import { checkPoolGradient, inferPool, inferPoolBackward, type PoolOptions, preparePool } from './pool'
import { reshape } from './reshape'

export const averagePool2dOp: OpDefinition = {
  name: 'averagePool2d',
  inputs: ['x'],
  outputs: ['y'],
  shapeAttributes: ['ceil'],
  infer: ([x], attributes, label) => [{ shape: inferPool(x!, attributes, label), dtype: 'float32' }],
  gradient({ inputs, attributes, label: name }, [dy]) {
    return [backward(dy!, attributes, inputs[0]!.shape as number[], { name }) as Value]
  },
}

export const averagePool2dBackwardOp: OpDefinition = {
  name: 'averagePool2dBackward',
  inputs: ['dy'],
  outputs: ['dx'],
  shapeAttributes: ['shape', 'ceil'],
  infer: ([dy], attributes, label) => [inferPoolBackward(dy!, attributes, label)],
}

function backward(dy: Operand, attributes: Attributes, shape: readonly number[], options: OpOptions): Operand {
  return call(averagePool2dBackwardOp, [dy], { ...attributes, shape: shape.slice(1) }, options)[0]!
}

export interface AveragePool2dOptions extends PoolOptions {
  /** Whether pixels in the padding count, as zeros (PyTorch's default), or not (Keras, TensorFlow). Default false. */
  readonly countPadding?: boolean | undefined
}

function prepare(x: Operand, size: number | Pair, options: AveragePool2dOptions, label: string) {
  const { image, shape, attributes } = preparePool(x, size, options, ['countPadding'], label)
  return { image, shape, attributes: { ...attributes, countPadding: checkFlag(options.countPadding, label, 'countPadding') } }
}

/**
 * The mean of each window of `size` pixels: `x [N, H, W, C]` → `[N, OH, OW, C]`. Throws `INVALID_SHAPE` for a window larger than the padded input,
 * `INVALID_ARGUMENT` for a bad option, one that leaves a window wholly in the padding among them, `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function averagePool2d(x: Tensor, size: number | Pair, options?: AveragePool2dOptions): Tensor
export function averagePool2d(x: Value, size: number | Pair, options?: AveragePool2dOptions): Value
export function averagePool2d(x: Operand, size: number | Pair, options: AveragePool2dOptions = {}): Operand {
  const { attributes } = prepare(x, size, options, labelOf('averagePool2d', options?.name))
  return call(averagePool2dOp, [x], attributes, options)[0]!
}

/** `{ dx }`: the gradient of `averagePool2d(x, size, options)` by `x`: each `dy [N, OH, OW, C]` is shared by its window. Throws as `averagePool2d` does. */
export function averagePool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: AveragePool2dOptions): { dx: Tensor }
export function averagePool2dBackward(dy: Value, x: Value, size: number | Pair, options?: AveragePool2dOptions): { dx: Value }
export function averagePool2dBackward(dy: Operand, x: Operand, size: number | Pair, options: AveragePool2dOptions = {}) {
  const label = labelOf('averagePool2dBackward', options?.name)
  const { image, shape, attributes } = prepare(x, size, options, label)
  checkPoolGradient(typeOf(dy, label, 'dy'), shape, label)
  return { dx: backward(dy, attributes, image.shape as number[], options) }
}

/** The mean of each channel of each image: `x [N, H, W, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalAveragePool2d(x: Tensor, options?: OpOptions): Tensor
export function globalAveragePool2d(x: Value, options?: OpOptions): Value
export function globalAveragePool2d(x: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('globalAveragePool2d', options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(x, label, 'input')
  checkRank(shape, ['N', 'H', 'W', 'C'], label, 'input')
  const pooled = averagePool2d(x as Value, [shape[1]!, shape[2]!], options)
  return reshape(pooled, [shape[0]!, shape[3]!], options)
}
