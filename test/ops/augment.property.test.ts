import fc from 'fast-check'
import * as t from '../../lib/augment/transformations'
import { augmentCase, mixupCase } from '../support/augmentCases'
import { property } from '../support/describeCases'

const border = fc.record({
  mode: fc.constantFrom('constant', 'edge', 'reflect'),
  value: fc.integer({ min: -3, max: 3 }),
  probability: fc.constantFrom(1, 0.5),
})
const shares = fc.integer({ min: 0, max: 50 }).map((percent) => percent / 100)
const factor = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100)

/** Any transformation that takes images of at least four pixels along each axis. */
const transformation: fc.Arbitrary<t.ImageTransformation> = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), border).map(([y, x, options]) => t.shift([y, x], options)),
  fc.constantFrom(t.flip(), t.flip({ vertical: true }), t.flip({ horizontal: true, vertical: true, probability: 1 })),
  fc
    .tuple(fc.integer({ min: 0, max: 360 }), shares, shares, shares, border)
    .map(([degrees, scale, stretch, shear, options]) =>
      t.affine({ degrees, scale, stretch, shear, shift: [shear * 3, scale * 2], ...options }),
    ),
  factor.map((amount) => t.brightness(amount)),
  factor.map((amount) => t.contrast(amount, { range: [-1, 1] })),
  fc.integer({ min: 1, max: 5 }).map((size) => t.cutout({ size: [1, size], probability: 0.7 })),
)

const lists = fc.array(transformation, { minLength: 1, maxLength: 4 })
const size = (low: number, high: number) => fc.integer({ min: low, max: high })
const sizes = fc.tuple(size(1, 5), size(4, 8), size(4, 9), size(1, 5))

property(
  'augment',
  fc
    .tuple(sizes, lists, fc.boolean(), fc.boolean(), size(0, 2 ** 20))
    .map(([shape, list, bytes, shuffled, seed]) => [
      augmentCase(JSON.stringify(list), shape, shuffled ? [t.randomOrder(...list)] : list, bytes, seed),
    ]),
)

property(
  'mixup',
  fc
    .tuple(size(1, 20), size(1, 70), fc.constantFrom(0.05, 0.2, 1, 8), fc.constantFrom(1, 0.5), size(0, 2 ** 20))
    .map(([n, row, alpha, chance, seed]) => [mixupCase([n, row], alpha, chance, seed)]),
)
