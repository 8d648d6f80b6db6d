import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { type Padding, type Pair, sameShape, shapeText } from '../shape'
import { call, type Operand, typeOf } from './call'
import type { Axes } from './convolution'
import type { Attributes, OpDefinition } from './op'
import { checkPoolGradient, inferPool, inferPoolBackward, type PoolOptions, preparePool } from './pool'

/** Which position of its window each maximum has, row-major (`kh · KW + kw`), for the backward functions. */
export interface Positions {
  /** That of the result of pooling. */
  readonly shape: readonly number[]
  /** A position for each element of it. */
  readonly data: Int32Array
}

export interface MaxPoolOps {
  readonly axes: Axes
  readonly forward: OpDefinition
  readonly backward: OpDefinition
}

export function maxPoolOps(axes: Axes): MaxPoolOps {
  const name = `maxPool${axes}d`
  const forward: OpDefinition = {
    name,
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
    gradient({ inputs, outputs, attributes, label }, [dy]) {
      return [gradientOf(ops, dy!, outputs[1]!, attributes, inputs[0]!.shape as number[], label) as Value]
    },
  }
  const backward: OpDefinition = {
    name: `${name}Backward`,
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
  const ops = { axes, forward, backward }
  return ops
}

function gradientOf(
  { backward }: MaxPoolOps,
  dy: Operand,
  positions: Operand,
  attributes: Attributes,
  shape: readonly number[],
  name?: string,
  runtime?: PoolOptions['runtime'],
): Operand {
  return call(backward, [dy, positions], { ...attributes, shape: shape.slice(1) }, { name, runtime })[0]!
}

/** What `maxPool1d`, `maxPool2d` and `maxPool3d` do. */
export function maxPool({ axes, forward }: MaxPoolOps, x: Operand, size: unknown, options: PoolOptions<unknown, unknown> = {}): Operand {
  const { attributes } = preparePool(axes, x, size, options, [], labelOf(forward.name, options?.name))
  return call(forward, [x], attributes, options, { wanted: [0] })[0]!
}

/** The same with positions. */
export function maxPoolWithPositions(
  { axes, forward }: MaxPoolOps,
  x: Operand,
  size: unknown,
  options: PoolOptions<unknown, unknown> = {},
): Record<'y' | 'positions', Operand> {
  const { attributes } = preparePool(axes, x, size, options, [], labelOf(`${forward.name}WithPositions`, options?.name))
  const [y, positions] = call(forward, [x], attributes, options)
  return { y: y!, positions: positions! }
}

export interface MaxPoolBackwardOptions<T = Positions, Sizes = number | Pair, Pad = Padding> extends PoolOptions<Sizes, Pad> {
  /** Those of the forward function with positions, of the same `x`, size and options. Default: computed anew. */
  readonly positions?: T | undefined
}

/** What their backward functions do. */
export function maxPoolBackward(
  ops: MaxPoolOps,
  dy: Operand,
  x: Operand,
  size: unknown,
  options: MaxPoolBackwardOptions<Operand, unknown, unknown> = {},
): { dx: Operand } {
  const label = labelOf(ops.backward.name, options?.name)
  const { image, shape, attributes } = preparePool(ops.axes, x, size, options, ['positions'], label)
  checkPoolGradient(typeOf(dy, label, 'dy'), shape, label)
  const { runtime, name, positions } = options
  if (positions !== undefined) checkPositions(positions, attributes.size, label)
  const known = positions ?? call(ops.forward, [x], attributes, { runtime, name })[1]!
  return { dx: gradientOf(ops, dy, known, attributes, image.shape as number[], name, runtime) }
}

function checkPositions(positions: Operand, size: readonly number[], label: string): void {
  typeOf(positions, label, 'positions', ['int32'])
  if ('origin' in positions) return
  const count = size.reduce((product, taps) => product * taps, 1)
  const wrong = positions.data.find((position) => position < 0 || position >= count)
  if (wrong === undefined) return
  const message = `${label}: positions must be from 0 to ${count - 1}, received ${wrong}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { received: wrong })
}
