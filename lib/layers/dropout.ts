import { checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import * as ops from '../ops/dropout'
import { fillValue } from '../ops/fill'
import { multiply } from '../ops/multiply'
import { checkNumber } from '../shape'
import { type BuildContext, Layer } from './layer'

class Dropout<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly type = 'dropout'
  override readonly arity = 1
  readonly #rate: number

  constructor(rate: number, options: { readonly name?: Name }) {
    checkOptions('dropout', options, ['name'])
    super('dropout', options.name)
    this.#rate = checkNumber(rate, labelOf('dropout', options.name), 'rate', { low: 0, high: 1, below: true })
  }

  override config() {
    return { rate: this.#rate }
  }

  override build({ name, training, stream }: BuildContext, [x]: readonly Value[]): Value {
    return training && this.#rate > 0 ? ops.dropout(x!, this.#rate, { stream, name }) : x!
  }
}

/**
 * While training, sets a random share of the numbers to 0 and scales the others by 1 / (1 − rate); nothing otherwise. Any shape, kept.
 * Which ones follows from fit's seed, the layer's place in the model and the number of the step alone.
 * @param rate 0 to below 1
 * @throws INVALID_ARGUMENT
 */
export function dropout<const Name extends string = 'dropout'>(
  rate: number,
  options: { readonly name?: Name } = {},
): Layer<'any', 'same', Name> {
  return new Dropout(rate, options)
}

class SpatialDropout<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly type = 'spatialDropout'
  override readonly arity = 1
  readonly #rate: number

  constructor(rate: number, options: { readonly name?: Name }) {
    checkOptions('spatialDropout', options, ['name'])
    super('spatialDropout', options.name)
    this.#rate = checkNumber(rate, labelOf('spatialDropout', options.name), 'rate', { low: 0, high: 1, below: true })
  }

  override config() {
    return { rate: this.#rate }
  }

  override build({ name, training, stream }: BuildContext, [x]: readonly Value[]): Value {
    if (!training || this.#rate === 0) return x!
    const one = fillValue([x!.shape[0]!, ...x!.shape.slice(1, -1).map(() => 1), x!.shape.at(-1)!], 1)
    return multiply(x!, ops.dropout(one, this.#rate, { stream, name }), { name })
  }
}

/**
 * While training, sets whole channels of a sample (the last axis) to 0, a random share of them, and scales the others by 1 / (1 − rate); nothing otherwise.
 * Any shape, kept. Keras' `SpatialDropout1D` to `3D`, PyTorch's `Dropout1d` to `3d`. Which ones follows as in {@link dropout}.
 * @param rate 0 to below 1
 * @throws INVALID_ARGUMENT
 */
export function spatialDropout<const Name extends string = 'spatialDropout'>(
  rate: number,
  options: { readonly name?: Name } = {},
): Layer<'any', 'same', Name> {
  return new SpatialDropout(rate, options)
}
