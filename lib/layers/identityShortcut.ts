import { checkOptions } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { averagePool2d } from '../ops/averagePool2d'
import { pad } from '../ops/pad'
import { checkInteger, checkPair, type Pair } from '../shape'
import { type BuildContext, Layer, type Parameter } from './layer'

/** Options of {@link identityShortcut}. */
export interface IdentityShortcutOptions<Name extends string = string> {
  /** Every how many rows and columns it keeps, one number or `[height, width]`. Default 1. */
  readonly stride?: number | Pair
  /** Default `identityShortcut`, `identityShortcut_1`, … */
  readonly name?: Name
}

class IdentityShortcut<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'identityShortcut'
  override readonly rank = 4
  override readonly arity = 1
  readonly #filters: number
  readonly #stride: Pair

  constructor(filters: number, options: IdentityShortcutOptions<Name>) {
    checkOptions('identityShortcut', options, ['stride', 'name'])
    super('identityShortcut', options.name)
    const label = labelOf('identityShortcut', options.name)
    this.#filters = checkInteger(filters, label, 'filters')
    this.#stride = checkPair(options.stride ?? 1, label, 'stride')
  }

  override config() {
    return { filters: this.#filters, stride: this.#stride }
  }

  override parameters([x]: readonly TensorType[], label: string): Parameter[] {
    const channels = x!.shape[3]!
    if (this.#filters >= channels) return []
    const message = `${label}: filters must be at least the input's ${channels} channels, received ${this.#filters}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: channels, received: this.#filters })
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    const more = this.#filters - x!.shape[3]!
    const isWhole = this.#stride.every((step) => step === 1)
    // A window of one pixel takes it as it is.
    const kept = isWhole ? x! : averagePool2d(x!, 1, { stride: this.#stride, name })
    const sides = [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, more],
    ] as const
    return more === 0 ? kept : pad(kept, sides, { name })
  }
}

/**
 * A shortcut past layers that change sizes, without weights (He and others, "Deep residual learning", 2016, option A): every `stride`-th row and column from
 * the first on, and behind the channels as many of zeros as are missing. `[N, H, W, C]` → `[N, ⌈H / stride⌉, ⌈W / stride⌉, filters]`. A 3 × 3 convolution of that
 * stride with a padding of 1 gives the same sizes, and looks at the pixels around the ones that are kept.
 * @param filters number of channels that come out, at least as many as come in
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or of more channels
 */
export function identityShortcut<const Name extends string = 'identityShortcut'>(
  filters: number,
  options: IdentityShortcutOptions<Name> = {},
): Layer<4, 4, Name> {
  return new IdentityShortcut(filters, options)
}
