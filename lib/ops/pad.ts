import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkChoice, checkInteger, checkNumber, shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { slice } from './slice'

/** So many elements before and after, for each axis. */
export type Sides = readonly (readonly [before: number, after: number])[]

export const padOp: OpDefinition = {
  name: 'pad',
  inputs: ['x'],
  outputs: ['y'],
  infer([x], attributes, label) {
    const shape = x!.shape.map((size, axis) => {
      const [before, after] = (attributes.padding as Sides)[axis]!
      if (size === null && before + after > 0)
        throw new ConvlaneError('INVALID_SHAPE', `${label}: the batch cannot be padded`, { received: attributes.padding })
      if (size !== null && attributes.mode === 'reflect' && Math.max(before, after) >= size) {
        const message = `${label}: reflected padding must be less than the size, received [${before}, ${after}] for axis ${axis} of ${shapeText(x!.shape)}`
        throw new ConvlaneError('INVALID_SHAPE', message, { expected: size - 1, received: [before, after] })
      }
      return size === null ? null : size + before + after
    })
    return [{ shape, dtype: 'float32' }]
  },
  gradient({ inputs, attributes }, [dy]) {
    const { shape } = inputs[0]!
    if (attributes.mode === 'constant') {
      const before = (attributes.padding as Sides).map((sides) => sides[0])
      return [shape.length === 0 ? dy : slice(dy!, before, shape)]
    }
    return [call(padBackwardOp, [dy], { ...attributes, shape: shape.map((size) => size ?? -1) }, {})[0] as Value]
  },
}

/** `shape` has -1 for the batch size. */
export const padBackwardOp: OpDefinition = {
  name: 'padBackward',
  inputs: ['dy'],
  outputs: ['dx'],
  shapeAttributes: ['shape', 'value'],
  infer: (_, attributes): TensorType[] => [
    { shape: (attributes.shape as number[]).map((size) => (size === -1 ? null : size)), dtype: 'float32' },
  ],
}

export interface PadOptions extends OpOptions {
  /**
   * What lies around x. `'constant'`: `value`. `'edge'`: its outermost elements. `'reflect'`: its mirror image, without the outermost elements, as numpy's
   * and PyTorch's mode of this name; needs less padding than there are elements. Default `'constant'`.
   */
  readonly mode?: 'constant' | 'edge' | 'reflect' | undefined
  /** Of `'constant'`. Default 0. */
  readonly value?: number | undefined
}

/**
 * Padding on both sides of each axis: `[before, after]` for each, `[0, 0]` for the batch. Throws `INVALID_ARGUMENT` for a bad option, `INVALID_SHAPE` for
 * padding that doesn't fit.
 */
export function pad(x: Tensor, padding: Sides, options?: PadOptions): Tensor
export function pad(x: Value, padding: Sides, options?: PadOptions): Value
export function pad(x: Operand, padding: Sides, options: PadOptions = {}): Operand {
  const label = labelOf('pad', options?.name)
  checkOptions(options, ['mode', 'value'], label)
  const { shape } = typeOf(x, label, 'input')
  const mode = checkChoice(options.mode ?? 'constant', ['constant', 'edge', 'reflect'], label, 'mode')
  const value = checkNumber(options.value ?? 0, label, 'value')
  const isList = Array.isArray(padding) && padding.length === shape.length
  if (!isList || padding.some((sides) => !Array.isArray(sides) || sides.length !== 2)) {
    const message = `${label}: padding must be [before, after] for each axis of ${shapeText(shape)}, received ${valueText(padding)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: padding })
  }
  const sides = padding.map((pair, axis) => pair.map((size: unknown) => checkInteger(size, label, `padding[${axis}]`, 0)))
  const attributes: Attributes = { padding: sides, mode, value }
  return call(padOp, [x], attributes, { runtime: options.runtime, name: options.name })[0]!
}
