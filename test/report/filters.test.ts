import { describe, expect, test } from 'vitest'
import { conv1d, conv2d, convTranspose2d, dense, depthwiseConv2d, filters, flatten, separableConv2d, sequential } from '../../lib/index'
import { expectError } from '../support/models'

const model = () =>
  sequential(
    { input: [8, 8, 3], seed: 1, runtime: 'reference' },
    conv2d(4, [2, 3]),
    depthwiseConv2d(3, { depthMultiplier: 2 }),
    convTranspose2d(5, 2),
    separableConv2d(6, 2),
    flatten(),
    dense(2),
  )

describe('filters', () => {
  test('lie one after the other, their channels apart, for every kind of convolution', async () => {
    const net = model()
    const weights = await net.getWeights()
    const found = await filters(net)
    expect(found.map(({ name, type, count, channels, window }) => [name, type, count, channels, window])).toEqual([
      ['conv2d/kernel', 'conv2d', 4, 3, [2, 3]],
      ['depthwiseConv2d/kernel', 'depthwiseConv2d', 8, 1, [3, 3]],
      ['convTranspose2d/kernel', 'convTranspose2d', 5, 8, [2, 2]],
      ['separableConv2d/depthwiseKernel', 'separableConv2d', 5, 1, [2, 2]],
      ['separableConv2d/pointwiseKernel', 'separableConv2d', 6, 5, [1, 1]],
    ])
    const at = (of: (typeof found)[number], ...place: number[]) =>
      of.weights.data[place.reduce((sum, index, axis) => sum * of.weights.shape[axis]! + index, 0)]
    // Of the layer: [height, width, channels, filters]; of the transposed one [height, width, filters, channels]; of the depthwise one [height, width, channels, multiplier].
    expect(at(found[0]!, 3, 1, 1, 2)).toBe(weights['conv2d/kernel']!.data[((1 * 3 + 2) * 3 + 1) * 4 + 3])
    expect(at(found[1]!, 5, 0, 2, 1)).toBe(weights['depthwiseConv2d/kernel']!.data[((2 * 3 + 1) * 4 + 2) * 2 + 1])
    expect(at(found[2]!, 4, 7, 1, 0)).toBe(weights['convTranspose2d/kernel']!.data[((1 * 2 + 0) * 5 + 4) * 8 + 7])
    expect(found[0]!.weights.shape).toEqual([4, 3, 2, 3])
  })

  test('of one layer by its name; other names are refused', async () => {
    expect((await filters(model(), 'convTranspose2d')).map(({ layer }) => layer)).toEqual(['convTranspose2d'])
    await expectError(
      () => filters(model(), 'dense'),
      'INVALID_ARGUMENT',
      'filters: there is no convolution "dense", there are conv2d, depthwiseConv2d, convTranspose2d, separableConv2d',
    )
    const none = sequential({ input: [4], runtime: 'reference' }, dense(2))
    expect(await filters(none)).toEqual([])
    await expectError(() => filters(none, 'x'), 'INVALID_ARGUMENT', 'there is none')
    const one = sequential({ input: [9, 2], runtime: 'reference' }, conv1d(3, 4))
    expect((await filters(one))[0]).toMatchObject({ count: 3, channels: 2, window: [4] })
  })
})
