import { checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import * as ops from '../ops/maxout'
import { checkInteger } from '../shape'
import { type BuildContext, Layer } from './layer'

/** What `maxout` makes. */
export class Maxout<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly type = 'maxout'
  override readonly arity = 1
  readonly #pieces: number

  constructor(pieces: number, options: { readonly name?: Name }) {
    checkOptions('maxout', options, ['name'])
    super('maxout', options.name)
    this.#pieces = checkInteger(pieces, labelOf('maxout', options.name), 'pieces')
  }

  override config() {
    return { pieces: this.#pieces }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return ops.maxout(x!, this.#pieces, { name })
  }
}

/**
 * The largest of so many linear pieces for each unit (Goodfellow and others, "Maxout networks", 2013): `[N, …, C]` → `[N, …, C / pieces]`. Behind
 * `dense(pieces · units)` or a convolution with `pieces · units` filters: `sequential({ input: [784] }, dense(3 * 100), maxout(3), dense(10))`.
 * Unit u has the channels u, u + C / pieces, u + 2 · C / pieces, …
 * @throws INVALID_ARGUMENT; INVALID_SHAPE, where it is put into a network, for pieces that do not divide the channels
 */
export function maxout<const Name extends string = 'maxout'>(
  pieces: number,
  options: { readonly name?: Name } = {},
): Layer<'any', 'same', Name> {
  return new Maxout(pieces, options)
}
