import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkNumber, elementCount, shapeText, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const l2NormOp: OpDefinition = {
  name: 'l2Norm',
  inputs: ['x*'],
  outputs: ['norm'],
  infer: () => [{ shape: [], dtype: 'float32' }],
}

export const clipByNormOp: OpDefinition = {
  name: 'clipByNorm',
  inputs: ['x', 'norm'],
  outputs: ['y'],
  inPlace: true,
  infer([x, norm], _, label) {
    if (norm!.shape[0] !== null && elementCount(norm!.shape, label) === 1) return [x!]
    throw new ConvlaneError('INVALID_SHAPE', `${label}: norm must have one element, received ${shapeText(norm!.shape)}`, {
      received: norm!.shape,
    })
  },
}

export const clipByValueOp: OpDefinition = {
  name: 'clipByValue',
  inputs: ['x'],
  outputs: ['y'],
  inPlace: true,
  infer: ([x]) => [x!],
}

/**
 * The root of the sum of the squares of all elements of all tensors, shape `[]`: the global norm of gradients. Summed in double precision. It has no
 * gradient of its own. Throws `INVALID_ARGUMENT`, and what a bad tensor throws.
 */
export function l2Norm(xs: readonly Tensor[], options?: OpOptions): Tensor
export function l2Norm(xs: readonly Value[], options?: OpOptions): Value
export function l2Norm(xs: readonly Operand[], options: OpOptions = {}): Operand {
  const label = labelOf('l2Norm', options?.name)
  checkOptions(options, [], label)
  if (!Array.isArray(xs) || xs.length === 0) {
    const message = `${label}: takes an array of at least one tensor, received ${valueText(xs)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: xs })
  }
  xs.forEach((x, index) => {
    typeOf(x, label, `input ${index}`)
  })
  return call(l2NormOp, xs, { count: xs.length }, options)[0]!
}

/**
 * x · min(1, limit / (norm + 1e-6)), as PyTorch's `clip_grad_norm_`; norm is a tensor of one element, {@link l2Norm}'s. Keras leaves the 1e-6 out. It has
 * no gradient of its own. Throws `INVALID_ARGUMENT`, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function clipByNorm(x: Tensor, norm: Tensor, limit: number, options?: OpOptions): Tensor
export function clipByNorm(x: Value, norm: Value, limit: number, options?: OpOptions): Value
export function clipByNorm(x: Operand, norm: Operand, limit: number, options: OpOptions = {}): Operand {
  const label = labelOf('clipByNorm', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  typeOf(norm, label, 'norm')
  return call(clipByNormOp, [x, norm], { limit: checkNumber(limit, label, 'limit', { low: 0 }) }, options)[0]!
}

/** Each element brought into −limit … limit; NaN stays. It has no gradient of its own. Throws `INVALID_ARGUMENT`, and what a bad tensor throws. */
export function clipByValue(x: Tensor, limit: number, options?: OpOptions): Tensor
export function clipByValue(x: Value, limit: number, options?: OpOptions): Value
export function clipByValue(x: Operand, limit: number, options: OpOptions = {}): Operand {
  const label = labelOf('clipByValue', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  return call(clipByValueOp, [x], { limit: checkNumber(limit, label, 'limit', { low: 0 }) }, options)[0]!
}
