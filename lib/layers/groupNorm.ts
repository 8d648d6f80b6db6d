import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import * as ops from '../ops/groupNorm'
import { instanceNorm as normalizeInstances } from '../ops/instanceNorm'
import { checkInteger } from '../shape'
import type { Layer } from './layer'
import { Norm, type NormCall, type NormOptions } from './norm'

class GroupNorm<Name extends string> extends Norm<Name> {
  override readonly type = 'groupNorm'
  readonly #groups: number

  constructor(groups: number, options: NormOptions<Name>) {
    super('groupNorm', options, 1e-3)
    this.#groups = checkInteger(groups, labelOf('groupNorm', options.name), 'groups')
  }

  override config() {
    return { groups: this.#groups, ...this.settings }
  }

  protected override parameterShape(x: TensorType, label: string): number[] {
    return [ops.checkGroups(x, this.#groups, label)]
  }

  protected override normalize(x: Value, options: NormCall): Value {
    return ops.groupNorm(x, this.#groups, options)
  }
}

class InstanceNorm<Name extends string> extends Norm<Name, 3 | 4 | 5> {
  override readonly type = 'instanceNorm'

  constructor(options: NormOptions<Name>) {
    super('instanceNorm', options, 1e-3)
  }

  override config() {
    return { ...this.settings }
  }

  protected override parameterShape(x: TensorType): number[] {
    return [x.shape.at(-1)!]
  }

  protected override normalize(x: Value, options: NormCall): Value {
    return normalizeInstances(x, options)
  }
}

/**
 * Group normalization (Wu and He, 2018): the channels are cut into `groups` of neighbours, and each group of each sample is normalized over all its
 * positions; y = activation(gamma · (x − mean) / √(variance + epsilon) + beta). Any shape `[N, …, C]`, kept. Training and inference are alike. Defaults are
 * Keras', but that `groups` must be given (there 32, reduced for fewer channels).
 *
 * Parameters, all `[C]`: `gamma` and `beta`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for groups that don't divide the channels
 */
export function groupNorm<const Name extends string = 'groupNorm'>(
  groups: number,
  options: NormOptions<Name> = {},
): Layer<'any', 'same', Name> {
  return new GroupNorm(groups, options)
}

/**
 * Instance normalization (Ulyanov, Vedaldi and Lempitsky, 2016): each channel of each sample is normalized over its positions, as `groupNorm` with as many
 * groups as channels does. Any shape of rank 3 or more `[N, …, C]`, kept. There is a gamma and a beta, as in Keras' group normalization; PyTorch's has none
 * unless asked for (`affine`): `{ scale: false, center: false }`.
 *
 * Parameters, all `[C]`: `gamma` and `beta`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for rank 2: a channel of one number has no deviation
 */
export function instanceNorm<const Name extends string = 'instanceNorm'>(options: NormOptions<Name> = {}): Layer<3 | 4 | 5, 'same', Name> {
  return new InstanceNorm(options)
}
