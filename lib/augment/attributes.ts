import type { Attributes } from '../ops/op'
import { betaQuantiles } from './beta'
import type { ImageTransformation, MixupTransformation, Transformation } from './transformations'

/** A list as the op `augment` takes it: what each transformation is made of, with its number behind each name. `bytes`: what colours are kept within. */
export function augmentAttributes(list: readonly Transformation[], bytes: boolean, stream = 0): Attributes {
  const flat: { readonly one: ImageTransformation; readonly group: number }[] = list.flatMap((transformation, index) => {
    if (transformation.kind === 'mixup') return []
    return transformation.kind === 'randomOrder'
      ? transformation.of.map((one) => ({ one, group: index + 1 }))
      : [{ one: transformation, group: 0 }]
  })
  const attributes = flat.flatMap(({ one, group }, index) => {
    const range = bytes && 'factor' in one && one.range === undefined ? { range: [0, 255] } : {}
    return Object.entries({ ...one, ...range, group }).map(([name, value]) => [`${name}${index}`, value] as const)
  })
  return { count: flat.length, stream, ...Object.fromEntries(attributes) }
}

/** How many streams of random numbers a list takes, mixup's included, which is the last. */
export function streamsOf(list: readonly Transformation[]): number {
  return list.reduce((sum, one) => sum + (one.kind === 'randomOrder' ? one.of.length : 1), 0)
}

const quantiles = new Map<number, readonly number[]>()

export function mixupAttributes({ alpha, probability }: MixupTransformation, stream: number): Attributes {
  const known = quantiles.get(alpha) ?? betaQuantiles(alpha)
  quantiles.clear()
  quantiles.set(alpha, known)
  return { quantiles: known, probability, stream }
}
