import { checkOptions } from '../check'
import type { Value } from '../graph/value'
import { flatten as flattenOp } from '../ops/reshape'
import { type BuildContext, Layer } from './layer'

class Flatten<Name extends string> extends Layer<'any', 2, Name> {
  override readonly type = 'flatten'
  override readonly arity = 1

  constructor(options: { readonly name?: Name }) {
    checkOptions('flatten', options, ['name'])
    super('flatten', options.name)
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, [x]: readonly Value[]): Value {
    return flattenOp(x!, { name })
  }
}

/** All numbers of a sample in one row, row-major: `[N, H, W, C]` → `[N, H·W·C]`. Takes every rank. Costs nothing. */
export function flatten<const Name extends string = 'flatten'>(options: { readonly name?: Name } = {}): Layer<'any', 2, Name> {
  return new Flatten(options)
}
