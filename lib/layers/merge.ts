import { checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import * as addOp from '../ops/add'
import * as concatOp from '../ops/concat'
import { checkSameShape } from '../ops/elementwise'
import * as multiplyOp from '../ops/multiply'
import { type BuildContext, Layer } from './layer'
import type { Alike } from './rank'

class Add<Name extends string> extends Layer<Alike, 'same', Name> {
  override readonly type = 'add'

  constructor(options: { readonly name?: Name }) {
    checkOptions('add', options, ['name'])
    super('add', options.name)
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, inputs: readonly Value[]): Value {
    return inputs.reduce((sum, x) => {
      checkSameShape(sum, x, labelOf('add', name), ['a', 'b'])
      return addOp.add(sum, x, { name })
    })
  }
}

/** The sum of two or more nodes of one shape, which is kept: `add().apply(a, b)`. Throws INVALID_ARGUMENT, and INVALID_SHAPE where shapes differ. */
export function add<const Name extends string = 'add'>(options: { readonly name?: Name } = {}): Layer<Alike, 'same', Name> {
  return new Add(options)
}

class Multiply<Name extends string> extends Layer<Alike, 'same', Name> {
  override readonly type = 'multiply'

  constructor(options: { readonly name?: Name }) {
    checkOptions('multiply', options, ['name'])
    super('multiply', options.name)
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, inputs: readonly Value[]): Value {
    const [first] = inputs
    inputs.forEach((x) => {
      checkSameShape(first!, x, labelOf('multiply', name), ['the first node', 'the others'])
    })
    return inputs.reduce((product, x) => multiplyOp.multiply(product, x, { name }))
  }
}

/**
 * The product, element by element, of two or more nodes of one shape, which is kept: `multiply().apply(a, b)`. Throws INVALID_ARGUMENT, and INVALID_SHAPE
 * where shapes differ.
 */
export function multiply<const Name extends string = 'multiply'>(options: { readonly name?: Name } = {}): Layer<Alike, 'same', Name> {
  return new Multiply(options)
}

class Concat<Name extends string> extends Layer<Alike, 'same', Name> {
  override readonly type = 'concat'

  constructor(options: { readonly name?: Name }) {
    checkOptions('concat', options, ['name'])
    super('concat', options.name)
  }

  override config() {
    return {}
  }

  override build({ name }: BuildContext, inputs: readonly Value[]): Value {
    return concatOp.concat(inputs, { name })
  }
}

/**
 * Two or more nodes side by side along the last axis, all other sizes alike: `[N, H, W, C0]`, `[N, H, W, C1]` → `[N, H, W, C0 + C1]`. Throws INVALID_ARGUMENT,
 * and INVALID_SHAPE where other sizes differ.
 */
export function concat<const Name extends string = 'concat'>(options: { readonly name?: Name } = {}): Layer<Alike, 'same', Name> {
  return new Concat(options)
}
