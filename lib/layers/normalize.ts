import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import * as ops from '../ops/normalize'
import { type BuildContext, Layer } from './layer'

/** One number for all channels, or one for each. */
type PerChannel = number | readonly number[]

function checkNumbers(value: unknown, label: string, argument: string, above?: number): PerChannel {
  const numbers: readonly unknown[] = Array.isArray(value) ? value : [value]
  const fits = (number: unknown) => typeof number === 'number' && Number.isFinite(number) && (above === undefined || number > above)
  if (numbers.length > 0 && numbers.every(fits)) return Array.isArray(value) ? [...value] : (value as number)
  const what = above === undefined ? 'a finite number' : `a finite number above ${above}`
  throw invalid(label, argument, `${what}, or one for each channel`, value)
}

const listOf = (value: PerChannel): readonly number[] => (typeof value === 'number' ? [value] : value)

/** Options of {@link rescale}. */
export interface RescaleLayerOptions<Name extends string = string> {
  /** One number, or one for each channel. Default 1. */
  readonly scale?: PerChannel
  /** One number, or one for each channel. Default 0. */
  readonly offset?: PerChannel
  /** Default `rescale`, `rescale_1`, … */
  readonly name?: Name
}

/** x · scale + offset, with numbers that are given, not trained. */
abstract class Linear<Name extends string> extends Layer<'any', 'same', Name> {
  override readonly arity = 1

  protected abstract map(): { readonly scale: PerChannel; readonly offset: PerChannel }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return ops.normalize(x!, { ...this.map(), name })
  }
}

class Rescale<Name extends string> extends Linear<Name> {
  override readonly type = 'rescale'
  readonly #options: { readonly scale: PerChannel; readonly offset: PerChannel }

  constructor(options: RescaleLayerOptions<Name>) {
    checkOptions('rescale', options, ['scale', 'offset', 'name'])
    super('rescale', options.name)
    const label = labelOf('rescale', options.name)
    this.#options = { scale: checkNumbers(options.scale ?? 1, label, 'scale'), offset: checkNumbers(options.offset ?? 0, label, 'offset') }
  }

  override config() {
    return this.#options
  }

  protected override map() {
    return this.#options
  }
}

/**
 * x · scale + offset, in training and afterwards alike; the numbers are saved with the model. Any shape, kept; channels are the last axis. Keras' `Rescaling`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for numbers of other channels
 */
export function rescale<const Name extends string = 'rescale'>(options: RescaleLayerOptions<Name> = {}): Layer<'any', 'same', Name> {
  return new Rescale(options)
}

/** Options of {@link normalize}. */
export interface NormalizeLayerOptions<Name extends string = string> {
  /** Of what the network sees, bytes being scaled to 0 … 1 where nothing else is said: one number, or one for each channel. */
  readonly mean: PerChannel
  /** The standard deviation, above 0: one number, or one for each channel. */
  readonly deviation: PerChannel
  /** Default `normalize`, `normalize_1`, … */
  readonly name?: Name
}

class Normalize<Name extends string> extends Linear<Name> {
  override readonly type = 'normalize'
  readonly #options: { readonly mean: PerChannel; readonly deviation: PerChannel }

  constructor(options: NormalizeLayerOptions<Name>) {
    checkOptions('normalize', options, ['mean', 'deviation', 'name'])
    super('normalize', options.name)
    const label = labelOf('normalize', options.name)
    const mean = checkNumbers(options.mean, label, 'mean')
    const deviation = checkNumbers(options.deviation, label, 'deviation', 0)
    const [means, deviations] = [listOf(mean).length, listOf(deviation).length]
    if (means > 1 && deviations > 1 && means !== deviations) {
      const message = `${label}: mean has ${means} numbers, deviation ${deviations}`
      throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: means, received: deviations })
    }
    this.#options = { mean, deviation }
  }

  override config() {
    return this.#options
  }

  protected override map() {
    const [mean, deviation] = [listOf(this.#options.mean), listOf(this.#options.deviation)]
    const channels = Math.max(mean.length, deviation.length)
    const at = (numbers: readonly number[], index: number) => numbers[numbers.length === 1 ? 0 : index]!
    const scale = Array.from({ length: channels }, (_, index) => 1 / at(deviation, index))
    return { scale, offset: scale.map((factor, index) => -at(mean, index) * factor) }
  }
}

/**
 * (x − mean) / deviation for each channel, the last axis, in training and afterwards alike; the numbers are saved with the model. Any shape, kept. As the first layer it is
 * torchvision's `Normalize`; `channelStatistics` gives the numbers of a data set.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for numbers of other channels
 */
export function normalize<const Name extends string = 'normalize'>(options: NormalizeLayerOptions<Name>): Layer<'any', 'same', Name> {
  return new Normalize(options)
}
