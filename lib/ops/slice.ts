import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkInteger, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { concat } from './concat'
import { fillValue } from './fill'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const sliceOp: OpDefinition = {
  name: 'slice',
  inputs: ['x'],
  outputs: ['y'],
  shapeAttributes: ['count'],
  infer([x], attributes, label) {
    const { start, count } = attributes as { start: number; count: number }
    const channels = x!.shape.at(-1)
    if (typeof channels === 'number' && start + count <= channels) return [{ shape: [...x!.shape.slice(0, -1), count], dtype: 'float32' }]
    const message = `${label}: channels ${start} to ${start + count - 1} are not all within the last axis of ${shapeText(x!.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: channels, received: start + count })
  },
  gradient({ inputs, attributes }, [dy]) {
    const { start, count } = attributes as { start: number; count: number }
    const { shape } = inputs[0]!
    const zeros = (channels: number): Value[] => (channels > 0 ? [fillValue([...shape.slice(0, -1), channels], 0)] : [])
    return [concat([...zeros(start), dy!, ...zeros(shape.at(-1)! - start - count)])]
  },
}

/** `count` channels of the last axis from `start` on: `[..., C]` → `[..., count]`. Throws `INVALID_SHAPE` when there aren't so many, `INVALID_ARGUMENT`. */
export function slice(x: Tensor, start: number, count: number, options?: OpOptions): Tensor
export function slice(x: Value, start: number, count: number, options?: OpOptions): Value
export function slice(x: Operand, start: number, count: number, options: OpOptions = {}): Operand {
  const label = labelOf('slice', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  const attributes = { start: checkInteger(start, label, 'start', 0), count: checkInteger(count, label, 'count') }
  return call(sliceOp, [x], attributes, options)[0]!
}
