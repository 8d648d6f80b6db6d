import { checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { broadcastTo } from '../ops/broadcastTo'
import type { Axes } from '../ops/convolution'
import { reshape } from '../ops/reshape'
import { checkInterpolation, linearNames, resize, resizes } from '../ops/resize'
import { checkSizes, type Pair, type Triple } from '../shape'
import { type RankOf, rankOf } from './convolution'
import { type BuildContext, Layer } from './layer'

/** Options of {@link upsample2d}. */
export interface UpsampleLayerOptions<Linear extends string, Name extends string = string> {
  /**
   * `'nearest'`: each pixel again and again. Else between the pixels around, each weighed by its nearness, pixels lying at the middle of their area (half-pixel
   * centres: TensorFlow 2, Keras, PyTorch with `align_corners=False`). Default `'nearest'`.
   */
  readonly interpolation?: 'nearest' | Linear
  /** Default: the layer's type, `upsample2d_1`, … */
  readonly name?: Name
}

/** Options of {@link resize2d}. */
export interface ResizeLayerOptions<Linear extends string, Name extends string = string> {
  /** Between the pixels around, or the nearest pixel, as in `upsample2d`. Default: the former. */
  readonly interpolation?: 'nearest' | Linear
  /** Default: the layer's type, `resize2d_1`, … */
  readonly name?: Name
}

/** What `upsample1d` to `resize3d` make: upsampling's sizes are factors. */
export class Scaling<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #byFactor: boolean
  readonly #size: readonly number[]
  readonly #interpolation: string

  constructor(kind: 'upsample' | 'resize', axes: A, size: unknown, options: UpsampleLayerOptions<string, Name>) {
    const type = `${kind}${axes}d`
    checkOptions(type, options, ['interpolation', 'name'])
    super(type, options.name)
    const label = labelOf(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#axes = axes
    this.#byFactor = kind === 'upsample'
    this.#size = checkSizes(size, axes, label, 'size')
    const { interpolation = this.#byFactor ? 'nearest' : linearNames[axes] } = options
    checkInterpolation(interpolation, axes, label)
    this.#interpolation = interpolation
  }

  override config() {
    return { size: this.#size, interpolation: this.#interpolation }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    if (this.#byFactor && this.#axes === 2 && this.#interpolation === 'nearest') return this.#repeated(x!, name)
    const sizes = this.#byFactor ? this.#size.map((factor, axis) => factor * x!.shape[axis + 1]!) : this.#size
    return resize(resizes[this.#axes], x!, sizes, { interpolation: this.#interpolation, name }) as Value
  }

  #repeated(x: Value, name: string): Value {
    const [N, H, W, C] = x.shape as readonly [number, number, number, number]
    const [byH, byW] = this.#size as Pair
    const repeated = broadcastTo(reshape(x, [N, H, 1, W, 1, C]), [N, H, byH, W, byW, C], { name })
    return reshape(repeated, [N, H * byH, W * byW, C])
  }
}

/**
 * A sequence made longer: `[N, L, C]` → `[N, L · size, C]`, by repetition or between the elements.
 * @param size by how much it grows
 * @throws INVALID_ARGUMENT
 */
export function upsample1d<const Name extends string = 'upsample1d'>(
  size: number | readonly [number],
  options: UpsampleLayerOptions<'linear', Name> = {},
): Layer<3, 3, Name> {
  return new Scaling('upsample', 1, size, options)
}

/**
 * An image made larger: `[N, H, W, C]` → `[N, H · size, W · size, C]`. Each pixel as a block of equal ones, what Keras' `UpSampling2D` and PyTorch's
 * `Upsample` do by default, or with `'bilinear'` between the pixels.
 * @param size by how much each side grows, or `[height, width]`
 * @throws INVALID_ARGUMENT
 */
export function upsample2d<const Name extends string = 'upsample2d'>(
  size: number | Pair,
  options: UpsampleLayerOptions<'bilinear', Name> = {},
): Layer<4, 4, Name> {
  return new Scaling('upsample', 2, size, options)
}

/** As {@link upsample2d}: `[N, D, H, W, C]` → `[N, D · size, H · size, W · size, C]`. */
export function upsample3d<const Name extends string = 'upsample3d'>(
  size: number | Triple,
  options: UpsampleLayerOptions<'trilinear', Name> = {},
): Layer<5, 5, Name> {
  return new Scaling('upsample', 3, size, options)
}

/** A sequence of another length: `[N, L, C]` → `[N, size, C]`. As {@link resize2d}. */
export function resize1d<const Name extends string = 'resize1d'>(
  size: number | readonly [number],
  options: ResizeLayerOptions<'linear', Name> = {},
): Layer<3, 3, Name> {
  return new Scaling('resize', 1, size, options)
}

/**
 * An image of another size, larger or smaller: `[N, H, W, C]` → `[N, size[0], size[1], C]` (Keras' `Resizing`). Nothing is smoothed where it shrinks.
 * @param size of the result, one number or `[height, width]`
 * @throws INVALID_ARGUMENT
 */
export function resize2d<const Name extends string = 'resize2d'>(
  size: number | Pair,
  options: ResizeLayerOptions<'bilinear', Name> = {},
): Layer<4, 4, Name> {
  return new Scaling('resize', 2, size, options)
}

/** A volume of another size: `[N, D, H, W, C]` → `[N, size[0], size[1], size[2], C]`. As {@link resize2d}. */
export function resize3d<const Name extends string = 'resize3d'>(
  size: number | Triple,
  options: ResizeLayerOptions<'trilinear', Name> = {},
): Layer<5, 5, Name> {
  return new Scaling('resize', 3, size, options)
}
