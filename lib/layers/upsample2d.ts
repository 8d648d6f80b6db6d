import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { broadcastTo } from '../ops/broadcastTo'
import { reshape } from '../ops/reshape'
import { checkPair, type Pair } from '../shape'
import { checkOptions } from './check'
import { type BuildContext, Layer } from './layer'

class Upsample2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'upsample2d'
  override readonly rank = 4
  override readonly arity = 1
  readonly #size: Pair

  constructor(size: number | Pair, options: { readonly name?: Name }) {
    checkOptions('upsample2d', options, ['name'])
    super('upsample2d', options.name)
    this.#size = checkPair(size, labelOf('upsample2d', options.name), 'size')
  }

  override config() {
    return { size: this.#size }
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    const [N, H, W, C] = x!.shape as readonly [number, number, number, number]
    const [byH, byW] = this.#size
    const repeated = broadcastTo(reshape(x!, [N, H, 1, W, 1, C]), [N, H, byH, W, byW, C], { name })
    return reshape(repeated, [N, H * byH, W * byW, C])
  }
}

/**
 * Each pixel as a block of equal ones: `[N, H, W, C]` → `[N, H · size, W · size, C]`. What Keras' `UpSampling2D` and PyTorch's `Upsample` do by default:
 * the nearest pixel, which for whole factors is the same whatever the rule of alignment.
 * @param size by how much each side grows, or `[height, width]`
 * @throws INVALID_ARGUMENT
 */
export function upsample2d<const Name extends string = 'upsample2d'>(
  size: number | Pair,
  options: { readonly name?: Name } = {},
): Layer<4, 4, Name> {
  return new Upsample2d(size, options)
}
