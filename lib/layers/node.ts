import { checkName, checkOptions, invalid } from '../check'
import type { Normalize } from '../data/dataset'
import { ConvlaneError } from '../errors'
import type { SymbolicShape } from '../graph/value'
import { MAX_ELEMENTS, valueText } from '../shape'
import type { Layer } from './layer'
import type { Rank, RankOfSample } from './rank'

declare const rank: unique symbol

/** Options of {@link input}. */
export interface InputOptions {
  /** Default `input`, `input_1`, … */
  readonly name?: string
  /** What bytes become: value · scale + offset, each one number or one per channel. Default: what the data of `fit` says, else scale 1/255, offset 0. */
  readonly normalize?: Normalize
}

/** A place in a network: an input, or what a layer makes of other nodes. Made by {@link input} and `layer.apply(node)`. */
export class Node<R extends Rank = Rank> {
  /** Only for the compiler. */
  declare readonly [rank]: R

  /** @internal Use {@link input} and `layer.apply(node)`. */
  constructor(
    /** Sizes; the first is `null`, the batch. */
    readonly shape: SymbolicShape,
    /** The layer that computes it and what from; none for an input. */
    readonly origin?: { readonly layer: Layer; readonly nodes: readonly Node[] },
    /** Of an input: the name given, and how bytes become what the network sees. */
    readonly options: InputOptions = {},
  ) {}
}

/** Checks the shape of one sample: 1 to 4 sizes. Throws INVALID_SHAPE. */
export function checkSampleShape(shape: unknown, label: string): readonly number[] {
  const expected = '1 to 4 positive integers, the sizes of one sample ([H, W, C])'
  const fits = Array.isArray(shape) && shape.length >= 1 && shape.length <= 4 && shape.every((size) => Number.isInteger(size) && size >= 1)
  if (!fits || shape.reduce((product, size) => product * size, 1) > MAX_ELEMENTS) {
    throw new ConvlaneError('INVALID_SHAPE', `${label}: the input shape must be ${expected}, received ${valueText(shape)}`, {
      expected,
      received: shape,
    })
  }
  return [...shape]
}

/** Checks the options of an input. Throws INVALID_ARGUMENT. */
export function checkInputOptions({ name, normalize }: InputOptions, channels: number, label: string): InputOptions {
  if (normalize !== undefined) checkNormalize(normalize, channels, label)
  return { ...(name !== undefined && { name: checkName(name, label) }), ...(normalize && { normalize }) }
}

function checkNormalize(normalize: Normalize, channels: number, label: string): void {
  checkOptions(`${label}: normalize`, normalize, ['scale', 'offset'])
  for (const key of ['scale', 'offset'] as const) {
    const values = typeof normalize[key] === 'number' ? [normalize[key]] : normalize[key]
    const sized = typeof normalize[key] === 'number' || (Array.isArray(values) && values.length === channels)
    if (!sized || !values.every(Number.isFinite)) {
      throw invalid(label, `normalize.${key}`, `a finite number, or ${channels} of them, one per channel`, normalize[key])
    }
  }
}

/**
 * An input of a network.
 * @param shape sizes of one sample, without the batch: `[28, 28, 1]`
 * @throws INVALID_SHAPE, INVALID_ARGUMENT
 */
export function input<const S extends readonly number[]>(shape: S, options: InputOptions = {}): Node<RankOfSample<S>> {
  checkOptions('input', options, ['name', 'normalize'])
  const sizes = checkSampleShape(shape, 'input')
  return new Node<RankOfSample<S>>([null, ...sizes], undefined, checkInputOptions(options, sizes.at(-1)!, 'input'))
}
