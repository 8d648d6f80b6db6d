import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const transposeOp: OpDefinition = {
  name: 'transpose',
  inputs: ['x'],
  outputs: ['y'],
  infer([x], attributes, label) {
    const shape: (number | null)[] = (attributes.permutation as number[]).map((axis) => x!.shape[axis]!)
    if (!shape.includes(null, 1)) return [{ shape, dtype: 'float32' }]
    const message = `${label}: the batch size must stay first, received ${shapeText(x!.shape)} and ${valueText(attributes.permutation)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: attributes.permutation })
  },
  gradient({ attributes }, [dy]) {
    const permutation = attributes.permutation as number[]
    return [
      transpose(
        dy!,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ]
  },
}

/**
 * Axis i of the result is axis `permutation[i]` of x. Default: all in reverse. In a graph the batch size stays first.
 * Throws `INVALID_ARGUMENT` unless the permutation holds each axis once, `INVALID_SHAPE`.
 */
export function transpose(x: Tensor, permutation?: readonly number[], options?: OpOptions): Tensor
export function transpose(x: Value, permutation?: readonly number[], options?: OpOptions): Value
export function transpose(x: Operand, permutation?: readonly number[], options: OpOptions = {}): Operand {
  const label = labelOf('transpose', options?.name)
  checkOptions(options, [], label)
  const axes = typeOf(x, label, 'input').shape.map((_, axis) => axis)
  const order = permutation ?? axes.toReversed()
  if (!Array.isArray(order) || order.length !== axes.length || axes.some((axis) => !order.includes(axis))) {
    const message = `${label}: permutation must hold each of the ${axes.length} axes once, received ${valueText(order)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: order })
  }
  return call(transposeOp, [x], { permutation: [...order] }, options)[0]!
}
