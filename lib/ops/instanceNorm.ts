import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Operand, typeOf } from './call'
import { type GroupNormOptions, normalizeGroups, normalizeGroupsBackward } from './groupNorm'

/** As many groups as there are channels. Throws `INVALID_SHAPE` where a channel has but one position. */
function channelsOf(x: Operand, label: string): number {
  const { shape } = typeOf(x, label, 'input')
  if (shape.length >= 3) return shape.at(-1)!
  const message = `${label}: input must have rank 3 or more [N, …, C], received rank ${shape.length} ${shapeText(shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { received: shape })
}

/**
 * Instance normalization (Ulyanov, Vedaldi and Lempitsky, 2016): each channel of each sample of `x [N, …, C]` less its mean, by its deviation, over all
 * positions; y = activation(gamma · (x − mean) / √(variance + epsilon) + beta). It is `groupNorm` with as many groups as channels; there are no running
 * statistics. Options, defaults and what it throws are those of `groupNorm`.
 */
export function instanceNorm(x: Tensor, options?: GroupNormOptions): Tensor
export function instanceNorm(x: Value, options?: GroupNormOptions<Value>): Value
export function instanceNorm(x: Operand, options: GroupNormOptions<Operand> = {}): Operand {
  const label = labelOf('instanceNorm', options?.name)
  return normalizeGroups(x, channelsOf(x, label), options, label)
}

/** Gradients of `instanceNorm(x, options)` without an activation, by `x`, gamma and beta, given that of its result, `dy`. Throws as `instanceNorm` does. */
export function instanceNormBackward(
  dy: Tensor,
  x: Tensor,
  options?: Omit<GroupNormOptions, 'beta' | 'activation'>,
): { dx: Tensor; dgamma: Tensor; dbeta: Tensor }
export function instanceNormBackward(
  dy: Value,
  x: Value,
  options?: Omit<GroupNormOptions<Value>, 'beta' | 'activation'>,
): { dx: Value; dgamma: Value; dbeta: Value }
export function instanceNormBackward(
  dy: Operand,
  x: Operand,
  options: Omit<GroupNormOptions<Operand>, 'beta' | 'activation'> = {},
): Record<'dx' | 'dgamma' | 'dbeta', Operand> {
  const label = labelOf('instanceNormBackward', options?.name)
  return normalizeGroupsBackward(dy, x, channelsOf(x, label), options, label)
}
