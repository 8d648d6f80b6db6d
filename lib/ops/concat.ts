import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, Value } from '../graph/value'
import { sameShape, shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { checkAxis, sliceAlong } from './slice'

export const concatOp: OpDefinition = {
  name: 'concat',
  inputs: ['x*'],
  outputs: ['y'],
  infer(inputs, attributes, label) {
    const first = inputs[0]!.shape
    const axis = (attributes.axis as number | undefined) ?? first.length - 1
    const others = (shape: SymbolicShape) => shape.filter((_, index) => index !== axis)
    let length = 0
    for (const [index, x] of inputs.entries()) {
      const size = x!.shape[axis]
      if (typeof size !== 'number' || x!.shape.length !== first.length || !sameShape(others(x!.shape), others(first))) {
        const which = attributes.axis === undefined ? 'the last' : `axis ${axis}, which isn't the batch`
        const message = `${label}: sizes must be alike but for ${which}, received ${shapeText(first)} and, at index ${index}, ${shapeText(x!.shape)}`
        throw new ConvlaneError('INVALID_SHAPE', message, { expected: first, received: x!.shape })
      }
      length += size
    }
    return [{ shape: first.map((size, index) => (index === axis ? length : size)), dtype: 'float32' }]
  },
  gradient({ inputs, attributes }, [dy], wanted) {
    const axis = (attributes.axis as number | undefined) ?? dy!.shape.length - 1
    let start = 0
    return inputs.map((x, index) => {
      const from = start
      start += x!.shape[axis]!
      return wanted[index] ? (sliceAlong(dy!, axis, from, x!.shape[axis]!) as Value) : undefined
    })
  },
}

export interface ConcatOptions extends OpOptions {
  /** The axis along which they are joined; negative ones count from the end. Never the batch. Default: the last. */
  readonly axis?: number | undefined
}

/**
 * Tensors joined along an axis: `[..., C0]`, `[..., C1]`, … → `[..., C0 + C1 + …]`. Throws `INVALID_SHAPE` unless all other sizes are alike,
 * `INVALID_ARGUMENT` for an axis that there isn't.
 */
export function concat(xs: readonly Tensor[], options?: ConcatOptions): Tensor
export function concat(xs: readonly Value[], options?: ConcatOptions): Value
export function concat(xs: readonly Operand[], options: ConcatOptions = {}): Operand {
  const label = labelOf('concat', options?.name)
  checkOptions(options, ['axis'], label)
  if (!Array.isArray(xs) || xs.length === 0) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: takes an array of at least one tensor, received ${valueText(xs)}`, {
      received: xs,
    })
  }
  xs.forEach((x, index) => {
    typeOf(x, label, `input ${index}`)
  })
  const rank = xs[0].shape.length
  const axis = options.axis === undefined ? undefined : checkAxis(options.axis, rank, label)
  // Where it is the last one the step needs no axis.
  const attributes = axis === undefined || axis === rank - 1 ? {} : { axis }
  return call(concatOp, xs, { count: xs.length, ...attributes }, { runtime: options.runtime, name: options.name })[0]!
}
