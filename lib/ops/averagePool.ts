import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Padding, Pair } from '../shape'
import { call, type Operand, typeOf } from './call'
import type { Axes } from './convolution'
import type { Attributes, OpDefinition } from './op'
import { checkFlag, type OpOptions } from './options'
import { checkPoolGradient, inferPool, inferPoolBackward, type PoolOptions, preparePool } from './pool'

export interface AveragePoolOps {
  readonly axes: Axes
  readonly forward: OpDefinition
  readonly backward: OpDefinition
}

export function averagePoolOps(axes: Axes): AveragePoolOps {
  const name = `averagePool${axes}d`
  const forward: OpDefinition = {
    name,
    inputs: ['x'],
    outputs: ['y'],
    shapeAttributes: ['ceil'],
    infer: ([x], attributes, label) => [{ shape: inferPool(x!, attributes, label), dtype: 'float32' }],
    gradient({ inputs, attributes, label }, [dy]) {
      return [gradientOf(ops, dy!, attributes, inputs[0]!.shape as number[], { name: label }) as Value]
    },
  }
  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy'],
    outputs: ['dx'],
    shapeAttributes: ['shape', 'ceil'],
    infer: ([dy], attributes, label) => [inferPoolBackward(dy!, attributes, label)],
  }
  const ops = { axes, forward, backward }
  return ops
}

function gradientOf(
  { backward }: AveragePoolOps,
  dy: Operand,
  attributes: Attributes,
  shape: readonly number[],
  options: OpOptions,
): Operand {
  return call(backward, [dy], { ...attributes, shape: shape.slice(1) }, options)[0]!
}

export interface AveragePoolOptions<Sizes = number | Pair, Pad = Padding> extends PoolOptions<Sizes, Pad> {
  /** Whether pixels in the padding count, as zeros (PyTorch's default), or not (Keras, TensorFlow). Default false. */
  readonly countPadding?: boolean | undefined
}

function prepare(axes: Axes, x: Operand, size: unknown, options: AveragePoolOptions<unknown, unknown>, label: string) {
  const { image, shape, attributes } = preparePool(axes, x, size, options, ['countPadding'], label)
  return { image, shape, attributes: { ...attributes, countPadding: checkFlag(options.countPadding, label, 'countPadding') } }
}

/** What `averagePool1d`, `averagePool2d` and `averagePool3d` do. */
export function averagePool(
  { axes, forward }: AveragePoolOps,
  x: Operand,
  size: unknown,
  options: AveragePoolOptions<unknown, unknown> = {},
): Operand {
  const { attributes } = prepare(axes, x, size, options, labelOf(forward.name, options?.name))
  return call(forward, [x], attributes, options)[0]!
}

/** What their backward functions do. */
export function averagePoolBackward(
  ops: AveragePoolOps,
  dy: Operand,
  x: Operand,
  size: unknown,
  options: AveragePoolOptions<unknown, unknown> = {},
): { dx: Operand } {
  const label = labelOf(ops.backward.name, options?.name)
  const { image, shape, attributes } = prepare(ops.axes, x, size, options, label)
  checkPoolGradient(typeOf(dy, label, 'dy'), shape, label)
  return { dx: gradientOf(ops, dy, attributes, image.shape as number[], options) }
}
