import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, TensorType, Value } from '../graph/value'
import { checkNumber, sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Activation, activate, checkActivation } from './activation'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import { fillValue } from './fill'
import { multiply } from './multiply'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** Keras' default. */
const EPSILON = 1e-3

/** Number of channels. Throws `INVALID_SHAPE` where there is no batch of them, or a value per channel is not one. */
function channelsOf(x: TensorType, values: Readonly<Record<string, TensorType | undefined>>, label: string): number {
  const channels = x.shape.at(-1)
  if (x.shape.length < 2 || typeof channels !== 'number') {
    const message = `${label}: input must have rank 2 or more [N, …, C], received rank ${x.shape.length} ${shapeText(x.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: x.shape })
  }
  for (const [name, type] of Object.entries(values)) {
    if (!type || sameShape(type.shape, [channels])) continue
    const message = `${label}: ${name} must have shape [${channels}] for ${channels} channels, received ${shapeText(type.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: [channels], received: type.shape })
  }
  return channels
}

const float32 = (shape: SymbolicShape): TensorType => ({ shape, dtype: 'float32' })

export const batchNormOp: OpDefinition = {
  name: 'batchNorm',
  inputs: ['x', 'gamma?', 'beta?', 'residual?'],
  outputs: ['y', 'mean', 'variance'],
  inPlace: true,
  infer([x, gamma, beta, residual], _, label) {
    if (residual) checkSameShape(x!, residual, label, ['x', 'residual'])
    const channels = channelsOf(x!, { gamma, beta }, label)
    return [float32(x!.shape), float32([channels]), float32([channels])]
  },
  gradient({ inputs, outputs, attributes, label: name }, [dy, dmean, dvariance], wanted) {
    if (dmean || dvariance) throw new ConvlaneError('UNSUPPORTED', `${labelOf('batchNorm', name)}: mean and variance have no gradient`)
    const [x, gamma] = [inputs[0]!, inputs[1]]
    const { epsilon } = attributes
    const [dx, dgamma, dbeta] = call(
      batchNormBackwardOp,
      [dy, x, outputs[1], outputs[2], gamma, undefined],
      { epsilon: epsilon!, activation: 'linear' },
      { name },
    )
    return [wanted[0] ? dx : undefined, wanted[1] ? dgamma : undefined, wanted[2] ? dbeta : undefined] as (Value | undefined)[]
  },
}

export const batchNormInferenceOp: OpDefinition = {
  name: 'batchNormInference',
  inputs: ['x', 'mean', 'variance', 'gamma?', 'beta?'],
  outputs: ['y'],
  inPlace: true,
  infer([x, mean, variance, gamma, beta], _, label) {
    channelsOf(x!, { mean, variance, gamma, beta }, label)
    return [float32(x!.shape)]
  },
  gradient({ inputs, attributes, label: name }, [dy], wanted) {
    if (wanted[1] || wanted[2])
      throw new ConvlaneError('UNSUPPORTED', `${labelOf('batchNormInference', name)}: mean and variance have no gradient`)
    const [x, mean, variance, gamma] = inputs
    const scaled = (value: Value, center: Value, factor?: Value) =>
      call(batchNormInferenceOp, [value, center, variance, factor, undefined], attributes, { name })[0] as Value
    return [
      wanted[0] ? scaled(dy!, fillValue(mean!.shape, 0), gamma) : undefined,
      undefined,
      undefined,
      wanted[3] ? biasGradient(multiply(dy!, scaled(x!, mean!), { name }), { name }) : undefined,
      wanted[4] ? biasGradient(dy!, { name }) : undefined,
    ]
  },
}

export const batchNormBackwardOp: OpDefinition = {
  name: 'batchNormBackward',
  inputs: ['dy', 'x', 'mean', 'variance', 'gamma?', 'beta?'],
  outputs: ['dx', 'dgamma', 'dbeta'],
  optionalOutputs: ['dx', 'dgamma', 'dbeta'],
  inPlace: true,
  infer([dy, x, mean, variance, gamma, beta], _, label) {
    checkSameShape(dy!, x!, label, ['dy', 'x'])
    const channels = channelsOf(x!, { mean, variance, gamma, beta }, label)
    return [float32(x!.shape), float32([channels]), float32([channels])]
  },
}

export interface BatchNormOptions<T = Tensor> extends OpOptions {
  /** `[C]`, what each channel is multiplied by. Default: 1. */
  readonly gamma?: T | undefined
  /** `[C]`, added to each channel. Default: 0. */
  readonly beta?: T | undefined
  /** 0 ≤ epsilon, added to the variance. Default 1e-3, as in Keras; PyTorch has 1e-5. */
  readonly epsilon?: number | undefined
  /** Applied to the result. Default `'linear'`. */
  readonly activation?: Activation | undefined
}

