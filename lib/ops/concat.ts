import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { sameShape, shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { slice } from './slice'

export const concatOp: OpDefinition = {
  name: 'concat',
  inputs: ['x*'],
  outputs: ['y'],
  infer(inputs, _, label) {
    const first = inputs[0]!.shape
    let channels = 0
    for (const [index, x] of inputs.entries()) {
      const last = x!.shape.at(-1)
      if (typeof last !== 'number' || !sameShape(x!.shape.slice(0, -1), first.slice(0, -1))) {
        const message = `${label}: sizes must be alike but for the last, received ${shapeText(first)} and, at index ${index}, ${shapeText(x!.shape)}`
        throw new ConvlaneError('INVALID_SHAPE', message, { expected: first, received: x!.shape })
      }
      channels += last
    }
    return [{ shape: [...first.slice(0, -1), channels], dtype: 'float32' }]
  },
  gradient({ inputs }, [dy], wanted) {
    let start = 0
    return inputs.map((x, index) => {
      const from = start
      start += x!.shape.at(-1)!
      return wanted[index] ? slice(dy!, from, x!.shape.at(-1)!) : undefined
    })
  },
}

/** Tensors joined along the last axis: `[..., C0]`, `[..., C1]`, … → `[..., C0 + C1 + …]`. Throws `INVALID_SHAPE` unless all other sizes are alike. */
export function concat(xs: readonly Tensor[], options?: OpOptions): Tensor
export function concat(xs: readonly Value[], options?: OpOptions): Value
export function concat(xs: readonly Operand[], options: OpOptions = {}): Operand {
  const label = labelOf('concat', options?.name)
  checkOptions(options, [], label)
  if (!Array.isArray(xs) || xs.length === 0) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: takes an array of at least one tensor, received ${valueText(xs)}`, {
      received: xs,
    })
  }
  xs.forEach((x, index) => {
    typeOf(x, label, `input ${index}`)
  })
  return call(concatOp, xs, { count: xs.length }, options)[0]!
}
