import { augmentAttributes, mixupAttributes } from '../../lib/augment/attributes'
import * as t from '../../lib/augment/transformations'
import type { OpCase } from './opCase'

type Sizes = readonly [n: number, height: number, width: number, channels: number]

/** Images changed by a list; bytes where `dtype` says so. */
export function augmentCase(name: string, sizes: Sizes, list: readonly t.Transformation[], bytes = false, seed = 7): OpCase {
  return {
    name: `augment [${sizes}] ${bytes ? 'bytes ' : ''}${name}`,
    op: 'augment',
    shapes: { x: sizes, y: sizes },
    attributes: augmentAttributes(list, bytes, seed % 5),
    scalars: { seed, step: seed * 2 ** 31 + 3 },
    ...(bytes && { dtypes: { x: 'uint8' } }),
  }
}

export function mixupCase(shape: readonly number[], alpha: number, probability: number, seed = 3): OpCase {
  return {
    name: `mixup [${shape}] alpha ${alpha}, chance ${probability}`,
    op: 'mixup',
    shapes: { x: shape, y: shape },
    attributes: mixupAttributes(t.mixup({ alpha, probability }), seed % 7),
    scalars: { seed, step: seed + 1 },
  }
}

const everything = [
  t.crop({ padding: [1, 2], mode: 'edge' }),
  t.flip({ horizontal: true, vertical: true }),
  t.affine({ degrees: 30, scale: 0.2, stretch: 0.2, shear: 0.3, shift: 1.5, mode: 'reflect' }),
  t.randomOrder(t.brightness(0.4), t.contrast(0.4), t.cutout({ size: [1, 4], value: 9 })),
]

/** Each transformation by itself and all together, on images of one pixel to several blocks, one to five channels. */
export function augmentCases(): OpCase[] {
  const sizes: Sizes[] = [
    [1, 1, 1, 1],
    [5, 7, 6, 1],
    [3, 6, 9, 2],
    [4, 8, 5, 3],
    [2, 9, 9, 4],
    [3, 4, 5, 5],
    [40, 28, 28, 1],
  ]
  const lists: [string, readonly t.Transformation[]][] = [
    ['nothing', []],
    ['shift', [t.shift([2, 3], { value: -1.5 })]],
    ['shift beyond the edges', [t.shift(12, { mode: 'edge' })]],
    ['shift of nothing but value', [t.shift(100, { value: 3, probability: 0.5 })]],
    ['flip', [t.flip()]],
    ['flip both ways', [t.flip({ horizontal: true, vertical: true })]],
    ['rotate', [t.rotate({ degrees: 180 })]],
    ['rotate by quarters', [t.rotate({ degrees: [90, 90], mode: 'edge' }), t.rotate({ degrees: [-270, -270], mode: 'reflect' })]],
    ['scale', [t.scale([0.3, 3], { mode: 'reflect' })]],
    ['shear', [t.shear(0.5, { mode: 'edge' })]],
    ['affine', [t.affine({ degrees: 25, scale: 0.3, stretch: 0.3, shear: 0.4, shift: [2, 1], value: 0.5 })]],
    ['brightness', [t.brightness(0.5)]],
    ['contrast within a range', [t.contrast([0, 3], { range: [-0.5, 0.5] })]],
    ['cutout', [t.cutout({ size: 3, value: 2 })]],
    ['erasing', [t.cutout({ size: [1, 20], probability: 0.5 })]],
    ['all', everything],
  ]
  return [
    ...sizes.flatMap((size) =>
      lists
        .filter(([name]) => (name !== 'all' || size[1] > 1) && (size[0] < 40 || name === 'all' || name === 'shear'))
        .map(([name, list], index) => augmentCase(name, size, list, false, index + 1)),
    ),
    ...sizes.slice(1).map((size) => augmentCase('all', size, everything, true)),
    ...[3, 4].flatMap((channels) =>
      [false, true].map((bytes) => augmentCase('saturation', [3, 5, 7, channels], [t.saturation([0, 2])], bytes)),
    ),
    augmentCase('a value for each channel', [4, 6, 6, 3], [t.shift(3, { value: [1, 2, 3] }), t.cutout({ size: 2, value: [4, 5, 6] })]),
    ...[[1, 3], [2, 5], [33, 17], [8, 4, 4, 3], [300, 100], [7]].flatMap((shape) => [
      mixupCase(shape, 0.2, 1),
      mixupCase(shape, 1, 0.5, 11),
    ]),
  ]
}
