import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const biasGradientOp: OpDefinition = {
  name: 'biasGradient',
  inputs: ['dy'],
  outputs: ['db'],
  infer([dy], _, label) {
    const channels = dy!.shape.at(-1)
    if (typeof channels === 'number') return [{ shape: [channels], dtype: 'float32' }]
    const message = `${label}: dy must have a last axis of channels [..., C], received ${shapeText(dy!.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: dy!.shape })
  },
}

/** Sums over all axes but the last: `dy [..., C]` → `[C]`, the gradient of a bias. Throws `INVALID_SHAPE` for rank 0. */
export function biasGradient(dy: Tensor, options?: OpOptions): Tensor
export function biasGradient(dy: Value, options?: OpOptions): Value
export function biasGradient(dy: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('biasGradient', options?.name)
  checkOptions(options, [], label)
  typeOf(dy, label, 'dy')
  return call(biasGradientOp, [dy], {}, options)[0]!
}
