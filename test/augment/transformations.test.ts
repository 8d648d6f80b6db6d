import { describe, expect, test } from 'vitest'
import { checkTransformations } from '../../lib/augment/transformations'
import * as t from '../../lib/index'
import * as ops from '../../lib/ops'
import { expectError } from '../support/models'

const all: t.Transformation[] = [
  t.shift(2),
  t.shift([1, 2], { mode: 'reflect', probability: 0.5 }),
  t.crop({ padding: 4 }),
  t.flip(),
  t.affine({ degrees: 10, scale: [0.5, 2], stretch: 0.1, shear: 0.2, shift: 1.5, mode: 'edge' }),
  t.rotate({ degrees: [-5, 10], value: [1, 2, 3] }),
  t.scale(0.1),
  t.shear(0.2),
  t.randomOrder(t.brightness(0.2), t.contrast([0.5, 1.5], { range: [0, 1] }), t.saturation(0.2)),
  t.cutout({ size: [2, 8], value: 128 }),
  t.mixup({ alpha: 0.4 }),
]

test('descriptions are plain data: they survive JSON, and a second check', () => {
  const again = JSON.parse(JSON.stringify(all))
  expect(again).toEqual(all)
  expect(checkTransformations(again, 'fit')).toEqual(all)
})

test('short names are what they stand for', () => {
  expect(t.crop({ padding: 4, mode: 'reflect' })).toEqual(t.shift(4, { mode: 'reflect' }))
  expect(t.rotate({ degrees: 10 })).toEqual(t.affine({ degrees: [-10, 10] }))
  expect(t.scale(0.25)).toEqual(t.affine({ scale: [0.75, 1.25] }))
  expect(t.shear(0.2)).toEqual(t.affine({ shear: 0.2 }))
  expect(t.flip()).toMatchObject({ horizontal: true, vertical: false, probability: 0.5 })
  expect(t.flip({ vertical: true })).toMatchObject({ horizontal: false, vertical: true })
})

describe('what makes no sense is refused', () => {
  const wrong: [name: string, call: () => unknown, message: RegExp][] = [
    ['a shift by half a pixel', () => t.shift(0.5), /^shift: most must be/],
    ['a shift back', () => t.shift([1, -1]), /^shift: most/],
    ['three axes', () => t.shift([1, 2, 3] as never), /^shift: most must be a number or \[y, x\]/],
    ['another mode', () => t.shift(1, { mode: 'wrap' as never }), /^shift: mode must be 'constant', 'edge', 'reflect'/],
    ['a chance above 1', () => t.shift(1, { probability: 1.5 }), /^shift: probability/],
    ['an unknown option', () => t.shift(1, { fill: 0 } as never), /^shift: unknown option "fill"/],
    ['no direction', () => t.flip({ horizontal: false }), /^flip: horizontal or vertical/],
    ['no angle', () => t.rotate({} as never), /^rotate: degrees/],
    [
      'degrees from high to low',
      () => t.rotate({ degrees: [10, -10] }),
      /^rotate: degrees must be a number or \[low, high\] within -360 to 360/,
    ],
    ['a size of nothing', () => t.scale(1), /^scale: factor must be from 0 to 0.99/],
    ['a value that is not finite', () => t.rotate({ degrees: 1, value: Number.NaN }), /^rotate: value/],
    ['a factor below 0', () => t.brightness(1.5), /^brightness: factor/],
    ['a range of one number', () => t.contrast(0.1, { range: 255 as never }), /^contrast: range/],
    ['a hole of no size', () => t.cutout({ size: 0 }), /^cutout: size/],
    ['mixup in a random order', () => t.randomOrder(t.mixup() as never), /^randomOrder: a transformation must be what shift/],
    ['no transformation', () => checkTransformations([{ kind: 'blur' }], 'fit'), /^fit: a transformation must be .*, received "blur"/],
    ['no list', () => checkTransformations(t.shift(1), 'fit'), /^fit: augment must be an array/],
    ['a description that was changed', () => checkTransformations([{ ...t.shift(1), most: [1, 'a'] }], 'fit'), /^shift: most/],
    ['mixup before others', () => checkTransformations([t.mixup(), t.shift(1)], 'fit'), /^fit: mixup must be the last/],
    ['mixup of negative alpha', () => t.mixup({ alpha: 0 }), /^mixup: alpha/],
  ]
  test.each(wrong)('%s', (_name, call, message) => expectError(call, 'INVALID_ARGUMENT', message))

  const images = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) })
  const shapes: [name: string, call: () => unknown, message: RegExp][] = [
    ['no images', () => ops.augment(images(2, 9), [t.shift(1)]), /^augment: takes images \[N, H, W, C\], received \[2, 9\]/],
    ['colours of grey', () => ops.augment(images(1, 2, 2, 1), [t.saturation(0.1)]), /saturation takes images of 3 or 4 channels/],
    [
      'values for other channels',
      () => ops.augment(images(1, 2, 2, 3), [t.shift(1, { value: [1, 2] })]),
      /value of shift must be one number or one for each channel/,
    ],
    ['reflecting more than there is', () => ops.augment(images(1, 2, 5, 1), [t.shift(2, { mode: 'reflect' })]), /by less than the size/],
  ]
  test.each(shapes)('%s', (_name, call, message) => expectError(call, 'INVALID_SHAPE', message))
})

test('at once on either runtime, and in a graph', () => {
  const x = { shape: [3, 5, 4, 3], data: Float32Array.from({ length: 180 }, (_, index) => index % 17) }
  const list = [t.affine({ degrees: 30, scale: 0.2 }), t.randomOrder(t.brightness(0.3), t.saturation(0.5)), t.flip()]
  const [native, reference] = (['native', 'reference'] as const).map((runtime) => ops.augment(x, list, { seed: 3, step: 2, runtime }).data)
  native!.forEach((value, index) => {
    expect(value).toBeCloseTo(reference![index]!, 4)
  })
  const shares = (['native', 'reference'] as const).map((runtime) => ops.mixup(x, { alpha: 1, seed: 3, runtime }).data)
  shares[0]!.forEach((value, index) => {
    expect(value).toBeCloseTo(shares[1]![index]!, 4)
  })
  const bytes = { shape: x.shape, data: Uint8Array.from(x.data, (value) => value * 15) }
  expect(Math.max(...ops.augment(bytes, [t.brightness([3, 3])]).data)).toBe(255)
})
