import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { adaptiveAveragePool2d as adaptive } from '../ops/adaptiveAveragePool'
import { globalAveragePool2d as globalAverage, globalMaxPool2d as globalMax } from '../ops/globalPool'
import { type LpPoolOptions, lpPool2d as lp } from '../ops/lpPool'
import { checkNumber, checkPair, type Pair } from '../shape'
import { checkOptions } from './check'
import { type BuildContext, Layer } from './layer'
import { type AveragePoolLayerOptions, GlobalPool, Pool, type PoolLayerOptions, windowOptionNames, windowOptions } from './pool'

/** Options of {@link maxPool2d}. */
export interface Pool2dLayerOptions<Name extends string = string> extends PoolLayerOptions<Name> {}
/** Options of {@link averagePool2d}. */
export interface AveragePool2dLayerOptions<Name extends string = string> extends AveragePoolLayerOptions<Name> {}

/**
 * The largest value within each window: `[N, H, W, C]` → `[N, OH, OW, C]`, OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1.
 * @param size of the window, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input that does not fit
 */
export function maxPool2d<const Name extends string = 'maxPool2d'>(
  size: number | Pair,
  options: Pool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Pool('max', 2, size, options)
}

/** The mean of each window. Shapes, options and errors as {@link maxPool2d}. */
export function averagePool2d<const Name extends string = 'averagePool2d'>(
  size: number | Pair,
  options: AveragePool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Pool('average', 2, size, options)
}

/** The mean of each channel over the whole image: `[N, H, W, C]` → `[N, C]`. */
export function globalAveragePool2d<const Name extends string = 'globalAveragePool2d'>(
  options: { readonly name?: Name } = {},
): Layer<4, 2, Name> {
  return new GlobalPool('globalAveragePool2d', 2, globalAverage, options)
}

/** The maximum of each channel over the whole image: `[N, H, W, C]` → `[N, C]`. */
export function globalMaxPool2d<const Name extends string = 'globalMaxPool2d'>(options: { readonly name?: Name } = {}): Layer<4, 2, Name> {
  return new GlobalPool('globalMaxPool2d', 2, globalMax, options)
}

class AdaptiveAveragePool2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'adaptiveAveragePool2d'
  override readonly rank = 4
  override readonly arity = 1
  readonly #size: Pair

  constructor(size: number | Pair, options: { readonly name?: Name }) {
    checkOptions('adaptiveAveragePool2d', options, ['name'])
    super('adaptiveAveragePool2d', options.name)
    this.#size = checkPair(size, labelOf('adaptiveAveragePool2d', options.name), 'size')
  }

  override config() {
    return { size: this.#size }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return adaptive(x!, this.#size, { name })
  }
}

/**
 * The means of so many bins as `size` says, whatever the input's size: `[N, H, W, C]` → `[N, size[0], size[1], C]`. PyTorch's rule: bin i of a height reaches
 * from ⌊i · H / size⌋ to ⌈(i + 1) · H / size⌉.
 * @param size of what comes out, one number or `[height, width]`
 * @throws INVALID_ARGUMENT
 */
export function adaptiveAveragePool2d<const Name extends string = 'adaptiveAveragePool2d'>(
  size: number | Pair,
  options: { readonly name?: Name } = {},
): Layer<4, 4, Name> {
  return new AdaptiveAveragePool2d(size, options)
}

/** Options of {@link lpPool2d}. */
export interface LpPool2dLayerOptions<Name extends string = string> extends PoolLayerOptions<Name> {
  /** From 1 to 64. Default 2. */
  readonly p?: number
}

class LpPool2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'lpPool2d'
  override readonly rank = 4
  override readonly arity = 1
  readonly #size: Pair
  readonly #options: ReturnType<typeof windowOptions> & { readonly p: number }

  constructor(size: number | Pair, options: LpPool2dLayerOptions<Name>) {
    checkOptions('lpPool2d', options, [...windowOptionNames, 'p'])
    super('lpPool2d', options.name)
    const label = labelOf('lpPool2d', options.name)
    this.#size = checkPair(size, label, 'size')
    this.#options = { ...windowOptions(options, size, 2, label), p: checkNumber(options.p ?? 2, label, 'p', { low: 1, high: 64 }) }
  }

  override config() {
    return { size: this.#size, ...this.#options }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return lp(x!, this.#size, { ...this.#options, name } as LpPoolOptions)
  }
}

/**
 * (Σ |x|ᵖ)^(1/p) over each window; p = 2 is the "square-root" pooling of text books. Shapes and errors as {@link maxPool2d}.
 * Where a window is all zeros its gradient is 0 (PyTorch's is NaN).
 */
export function lpPool2d<const Name extends string = 'lpPool2d'>(
  size: number | Pair,
  options: LpPool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new LpPool2d(size, options)
}
