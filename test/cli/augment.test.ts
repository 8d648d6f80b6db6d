import { describe, expect, test } from 'vitest'
import { UsageError } from '../../lib/cli/arguments'
import { parseAugment } from '../../lib/cli/augment'
import { trainCommand } from '../../lib/cli/train'
import { affine, crop, cutout, flip, mixup, shift } from '../../lib/index'

const parse = (text?: string) => parseAugment(trainCommand, text)

test('--augment: one affine map of all that it can do, the others in their order, mixup last', () => {
  expect(parse(undefined)).toEqual([])
  expect(parse('shift=2')).toEqual([shift(2)])
  expect(parse('shift=2,rotate=10,scale=0.1')).toEqual([affine({ shift: 2, degrees: 10, scale: 0.1 })])
  expect(parse('mixup=0.2, cutout=8 ,rotate=5,flip,shear=0.1')).toEqual([
    cutout({ size: 8 }),
    affine({ degrees: 5, shear: 0.1 }),
    flip(),
    mixup(),
  ])
  expect(parse('crop=4,flipVertical')).toEqual([crop({ padding: 4 }), flip({ horizontal: false, vertical: true })])
})

describe('--augment refuses', () => {
  test.each([
    ['blur=1', /there is no "blur", there are shift, rotate,/],
    ['shift', /"shift" must be shift=NUMBER/],
    ['shift=', /must be shift=NUMBER/],
    ['shift=two', /"shift=two" must be shift=NUMBER/],
    ['flip=1', /"flip=1" must be flip/],
    ['shift=1,shift=2', /shift is given twice/],
    ['scale=2', /--augment: affine: scale must be from 0 to 0.99, received 2/],
    ['', /there is no ""/],
  ])('%s', (text, message) => {
    expect(() => parse(text)).toThrow(UsageError)
    expect(() => parse(text)).toThrow(message)
  })
})
