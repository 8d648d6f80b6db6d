import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { channelStatistics, dense, flatten, input, loadModel, normalize, relu, rescale, sequential, sgd } from '../../lib/index'
import { makeLayer } from '../../lib/layers/registry'
import * as ops from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, runtimes, someLabels } from '../support/models'

const bytes = { shape: [4, 2, 3, 2], data: Uint8Array.from({ length: 48 }, (_, index) => (index % 2 === 0 ? 2 * index : 255 - index)) }

describe('channelStatistics', () => {
  test('mean and deviation of each channel, as the network sees it', async () => {
    const { mean, deviation } = await channelStatistics({ x: { shape: [2, 1, 2], data: Float32Array.of(1, 10, 5, 10) } })
    expect(mean).toEqual([3, 10])
    expect(deviation).toEqual([2, 1])
    const scaled = await channelStatistics({ x: bytes })
    expect(scaled.mean[0]).toBeCloseTo(46 / 255, 12)
    const mapped = await channelStatistics({ x: bytes, normalize: { scale: [1, -2], offset: [10, 0] } })
    expect(mapped.mean[0]).toBeCloseTo(56, 10)
    expect(mapped.deviation[1]).toBeCloseTo(scaled.deviation[1]! * 255 * 2, 10)
  })

  test('more than is read at once', async () => {
    const data = Uint8Array.from({ length: 3 * 2 ** 20 }, (_, index) => index % 3)
    expect((await channelStatistics({ x: { shape: [2 ** 20, 3], data }, normalize: { scale: 1, offset: 0 } })).mean).toEqual([0, 1, 2])
  })

  test('refuses what is no array of samples', async () => {
    await expectError(() => channelStatistics({ x: { shape: [3], data: new Float32Array(3) } }), 'INVALID_SHAPE', /takes samples/)
    await expectError(
      () => channelStatistics({ x: { shape: [3, 2], data: new Float32Array(3) } }),
      'INVALID_TENSOR',
      /channelStatistics: x/,
    )
  })
})

describe.each(runtimes)('normalize and rescale (%s)', (runtime) => {
  test('training data come out with mean 0 and deviation 1, in predict, too, and from a file', async () => {
    const statistics = await channelStatistics({ x: bytes })
    const model = sequential({ input: [2, 3, 2], runtime }, normalize(statistics))
    const { mean, deviation } = await channelStatistics({ x: await model.predict(bytes) })
    for (const value of mean) expect(value).toBeCloseTo(0, 5)
    for (const value of deviation) expect(value).toBeCloseTo(1, 5)
    const file = join(temporaryFolder(), 'model')
    await model.save(file)
    expect(await (await loadModel(file, { runtime })).predict(bytes)).toEqual(await model.predict(bytes))
  })

  test('rescale', async () => {
    const model = sequential({ input: [2], runtime }, rescale({ scale: [2, 3], offset: -1 }))
    expect([...(await model.predict({ shape: [1, 2], data: Float32Array.of(1, 10) })).data]).toEqual([1, 29])
  })

  test('is trained through, too', async () => {
    const model = sequential(
      { input: [3], seed: 1, runtime },
      dense(4),
      normalize({ mean: 0.5, deviation: [1, 2, 3, 4] }),
      relu(),
      dense(3),
    )
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
    const { epochs } = await model.fit({ x: randomTensor([12, 3], 1), y: someLabels(12, 3) }, { epochs: 20 })
    expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss)
  })
})

test('the gradient is that of a factor', () => {
  const f = (x: Parameters<typeof ops.relu>[0]) => ops.normalize(x as never, { scale: [2, -3], offset: [1, 5] })
  ops.checkGradients(f as never, [randomTensor([3, 2], 1)])
})

test('from its configuration; and what is refused', async () => {
  const layer = normalize({ mean: [1, 2], deviation: 3 })
  expect(makeLayer('normalize', 'n', layer.config()).config()).toEqual({ mean: [1, 2], deviation: 3 })
  expect(makeLayer('rescale', 'r', rescale().config()).config()).toEqual({ scale: 1, offset: 0 })
  for (const options of [
    { mean: 0, deviation: 0 },
    { mean: [1, Number.NaN], deviation: 1 },
    { mean: 'a', deviation: 1 },
    { mean: 0 },
    { mean: [1, 2], deviation: [1, 2, 3] },
  ])
    await expectError(() => normalize(options as never), 'INVALID_ARGUMENT', /^normalize: (mean|deviation)/)
  await expectError(() => rescale({ scale: Number.POSITIVE_INFINITY }), 'INVALID_ARGUMENT', /^rescale: scale/)
  await expectError(
    () => layer.apply(input([4, 4, 3])),
    'INVALID_SHAPE',
    /must be one number or one per channel of \[N, 4, 4, 3\], received 2/,
  )
  expect(flatten().apply(layer.apply(input([4, 4, 2]))).shape).toEqual([null, 32])
})
