import { describe, expect, test } from 'vitest'
import {
  add,
  batchNorm,
  concat,
  conv2d,
  dense,
  dropout,
  featureMaps,
  flatten,
  globalAveragePool2d,
  input,
  maxPool2d,
  network,
  relu,
  sequential,
  softmax,
} from '../../lib/index'
import { expectError, randomTensor, runtimes } from '../support/models'

describe.each(runtimes)('feature maps (%s)', (runtime) => {
  const net = () =>
    sequential(
      { input: [8, 8, 3], seed: 3, runtime },
      conv2d(4, 3, { padding: 'same' }),
      batchNorm(),
      relu(),
      maxPool2d(2),
      dropout(0.5),
      flatten(),
      dense(5),
      softmax(),
    )

  test('are what networks that end at each layer predict', async () => {
    const x = randomTensor([3, 8, 8, 3], 1)
    const node = input([8, 8, 3])
    const made: { node: ReturnType<typeof input>; name: string }[] = []
    const layers = [conv2d(4, 3, { padding: 'same' }), batchNorm(), relu()]
    let last: never = node as never
    for (const layer of layers) {
      last = (layer as never as { apply(x: never): never }).apply(last)
      made.push({ node: last, name: '' })
    }
    const pooled = maxPool2d(2).apply(last)
    const flat = flatten().apply(dropout(0.5).apply(pooled))
    const logits = dense(5).apply(flat)
    const ends = [...made.map((one) => one.node), pooled, flat, logits, softmax().apply(logits)]
    const whole = network({ inputs: node, outputs: ends as never, seed: 3, runtime })
    const expected = (await whole.predict(x as never)) as unknown as { shape: number[]; data: Float32Array }[]
    const model = net()
    await model.setWeights(await whole.getWeights())
    const maps = await featureMaps(model, x)
    expect(maps.map(({ layer, type }) => [layer, type])).toEqual(
      ['conv2d', 'batchNorm', 'relu', 'maxPool2d', 'dropout', 'flatten', 'dense', 'softmax'].map((name) => [name, name]),
    )
    const withDropout = [0, 1, 2, 3, 3, 4, 5, 6].map((index) => expected[index]!)
    maps.forEach(({ output }, index) => {
      expect(output.shape).toEqual(withDropout[index]!.shape)
      const most = withDropout[index]!.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
      output.data.forEach((value, k) => {
        if (Math.abs(value - withDropout[index]!.data[k]!) > 1e-5 * most) expect(value).toBe(withDropout[index]!.data[k])
      })
    })
    const said = await model.predict(x)
    for (const [k, value] of maps.at(-1)!.output.data.entries()) expect(value).toBeCloseTo(said.data[k]!, 5)
  })

  test('of one sample without its first axis, of some layers, of branches and of layers that are used twice', async () => {
    const image = input([4, 4, 1])
    const shared = conv2d(2, 1, { name: 'shared' })
    const [a, b] = [shared.apply(image), shared.apply(relu().apply(image))]
    const model = network({ inputs: image, outputs: globalAveragePool2d().apply(concat().apply(a, add().apply(a, b))), runtime })
    const x = randomTensor([4, 4, 1], 2)
    const maps = await featureMaps(model, x, { layers: ['shared', 'globalAveragePool2d'] })
    expect(maps.map(({ layer, output }) => [layer, output.shape])).toEqual([
      ['shared', [1, 4, 4, 2]],
      ['shared', [1, 4, 4, 2]],
      ['globalAveragePool2d', [1, 4]],
    ])
    const said = await model.predict({ ...x, shape: [1, 4, 4, 1] })
    expect(maps[2]!.output).toEqual(said)
  })

  test('refuse what there is not', async () => {
    const x = randomTensor([8, 8, 3], 1)
    const message = 'featureMaps: there is no layer "conv", there are conv2d, batchNorm'
    await expectError(() => featureMaps(net(), x, { layers: ['conv'] }), 'INVALID_ARGUMENT', message)
    await expectError(() => featureMaps(net(), x, { layers: 'conv' } as never), 'INVALID_ARGUMENT', 'an array of names')
    await expectError(() => featureMaps(net(), randomTensor([8, 8, 1], 1)), 'INVALID_SHAPE', 'featureMaps: x must have shape')
    await expectError(() => featureMaps(net(), undefined as never), 'INVALID_ARGUMENT', 'featureMaps')
    const gone = net()
    gone.dispose()
    await expectError(() => featureMaps(gone, x), 'DISPOSED', 'disposed')
  })

  test('see bytes as predict does, of models from files, too', async () => {
    const model = sequential({ input: [2, 2, 1], runtime }, flatten(), dense(3))
    const x = { shape: [1, 2, 2, 1], data: Uint8Array.of(0, 100, 200, 255) }
    expect((await featureMaps(model, x)).at(-1)!.output).toEqual(await model.predict(x))
  })
})
