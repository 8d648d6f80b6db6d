import { checkBoolean, checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { adaptiveAveragePool, adaptiveAveragePools } from '../ops/adaptiveAveragePool'
import { averagePool } from '../ops/averagePool'
import { averagePool1dOps } from '../ops/averagePool1d'
import { averagePool2dOps } from '../ops/averagePool2d'
import { averagePool3dOps } from '../ops/averagePool3d'
import type { Axes } from '../ops/convolution'
import { lpPool, lpPools } from '../ops/lpPool'
import { maxPool } from '../ops/maxPool'
import { maxPool1dOps } from '../ops/maxPool1d'
import { maxPool2dOps } from '../ops/maxPool2d'
import { maxPool3dOps } from '../ops/maxPool3d'
import { checkNumber, checkSizes, type Padding, type Pair } from '../shape'
import { type RankOf, rankOf } from './convolution'
import { type BuildContext, Layer } from './layer'

/** `Sizes` and `Pad`: how sizes and padding are written for the number of axes. */
export interface PoolLayerOptions<Name extends string = string, Sizes = number | Pair, Pad = Padding> {
  /** Step of the window. Default: its size, so that windows do not overlap. */
  readonly stride?: Sizes
  /** Default `'valid'`: none. Padding is never a maximum, and is left out of averages unless `countPadding`. */
  readonly padding?: Pad
  /** Distance between the pixels that the window reads. Default 1. */
  readonly dilation?: Sizes
  /** Rounds the output size up instead of down. Default false. */
  readonly ceil?: boolean
  /** Default: the layer's type, `maxPool2d_1`, … */
  readonly name?: Name
}

export interface AveragePoolLayerOptions<Name extends string = string, Sizes = number | Pair, Pad = Padding>
  extends PoolLayerOptions<Name, Sizes, Pad> {
  /** Whether padding counts as zeros in the averages. Default false. */
  readonly countPadding?: boolean
}

/** The options of a window that every pooling has, checked. */
export function windowOptions(options: PoolLayerOptions<string, unknown, unknown>, size: unknown, axes: Axes, label: string) {
  const { stride = size, padding = 'valid', dilation = 1, ceil = false } = options
  return {
    stride: checkSizes(stride, axes, label, 'stride'),
    padding,
    dilation: checkSizes(dilation, axes, label, 'dilation'),
    ceil: checkBoolean(ceil, label, 'ceil'),
  }
}
export const windowOptionNames = ['stride', 'padding', 'dilation', 'ceil', 'name']

const max = { 1: maxPool1dOps, 2: maxPool2dOps, 3: maxPool3dOps } as const
const average = { 1: averagePool1dOps, 2: averagePool2dOps, 3: averagePool3dOps } as const

/** What `maxPool1d` to `averagePool3d` make. */
export class Pool<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #kind: 'max' | 'average'
  readonly #axes: A
  readonly #size: readonly number[]
  readonly #options: ReturnType<typeof windowOptions>
  readonly #countPadding: boolean

  constructor(kind: 'max' | 'average', axes: A, size: unknown, options: AveragePoolLayerOptions<Name, unknown, unknown>) {
    const type = `${kind}Pool${axes}d`
    checkOptions(type, options, kind === 'average' ? [...windowOptionNames, 'countPadding'] : windowOptionNames)
    super(type, options.name)
    const label = labelOf(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#kind = kind
    this.#axes = axes
    this.#size = checkSizes(size, axes, label, 'size')
    this.#options = windowOptions(options, size, axes, label)
    this.#countPadding = checkBoolean(options.countPadding ?? false, label, 'countPadding')
  }

  override config() {
    return { size: this.#size, ...this.#options, ...(this.#kind === 'average' && { countPadding: this.#countPadding }) }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    const options = { ...this.#options, name }
    const pooled =
      this.#kind === 'max'
        ? maxPool(max[this.#axes], x!, this.#size, options)
        : averagePool(average[this.#axes], x!, this.#size, { ...options, countPadding: this.#countPadding })
    return pooled as Value
  }
}

/** Options of an Lp pooling. */
export interface LpPoolLayerOptions<Name extends string = string, Sizes = number | Pair, Pad = Padding>
  extends PoolLayerOptions<Name, Sizes, Pad> {
  /** From 1 (the sum of magnitudes) to 64; the larger, the nearer to the maximum. Default 2. */
  readonly p?: number
}

/** What `lpPool1d`, `lpPool2d` and `lpPool3d` make. */
export class LpPool<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #size: readonly number[]
  readonly #options: ReturnType<typeof windowOptions> & { readonly p: number }

  constructor(axes: A, size: unknown, options: LpPoolLayerOptions<Name, unknown, unknown>) {
    const type = `lpPool${axes}d`
    checkOptions(type, options, [...windowOptionNames, 'p'])
    super(type, options.name)
    const label = labelOf(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#axes = axes
    this.#size = checkSizes(size, axes, label, 'size')
    this.#options = { ...windowOptions(options, size, axes, label), p: checkNumber(options.p ?? 2, label, 'p', { low: 1, high: 64 }) }
  }

  override config() {
    return { size: this.#size, ...this.#options }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return lpPool(lpPools[this.#axes], x!, this.#size, { ...this.#options, name }) as Value
  }
}

/** What `adaptiveAveragePool1d` to `3d` make. */
export class AdaptiveAveragePool<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #size: readonly number[]

  constructor(axes: A, size: unknown, options: { readonly name?: Name }) {
    const type = `adaptiveAveragePool${axes}d`
    checkOptions(type, options, ['name'])
    super(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#axes = axes
    this.#size = checkSizes(size, axes, labelOf(type, options.name), 'size')
  }

  override config() {
    return { size: this.#size }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return adaptiveAveragePool(adaptiveAveragePools[this.#axes], x!, this.#size, { name }) as Value
  }
}

/** What `globalMaxPool1d` to `globalAveragePool3d` make. */
export class GlobalPool<A extends Axes, Name extends string> extends Layer<RankOf<A>, 2, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #pool: (x: Value, options: { name: string }) => Value

  constructor(type: string, axes: A, pool: (x: Value, options: { name: string }) => Value, options: { readonly name?: Name }) {
    checkOptions(type, options, ['name'])
    super(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#pool = pool
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return this.#pool(x!, { name })
  }
}
