import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkChoice } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { Indices } from './gather'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const castOp: OpDefinition = {
  name: 'cast',
  inputs: ['x'],
  outputs: ['y'],
  infer: ([x], attributes) => [{ shape: x!.shape, dtype: attributes.to as 'float32' | 'int32' }],
  gradient: ({ inputs, outputs }, [dy]) => [inputs[0]!.dtype === outputs[0]!.dtype ? dy : undefined],
}

/**
 * The same numbers in another element type. To int32: towards zero, NaN becomes 0, and what is too large the nearest there is; no gradient flows through whole numbers.
 * Throws `INVALID_ARGUMENT` for another type than these two.
 */
export function cast(x: Tensor | Indices, dtype: 'float32', options?: OpOptions): Tensor
export function cast(x: Tensor | Indices, dtype: 'int32', options?: OpOptions): Indices & { readonly data: Int32Array }
export function cast(x: Value, dtype: 'float32' | 'int32', options?: OpOptions): Value
export function cast(x: Operand | Indices, dtype: 'float32' | 'int32', options: OpOptions = {}): Operand {
  const label = labelOf('cast', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input', ['float32', 'int32', 'uint8'])
  return call(castOp, [x], { to: checkChoice(dtype, ['float32', 'int32'], label, 'dtype') }, options)[0]!
}
