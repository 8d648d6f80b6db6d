import type { TensorType, Value } from '../graph/value'
import { sub } from '../ops/arithmetic'
import { multiply } from '../ops/multiply'
import { relu } from '../ops/relu'
import { scale } from '../ops/scale'
import { checkOptions } from './check'
import { type BuildContext, Layer, type Parameter } from './layer'

class Prelu<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly type = 'prelu'
  override readonly arity = 1

  constructor(options: { readonly name?: Name }) {
    checkOptions('prelu', options, ['name'])
    super('prelu', options.name)
  }

  override config() {
    return {}
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    return [{ name: 'alpha', shape: [x!.shape.at(-1)!], initializer: 'zeros' }]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    return sub(relu(x!, { name }), multiply(relu(scale(x!, -1, { name }), { name }), parameter('alpha'), { name }), { name })
  }
}

/**
 * Relu whose slope below 0 is trained, one for each channel (the last axis): max(0, x) + alpha · min(0, x). Any shape, kept. One slope per channel is
 * PyTorch's rule (Keras has one per element unless axes are shared); they begin as 0, which is Keras' rule (PyTorch: 0.25). The gradient at 0 is 0.
 * Parameter: `alpha [C]`.
 */
export function prelu<const Name extends string = 'prelu'>(options: { readonly name?: Name } = {}): Layer<'any', 'same', Name> {
  return new Prelu(options)
}
