import { Layer, type Model, sequential, type Value } from '../../lib/index'
import type { Parameter } from '../../lib/layers/layer'

type Build = (x: Value, weight: Value) => Value

/** A layer of one's own: a function of its input and of a weight of that shape. */
class Own extends Layer<'any', 'same'> {
  override readonly type = 'own'
  override readonly arity = 1

  constructor(
    private readonly shape: readonly number[],
    private readonly function_: Build,
  ) {
    super('own', undefined)
  }

  override config() {
    return {}
  }

  override parameters(): Parameter[] {
    return [{ name: 'weight', shape: this.shape, initializer: 'normal' }]
  }

  override build({ parameter }: { readonly parameter: (name: string) => Value }, [x]: readonly Value[]): Value {
    return this.function_(x!, parameter('weight'))
  }
}

/** A model of one layer that is made of ops. */
export function ownModel(input: readonly number[], build: Build, weight: readonly number[] = [input.at(-1)!]): Model {
  return sequential({ input: input as never, seed: 3 }, new Own(weight, build) as never) as unknown as Model
}