function prepare(x: Operand, options: BatchNormOptions<Operand>, label: string): { activation: Activation; attributes: Attributes } {
  checkOptions(options, ['gamma', 'beta', 'epsilon', 'activation'], label)
  typeOf(x, label, 'input')
  if (options.gamma !== undefined) typeOf(options.gamma, label, 'gamma')
  if (options.beta !== undefined) typeOf(options.beta, label, 'beta')
  const epsilon = checkNumber(options.epsilon ?? EPSILON, label, 'epsilon', { low: 0 })
  return { activation: checkActivation(options.activation, label), attributes: { epsilon, activation: 'linear' } }
}

/**
 * Batch normalization as training has it (Ioffe and Szegedy, 2015): each channel of `x [N, …, C]` less its mean, by its deviation, over all axes but the
 * last; y = activation(gamma · (x − mean) / √(variance + epsilon) + beta). Gives `mean` and `variance`, both `[C]`, with it: the variance is that of the
 * batch itself (divided by the number of rows, not one less). Gradients flow through both, but only from `y`.
 *
 * Throws `INVALID_SHAPE`, `INVALID_ARGUMENT`, `INVALID_TENSOR`, `INVALID_DTYPE`.
 */
export function batchNorm(x: Tensor, options?: BatchNormOptions): { y: Tensor; mean: Tensor; variance: Tensor }
export function batchNorm(x: Value, options?: BatchNormOptions<Value>): { y: Value; mean: Value; variance: Value }
export function batchNorm(x: Operand, options: BatchNormOptions<Operand> = {}): Record<'y' | 'mean' | 'variance', Operand> {
  const { activation, attributes } = prepare(x, options, labelOf('batchNorm', options?.name))
  const [y, mean, variance] = call(batchNormOp, [x, options.gamma, options.beta, undefined], attributes, options)
  return { y: activate(y!, activation, options), mean: mean!, variance: variance! }
}

/**
 * Batch normalization by a mean and a variance that are known, both `[C]`: y = activation(gamma · (x − mean) / √(variance + epsilon) + beta).
 * Gradients flow to `x`, gamma and beta. Throws as `batchNorm` does.
 */
export function batchNormInference(x: Tensor, mean: Tensor, variance: Tensor, options?: BatchNormOptions): Tensor
export function batchNormInference(x: Value, mean: Value, variance: Value, options?: BatchNormOptions<Value>): Value
export function batchNormInference(x: Operand, mean: Operand, variance: Operand, options: BatchNormOptions<Operand> = {}): Operand {
  const label = labelOf('batchNormInference', options?.name)
  const { activation, attributes } = prepare(x, options, label)
  typeOf(mean, label, 'mean')
  typeOf(variance, label, 'variance')
  return activate(
    call(batchNormInferenceOp, [x, mean, variance, options.gamma, options.beta], attributes, options)[0]!,
    activation,
    options,
  )
}

/**
 * Gradients of `batchNorm(x, options).y` without an activation, by `x`, gamma and beta, given that of its result, `dy`. Of the options it takes `gamma` and
 * `epsilon`. Throws as `batchNorm` does.
 */
export function batchNormBackward(
  dy: Tensor,
  x: Tensor,
  options?: Omit<BatchNormOptions, 'beta' | 'activation'>,
): { dx: Tensor; dgamma: Tensor; dbeta: Tensor }
export function batchNormBackward(
  dy: Value,
  x: Value,
  options?: Omit<BatchNormOptions<Value>, 'beta' | 'activation'>,
): { dx: Value; dgamma: Value; dbeta: Value }
export function batchNormBackward(
  dy: Operand,
  x: Operand,
  options: Omit<BatchNormOptions<Operand>, 'beta' | 'activation'> = {},
): Record<'dx' | 'dgamma' | 'dbeta', Operand> {
  const label = labelOf('batchNormBackward', options?.name)
  checkOptions(options, ['gamma', 'epsilon'], label)
  const { attributes } = prepare(x, options, label)
  checkSameShape(typeOf(dy, label, 'dy'), typeOf(x, label, 'x'), label, ['dy', 'x'])
  const [, mean, variance] = call(batchNormOp, [x, undefined, undefined, undefined], attributes, options)
  const [dx, dgamma, dbeta] = call(batchNormBackwardOp, [dy, x, mean, variance, options.gamma, undefined], attributes, options)
  return { dx: dx!, dgamma: dgamma!, dbeta: dbeta! }
}
