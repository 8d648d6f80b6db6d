import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Axes } from '../ops/convolution'
import { pad } from '../ops/pad'
import { slice } from '../ops/slice'
import { checkInteger, type PaddingPair, type Pair, shapeText, type Triple, valueText } from '../shape'
import type { Sides } from '../window'
import { type RankOf, rankOf } from './convolution'
import { type BuildContext, Layer } from './layer'

/** Pixels at both ends of a sequence: one number for both, or `[before, after]`. */
export type Border1d = number | readonly [before: number, after: number]
/** Pixels around an image: one number for all sides, `[height, width]`, or `[[top, bottom], [left, right]]`. */
export type Border2d = number | Pair | PaddingPair
/** Voxels around a volume: one number for all sides, `[depth, height, width]`, or `[before, after]` for each of the three. */
export type Border3d = number | Triple | readonly [Pair, Pair, Pair]

const forms = {
  1: 'a number or [before, after]',
  2: 'a number, [height, width] or [[top, bottom], [left, right]]',
  3: 'a number, [depth, height, width] or [[front, back], [top, bottom], [left, right]]',
} as const

function sidesOf(value: unknown, axes: Axes, label: string, argument: string): Sides {
  const count = (size: unknown) => checkInteger(size, label, argument, 0)
  if (typeof value === 'number') return Array.from({ length: axes }, () => [count(value), count(value)] as const)
  if (Array.isArray(value)) {
    const list = axes === 1 && value.length === 2 && !value.some(Array.isArray) ? [value] : value
    const isPair = list.every((side) => Array.isArray(side) && side.length === 2)
    if (list.length === axes && isPair) return list.map(([before, after]) => [count(before), count(after)] as const)
    if (axes > 1 && list.length === axes && !list.some(Array.isArray)) return list.map((side) => [count(side), count(side)] as const)
  }
  throw invalid(label, argument, forms[axes], value)
}

/** What `zeroPad1d` to `crop3d` make. */
class Border<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #kind: 'zeroPad' | 'crop'
  readonly #sides: Sides

  constructor(kind: 'zeroPad' | 'crop', axes: A, sides: unknown, options: { readonly name?: Name }) {
    const type = `${kind}${axes}d`
    checkOptions(type, options, ['name'])
    super(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#kind = kind
    this.#sides = sidesOf(sides, axes, labelOf(type, options.name), kind === 'crop' ? 'cropping' : 'padding')
  }

  override config() {
    return this.#kind === 'crop' ? { cropping: this.#sides } : { padding: this.#sides }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    const all = [[0, 0], ...this.#sides, [0, 0]] as const
    if (this.#kind === 'zeroPad') return pad(x!, all, { name })
    const sizes = x!.shape.map((size, axis) => (size === null ? null : size - all[axis]![0] - all[axis]![1]))
    if (sizes.some((size) => size !== null && size < 1)) {
      const message = `${labelOf(this.type, name)}: cropping ${valueText(this.#sides)} leaves nothing of ${shapeText(x!.shape)}`
      throw new ConvlaneError('INVALID_SHAPE', message, { received: x!.shape })
    }
    return slice(
      x!,
      all.map(([before]) => before),
      sizes,
      { name },
    )
  }
}

/**
 * Zeros at both ends: `[N, L, C]` → `[N, before + L + after, C]`. Other values and mirrored ends: `pad` of `convlane/ops`.
 * @throws INVALID_ARGUMENT; INVALID_SHAPE, where it is put into a network, for an input of another rank
 */
export function zeroPad1d<const Name extends string = 'zeroPad1d'>(
  padding: Border1d,
  options: { readonly name?: Name } = {},
): Layer<3, 3, Name> {
  return new Border('zeroPad', 1, padding, options)
}

/** Zeros around: `[N, H, W, C]` → `[N, top + H + bottom, left + W + right, C]`. As {@link zeroPad1d}. */
export function zeroPad2d<const Name extends string = 'zeroPad2d'>(
  padding: Border2d,
  options: { readonly name?: Name } = {},
): Layer<4, 4, Name> {
  return new Border('zeroPad', 2, padding, options)
}

/** Zeros around: `[N, D, H, W, C]` → `[N, front + D + back, top + H + bottom, left + W + right, C]`. As {@link zeroPad1d}. */
export function zeroPad3d<const Name extends string = 'zeroPad3d'>(
  padding: Border3d,
  options: { readonly name?: Name } = {},
): Layer<5, 5, Name> {
  return new Border('zeroPad', 3, padding, options)
}

/**
 * Cuts both ends off: `[N, L, C]` → `[N, L − before − after, C]`.
 * @throws INVALID_ARGUMENT; INVALID_SHAPE, where it is put into a network, for an input of another rank or of which nothing is left
 */
export function crop1d<const Name extends string = 'crop1d'>(
  cropping: Border1d,
  options: { readonly name?: Name } = {},
): Layer<3, 3, Name> {
  return new Border('crop', 1, cropping, options)
}

/** Cuts the sides off: `[N, H, W, C]` → `[N, H − top − bottom, W − left − right, C]`. As {@link crop1d}. */
export function crop2d<const Name extends string = 'crop2d'>(
  cropping: Border2d,
  options: { readonly name?: Name } = {},
): Layer<4, 4, Name> {
  return new Border('crop', 2, cropping, options)
}

/** Cuts the sides off: `[N, D, H, W, C]` → `[N, D − front − back, H − top − bottom, W − left − right, C]`. As {@link crop1d}. */
export function crop3d<const Name extends string = 'crop3d'>(
  cropping: Border3d,
  options: { readonly name?: Name } = {},
): Layer<5, 5, Name> {
  return new Border('crop', 3, cropping, options)
}
