import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import * as ops from '../ops/reshape'
import { transpose } from '../ops/transpose'
import { checkInteger, shapeText } from '../shape'
import { type BuildContext, Layer } from './layer'
import type { RankOfSample } from './rank'

class Reshape<S extends readonly number[], Name extends string> extends Layer<'any', RankOfSample<S>, Name> {
  override readonly type = 'reshape'
  override readonly arity = 1
  readonly #shape: readonly number[]

  constructor(shape: S, options: { readonly name?: Name }) {
    checkOptions('reshape', options, ['name'])
    super('reshape', options.name)
    const label = labelOf('reshape', options.name)
    if (!Array.isArray(shape) || shape.length < 1 || shape.length > 4) throw invalid(label, 'shape', 'an array of 1 to 4 sizes', shape)
    this.#shape = shape.map((size) => checkInteger(size, label, 'shape'))
  }

  override config() {
    return { shape: this.#shape }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return ops.reshape(x!, [x!.shape[0]!, ...this.#shape], { name })
  }
}

/**
 * The same numbers of each sample, row-major, under another shape: `[N, …]` → `[N, ...shape]`. Takes every rank. Costs nothing.
 * @param shape sizes of one sample, without the batch
 * @throws INVALID_ARGUMENT; INVALID_SHAPE, where it is put into a network, when the numbers of elements differ
 */
export function reshape<const S extends readonly number[], const Name extends string = 'reshape'>(
  shape: S,
  options: { readonly name?: Name } = {},
): Layer<'any', RankOfSample<S>, Name> {
  return new Reshape(shape, options)
}

/** Rank of samples with so many axes as are permuted; any where their number is not known. */
type PermutedRank<A extends readonly number[]> = number extends A['length'] ? 'any' : RankOfSample<A>

class Permute<A extends readonly number[], Name extends string> extends Layer<PermutedRank<A>, 'same', Name> {
  override readonly type = 'permute'
  override readonly arity = 1
  readonly #axes: readonly number[]

  constructor(axes: A, options: { readonly name?: Name }) {
    checkOptions('permute', options, ['name'])
    super('permute', options.name)
    const wanted = 'an array that holds 1, 2, … once each'
    if (!Array.isArray(axes) || axes.length === 0 || axes.some((_, index) => !axes.includes(index + 1)))
      throw invalid(labelOf('permute', options.name), 'axes', wanted, axes)
    this.#axes = [...axes]
  }

  override config() {
    return { axes: this.#axes }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    if (x!.shape.length === this.#axes.length + 1) return transpose(x!, [0, ...this.#axes], { name })
    const message = `${labelOf('permute', name)}: axes [${this.#axes.join(', ')}] do not go with ${shapeText(x!.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: this.#axes.length + 1, received: x!.shape })
  }
}

/**
 * Axes of a sample in another order: axis i of the result is axis `axes[i - 1]` of the input, counted from 1 as in Keras (0 is the batch):
 * `permute([2, 1])` swaps the two axes of `[N, L, C]`. The rank is kept.
 * @throws INVALID_ARGUMENT; INVALID_SHAPE, where it is put into a network, for another number of axes
 */
export function permute<const A extends readonly number[], const Name extends string = 'permute'>(
  axes: A,
  options: { readonly name?: Name } = {},
): Layer<PermutedRank<A>, 'same', Name> {
  return new Permute(axes, options)
}
