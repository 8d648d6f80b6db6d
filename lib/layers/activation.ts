import { checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { elu as eluOp } from '../ops/elu'
import { gelu as geluOp } from '../ops/gelu'
import { hardSigmoid as hardSigmoidOp } from '../ops/hardSigmoid'
import { hardSwish as hardSwishOp } from '../ops/hardSwish'
import { leakyRelu as leakyReluOp } from '../ops/leakyRelu'
import { linearThreshold as linearThresholdOp, thresholdAttributes } from '../ops/linearThreshold'
import { logSoftmax as logSoftmaxOp } from '../ops/logSoftmax'
import { mish as mishOp } from '../ops/mish'
import { relu as reluOp } from '../ops/relu'
import { selu as seluOp } from '../ops/selu'
import { sigmoid as sigmoidOp } from '../ops/sigmoid'
import { silu as siluOp } from '../ops/silu'
import { softmax as softmaxOp } from '../ops/softmax'
import { softplus as softplusOp } from '../ops/softplus'
import { softsign as softsignOp } from '../ops/softsign'
import { tanh as tanhOp } from '../ops/tanh'
import { checkChoice, checkNumber } from '../shape'
import { type BuildContext, Layer, type LayerConfig } from './layer'

const plain = {
  linear: (x: Value) => x,
  relu: reluOp,
  sigmoid: sigmoidOp,
  tanh: tanhOp,
  softmax: softmaxOp,
  selu: seluOp,
  silu: siluOp,
  mish: mishOp,
  softplus: softplusOp,
  softsign: softsignOp,
  hardSigmoid: hardSigmoidOp,
  hardSwish: hardSwishOp,
  logSoftmax: logSoftmaxOp,
}
const withOptions = { leakyRelu: leakyReluOp, linearThreshold: linearThresholdOp, elu: eluOp, gelu: geluOp }
const functions = { ...plain, ...withOptions } as Readonly<Record<string, (x: Value, options: object) => Value>>

class ActivationLayer<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly arity = 1

  constructor(
    override readonly type: keyof typeof plain | keyof typeof withOptions,
    options: ActivationOptions<Name>,
    private readonly settings: LayerConfig = {},
  ) {
    checkOptions(type, options, ['name', ...Object.keys(settings)])
    super(type, options.name)
  }

  override config() {
    return this.settings
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return functions[this.type]!(x!, { ...this.settings, name })
  }
}

/** Options of the activations that have none of their own. */
export interface ActivationOptions<Name extends string = string> {
  /** Default: the function's name, `relu_1`, … */
  readonly name?: Name
}

/** Every element as it is. Any shape, kept. Takes the place of a layer that may be left out. */
export function linear<const Name extends string = 'linear'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('linear', options)
}

/** max(0, x) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function relu<const Name extends string = 'relu'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('relu', options)
}

/** 1 / (1 + e⁻ˣ) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function sigmoid<const Name extends string = 'sigmoid'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('sigmoid', options)
}

/** Hyperbolic tangent of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function tanh<const Name extends string = 'tanh'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('tanh', options)
}

/** 1.0507… · (x where x > 0, else 1.67326… · (eˣ − 1)) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function selu<const Name extends string = 'selu'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('selu', options)
}

/** x / (1 + e⁻ˣ) of every element; also called swish. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function silu<const Name extends string = 'silu'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('silu', options)
}

/** x · tanh(log(1 + eˣ)) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function mish<const Name extends string = 'mish'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('mish', options)
}

/** log(1 + eˣ) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function softplus<const Name extends string = 'softplus'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('softplus', options)
}

/** x / (1 + |x|) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function softsign<const Name extends string = 'softsign'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('softsign', options)
}

/** min(1, max(0, x/6 + ½)) of every element: PyTorch's and Keras 3's. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function hardSigmoid<const Name extends string = 'hardSigmoid'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('hardSigmoid', options)
}

/** x · min(1, max(0, x/6 + ½)) of every element. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function hardSwish<const Name extends string = 'hardSwish'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('hardSwish', options)
}

/**
 * Makes the last axis a distribution: eˣ / Σ eˣ. Any shape, kept. As a model's last layer it may stay in place for training: the loss
 * `'softmaxCrossEntropy'` takes what goes into it.
 * Throws INVALID_ARGUMENT for a bad name.
 */
export function softmax<const Name extends string = 'softmax'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('softmax', options)
}

/** Logarithms of {@link softmax} over the last axis: x − log Σ eˣ. Any shape, kept. Throws INVALID_ARGUMENT for a bad name. */
export function logSoftmax<const Name extends string = 'logSoftmax'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('logSoftmax', options)
}

/** Options of {@link leakyRelu}. */
export interface LeakyReluLayerOptions<Name extends string = string> extends ActivationOptions<Name> {
  /** Of the negative side, 0 or more. Default 0.3 (Keras' layer; its function has 0.2, PyTorch 0.01). */
  readonly slope?: number
}

/** x where x > 0, else slope · x, of every element. Any shape, kept. Throws INVALID_ARGUMENT. */
export function leakyRelu<const Name extends string = 'leakyRelu'>(options: LeakyReluLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  const slope = checkNumber(options?.slope ?? 0.3, labelOf('leakyRelu', options?.name), 'slope', { low: 0 })
  return new ActivationLayer('leakyRelu', options, { slope })
}

/** Options of {@link elu}. */
export interface EluLayerOptions<Name extends string = string> extends ActivationOptions<Name> {
  /** What negative numbers go to, 0 or more. Default 1. */
  readonly alpha?: number
}

/** x where x > 0, else alpha · (eˣ − 1), of every element. Any shape, kept. Throws INVALID_ARGUMENT. */
export function elu<const Name extends string = 'elu'>(options: EluLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  const alpha = checkNumber(options?.alpha ?? 1, labelOf('elu', options?.name), 'alpha', { low: 0 })
  return new ActivationLayer('elu', options, { alpha })
}

/** Options of {@link gelu}. */
export interface GeluLayerOptions<Name extends string = string> extends ActivationOptions<Name> {
  /** Default `'none'`: by the normal distribution function. `'tanh'`: an approximation. */
  readonly approximate?: 'none' | 'tanh'
}

/** x · Φ(x) of every element, Φ being the standard normal distribution function. Any shape, kept. Throws INVALID_ARGUMENT. */
export function gelu<const Name extends string = 'gelu'>(options: GeluLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  const label = labelOf('gelu', options?.name)
  return new ActivationLayer('gelu', options, {
    approximate: checkChoice(options?.approximate ?? 'none', ['none', 'tanh'], label, 'approximate'),
  })
}

/** Options of {@link linearThreshold}. */
export interface LinearThresholdLayerOptions<Name extends string = string> extends ActivationOptions<Name> {
  /** What no result exceeds: 6 makes the relu of MobileNet. Default: none. */
  readonly max?: number
  /** Of the side below the threshold, 0 or more. Default 0. */
  readonly slope?: number
  /** Where x begins to pass. Default 0. */
  readonly threshold?: number
}

/**
 * Relu with a cap, a slope and a threshold (Keras' `ReLU`): min(x, max) where x ≥ threshold, else slope · (x − threshold), of every element. Any shape,
 * kept. Throws INVALID_ARGUMENT.
 */
export function linearThreshold<const Name extends string = 'linearThreshold'>(
  options: LinearThresholdLayerOptions<Name> = {},
): Layer<'any', 'same', Name> {
  const label = labelOf('linearThreshold', options?.name)
  checkOptions(label, options, ['name', 'max', 'slope', 'threshold'])
  return new ActivationLayer('linearThreshold', options, thresholdAttributes(options, label))
}
