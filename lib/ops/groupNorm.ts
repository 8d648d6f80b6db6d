import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkInteger, checkNumber, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Activation, activate, checkActivation } from './activation'
import { call, type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { checkShapes, float32, withoutGradient } from './rowNorm'

/** Throws `INVALID_SHAPE` unless x is a batch of channels that the groups divide. Gives the number of channels. */
export function checkGroups(x: TensorType, groups: number, label: string): number {
  const channels = x.shape.at(-1)
  if (x.shape.length < 2 || typeof channels !== 'number') {
    const message = `${label}: input must have rank 2 or more [N, …, C], received rank ${x.shape.length} ${shapeText(x.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: x.shape })
  }
  if (channels % groups === 0) return channels
  const message = `${label}: groups ${groups} do not divide the input's ${channels} channels`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: groups, received: channels })
}

export const groupNormBackwardOp: OpDefinition = {
  name: 'groupNormBackward',
  inputs: ['dy', 'x', 'mean', 'variance', 'gamma?'],
  outputs: ['dx', 'dgamma', 'dbeta'],
  optionalOutputs: ['dx', 'dgamma', 'dbeta'],
  infer([dy, x, mean, variance, gamma], { groups }, label) {
    checkSameShape(dy!, x!, label, ['dy', 'x'])
    const channels = checkGroups(x!, groups as number, label)
    checkShapes({ mean, variance }, [x!.shape[0]!, groups as number], label, 'one number for each sample and group')
    checkShapes({ gamma }, [channels], label, 'one number for each channel')
    return [float32(x!.shape), float32([channels]), float32([channels])]
  },
}

export const groupNormOp: OpDefinition = {
  name: 'groupNorm',
  inputs: ['x', 'gamma?', 'beta?'],
  outputs: ['y', 'mean', 'variance'],
  optionalOutputs: ['mean', 'variance'],
  infer([x, gamma, beta], { groups }, label) {
    const channels = checkGroups(x!, groups as number, label)
    checkShapes({ gamma, beta }, [channels], label, 'one number for each channel')
    const statistics = float32([x!.shape[0]!, groups as number])
    return [float32(x!.shape), statistics, statistics]
  },
  gradient({ inputs: [x, gamma], outputs, attributes: { epsilon, groups }, label }, [dy, dmean, dvariance], wanted) {
    if (dmean || dvariance) throw withoutGradient('groupNorm', label, 'mean and variance have')
    const attributes = { epsilon: epsilon!, groups: groups! }
    const found = call(groupNormBackwardOp, [dy, x, outputs[1], outputs[2], gamma], attributes, label === undefined ? {} : { name: label })
    return found.map((gradient, index) => (wanted[index] ? (gradient as Value) : undefined))
  },
}

export interface GroupNormOptions<T = Tensor> extends OpOptions {
  /** `[C]`, what each channel is multiplied by. Default: 1. */
  readonly gamma?: T | undefined
  /** `[C]`, added to each channel. Default: 0. */
  readonly beta?: T | undefined
  /** 0 ≤ epsilon, added to the variance. Default 1e-3, as in Keras; PyTorch has 1e-5. */
  readonly epsilon?: number | undefined
  /** Applied to the result. Default `'linear'`. */
  readonly activation?: Activation | undefined
}

function prepare(x: Operand, groups: number, options: GroupNormOptions<Operand>, known: readonly string[], label: string) {
  checkOptions(options, known, label)
  typeOf(x, label, 'input')
  if (options.gamma !== undefined) typeOf(options.gamma, label, 'gamma')
  if (options.beta !== undefined) typeOf(options.beta, label, 'beta')
  const epsilon = checkNumber(options.epsilon ?? 1e-3, label, 'epsilon', { low: 0 })
  const attributes: Attributes = { groups: checkInteger(groups, label, 'groups'), epsilon, activation: 'linear' }
  return { activation: checkActivation(options.activation, label), attributes }
}

/** What `groupNorm` and `instanceNorm` do. */
export function normalizeGroups(x: Operand, groups: number, options: GroupNormOptions<Operand>, label: string): Operand {
  const { activation, attributes } = prepare(x, groups, options, ['gamma', 'beta', 'epsilon', 'activation'], label)
  const inputs = [x, options.gamma, options.beta]
  return activate(call(groupNormOp, inputs, attributes, options, { wanted: [0] })[0]!, activation, options)
}

/** What their backward functions do. */
export function normalizeGroupsBackward(dy: Operand, x: Operand, groups: number, options: GroupNormOptions<Operand>, label: string) {
  const { attributes } = prepare(x, groups, options, ['gamma', 'epsilon'], label)
  checkSameShape(typeOf(dy, label, 'dy'), typeOf(x, label, 'x'), label, ['dy', 'x'])
  const [, mean, variance] = call(groupNormOp, [x, undefined, undefined], attributes, options)
  const { activation: _, ...rest } = attributes
  const [dx, dgamma, dbeta] = call(groupNormBackwardOp, [dy, x, mean, variance, options.gamma], rest, options)
  return { dx: dx!, dgamma: dgamma!, dbeta: dbeta! }
}

/**
 * Group normalization (Wu and He, 2018): the channels of `x [N, …, C]` are cut into `groups` of neighbours, and each group of each sample is normalized over
 * all its positions and channels; y = activation(gamma · (x − mean) / √(variance + epsilon) + beta). The variance is divided by the number of values. With
 * one group it is a layer normalization of whole samples whose gamma and beta are per channel. Gradients flow through mean and variance.
 *
 * Throws `INVALID_SHAPE` (where the groups don't divide the channels, too), `INVALID_ARGUMENT`, `INVALID_TENSOR`, `INVALID_DTYPE`.
 */
export function groupNorm(x: Tensor, groups: number, options?: GroupNormOptions): Tensor
export function groupNorm(x: Value, groups: number, options?: GroupNormOptions<Value>): Value
export function groupNorm(x: Operand, groups: number, options: GroupNormOptions<Operand> = {}): Operand {
  return normalizeGroups(x, groups, options, labelOf('groupNorm', options?.name))
}

/** Gradients of `groupNorm(x, groups, options)` without an activation, by `x`, gamma and beta, given that of its result, `dy`. Throws as `groupNorm` does. */
export function groupNormBackward(
  dy: Tensor,
  x: Tensor,
  groups: number,
  options?: Omit<GroupNormOptions, 'beta' | 'activation'>,
): { dx: Tensor; dgamma: Tensor; dbeta: Tensor }
export function groupNormBackward(
  dy: Value,
  x: Value,
  groups: number,
  options?: Omit<GroupNormOptions<Value>, 'beta' | 'activation'>,
): { dx: Value; dgamma: Value; dbeta: Value }
export function groupNormBackward(
  dy: Operand,
  x: Operand,
  groups: number,
  options: Omit<GroupNormOptions<Operand>, 'beta' | 'activation'> = {},
): Record<'dx' | 'dgamma' | 'dbeta', Operand> {
  return normalizeGroupsBackward(dy, x, groups, options, labelOf('groupNormBackward', options?.name))
}
