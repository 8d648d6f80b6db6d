import type { Value } from '../graph/value'
import { relu as reluOp } from '../ops/relu'
import { sigmoid as sigmoidOp } from '../ops/sigmoid'
import { softmax as softmaxOp } from '../ops/softmax'
import { tanh as tanhOp } from '../ops/tanh'
import { checkOptions } from './check'
import { type BuildContext, Layer } from './layer'

const functions = { relu: reluOp, sigmoid: sigmoidOp, tanh: tanhOp, softmax: softmaxOp }

class ActivationLayer<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly arity = 1

  constructor(
    override readonly type: keyof typeof functions,
    options: ActivationOptions<Name>,
  ) {
    checkOptions(type, options, ['name'])
    super(type, options.name)
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return functions[this.type](x!, { name })
  }
}

export interface ActivationOptions<Name extends string = string> {
  /** Default: the function's name, `relu_1`, … */
  readonly name?: Name
}

/** max(0, x) of every element. Any shape, kept. */
export function relu<const Name extends string = 'relu'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('relu', options)
}

/** 1 / (1 + e⁻ˣ) of every element. Any shape, kept. */
export function sigmoid<const Name extends string = 'sigmoid'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('sigmoid', options)
}

/** Hyperbolic tangent of every element. Any shape, kept. */
export function tanh<const Name extends string = 'tanh'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('tanh', options)
}

/**
 * Makes the last axis a distribution: eˣ / Σ eˣ. Any shape, kept. As a model's last layer it may stay in place for training: the loss
 * `'softmaxCrossEntropy'` takes what goes into it.
 */
export function softmax<const Name extends string = 'softmax'>(options: ActivationOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new ActivationLayer('softmax', options)
}
