import { mixupAttributes } from '../augment/attributes'
import { mixup as description } from '../augment/transformations'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Tensor } from '../tensor'
import { type AugmentOptions, drawOptions } from './augment'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions } from './options'

export const mixupOp: OpDefinition = {
  name: 'mixup',
  inputs: ['x'],
  outputs: ['y'],
  scalars: ['seed', 'step'],
  infer([x], _attributes, label) {
    if (x!.shape.length > 0) return [x!]
    throw new ConvlaneError('INVALID_SHAPE', `${label}: takes samples [N, …], received []`, { expected: '[N, …]', received: [] })
  },
}

export interface MixupOpOptions extends AugmentOptions {
  /** Of Beta(α, α), from 0.01 to 100. Default 0.2. */
  readonly alpha?: number | undefined
  /** Chance that a sample is mixed. Default 1. */
  readonly probability?: number | undefined
}

/**
 * Each sample of `x [N, …]` mixed with another one: share · x + (1 − share) · other, the share drawn from Beta(α, α) for each. With the same options and as many
 * samples, whatever their shape, samples and shares are the same: so targets are mixed as their samples are. No gradient.
 * @throws INVALID_SHAPE, INVALID_ARGUMENT
 */
export function mixup(x: Tensor, options?: MixupOpOptions): Tensor
export function mixup(x: Value, options?: MixupOpOptions): Value
export function mixup(x: Operand, options: MixupOpOptions = {}): Operand {
  const label = labelOf('mixup', options?.name)
  checkOptions(options, ['alpha', 'probability', 'seed', 'step', 'stream'], label)
  const { scalars, stream } = drawOptions(options, label)
  const { alpha, probability } = options
  const checked = description({ ...(alpha !== undefined && { alpha }), ...(probability !== undefined && { probability }) })
  typeOf(x, label, 'input')
  return call(mixupOp, [x], mixupAttributes(checked, stream), options, { scalars })[0]!
}
