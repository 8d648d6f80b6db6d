import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { averagePool2d as average, globalAveragePool2d as globalAverage } from '../ops/averagePool2d'
import { maxPool2d as max } from '../ops/maxPool2d'
import { checkPair, type Padding, type Pair } from '../shape'
import { checkBoolean, checkOptions } from './check'
import { type BuildContext, Layer } from './layer'

export interface Pool2dLayerOptions<Name extends string = string> {
  /** Step of the window. Default: its size, so that windows do not overlap. */
  readonly stride?: number | Pair
  /** Default `'valid'`: none. Padding is never a maximum, and is left out of averages unless `countPadding`. */
  readonly padding?: Padding
  /** Distance between the pixels that the window reads. Default 1. */
  readonly dilation?: number | Pair
  /** Rounds the output size up instead of down. Default false. */
  readonly ceil?: boolean
  /** Default: the layer's type, `maxPool2d_1`, … */
  readonly name?: Name
}

export interface AveragePool2dLayerOptions<Name extends string = string> extends Pool2dLayerOptions<Name> {
  /** Whether padding counts as zeros in the averages. Default false. */
  readonly countPadding?: boolean
}

class Pool2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly rank = 4
  override readonly arity = 1
  readonly #size: Pair
  readonly #options: Required<Omit<AveragePool2dLayerOptions, 'name'>>

  constructor(
    override readonly type: 'maxPool2d' | 'averagePool2d',
    size: number | Pair,
    options: AveragePool2dLayerOptions<Name>,
  ) {
    const known = ['stride', 'padding', 'dilation', 'ceil', 'name']
    checkOptions(type, options, type === 'averagePool2d' ? [...known, 'countPadding'] : known)
    super(type, options.name)
    const label = labelOf(type, options.name)
    const { stride = size, padding = 'valid', dilation = 1, ceil = false, countPadding = false } = options
    this.#size = checkPair(size, label, 'size')
    this.#options = {
      stride: checkPair(stride, label, 'stride'),
      padding,
      dilation: checkPair(dilation, label, 'dilation'),
      ceil: checkBoolean(ceil, label, 'ceil'),
      countPadding: checkBoolean(countPadding, label, 'countPadding'),
    }
  }

  override config() {
    const { countPadding, ...options } = this.#options
    return { size: this.#size, ...options, ...(this.type === 'averagePool2d' && { countPadding }) }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    const { countPadding, ...options } = this.#options
    return this.type === 'maxPool2d'
      ? max(x!, this.#size, { ...options, name })
      : average(x!, this.#size, { ...options, countPadding, name })
  }
}

/**
 * The largest value within each window: `[N, H, W, C]` → `[N, OH, OW, C]`, OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1.
 * @param size of the window, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input that does not fit
 */
export function maxPool2d<const Name extends string = 'maxPool2d'>(
  size: number | Pair,
  options: Pool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Pool2d('maxPool2d', size, options)
}

/** The mean of each window. Shapes, options and errors as {@link maxPool2d}. */
export function averagePool2d<const Name extends string = 'averagePool2d'>(
  size: number | Pair,
  options: AveragePool2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Pool2d('averagePool2d', size, options)
}

class GlobalAveragePool2d<Name extends string> extends Layer<4, 2, Name> {
  override readonly type = 'globalAveragePool2d'
  override readonly rank = 4
  override readonly arity = 1

  constructor(options: { readonly name?: Name }) {
    checkOptions('globalAveragePool2d', options, ['name'])
    super('globalAveragePool2d', options.name)
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return globalAverage(x!, { name })
  }
}

/** The mean of each channel over the whole image: `[N, H, W, C]` → `[N, C]`. */
export function globalAveragePool2d<const Name extends string = 'globalAveragePool2d'>(
  options: { readonly name?: Name } = {},
): Layer<4, 2, Name> {
  return new GlobalAveragePool2d(options)
}
