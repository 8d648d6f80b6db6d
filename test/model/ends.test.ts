import { describe, expect, test } from 'vitest'
import { conv2d, dense, flatten, input, network, sequential, sgd } from '../../lib/index'
import { meanSquaredError } from '../../lib/ops/meanSquaredError'
import { scale } from '../../lib/ops/scale'
import { expectError, randomTensor, runtimes, someLabels } from '../support/models'

describe.each(runtimes)('several inputs and outputs (%s)', (runtime) => {
  const build = () => {
    const image = input([4, 4, 1], { name: 'image' })
    const extra = input([2], { name: 'extra' })
    const features = dense(5, { activation: 'tanh', name: 'features' }).apply(flatten().apply(conv2d(2, 3).apply(image)))
    const kind = dense(3, { name: 'kind' }).apply(features)
    const size = dense(1, { name: 'size' }).apply(dense(4, { activation: 'tanh' }).apply(extra))
    return network({ inputs: [image, extra], outputs: [kind, size], seed: 6, runtime })
  }
  const x = { image: randomTensor([9, 4, 4, 1], 1), extra: randomTensor([9, 2], 2) }
  const y = { kind: someLabels(9, 3), size: randomTensor([9, 1], 3) }
  const loss = { kind: 'softmaxCrossEntropy', size: 'meanSquaredError' } as const
  const optimizer = sgd({ learningRate: 0.1 })

  test('train by name or in order, with a weighted sum of losses', async () => {
    const model = build().compile({ optimizer, loss, lossWeights: { size: 0.25 } })
    const results = await model.evaluate({ x, y }, { batchSize: 4 })
    expect(Object.keys(results)).toEqual(['loss', 'kind/loss', 'size/loss'])
    expect(results.loss).toBeCloseTo(results['kind/loss']! + 0.25 * results['size/loss']!, 5)
    const other = build().compile({ optimizer, loss: [loss.kind, loss.size], lossWeights: [1, 0.25] })
    expect(await other.evaluate({ x: [x.image, x.extra], y: [y.kind, y.size] }, { batchSize: 4 })).toEqual(results)
    const history = await model.fit({ x, y }, { epochs: 30, batchSize: 4, validationData: { x, y } })
    expect(history.epochs.at(-1)!.validation!.loss).toBeLessThan(0.8 * results.loss)
    expect(Object.keys(history.epochs[0]!.metrics)).toEqual(['kind/loss', 'size/loss'])
    const [kind, size] = await model.predict(x)
    expect([kind.shape, size.shape]).toEqual([
      [9, 3],
      [9, 1],
    ])
    const error = size.data.reduce((sum, value, n) => sum + (value - y.size.data[n]!) ** 2, 0) / 9
    expect((await model.evaluate({ x, y }))['size/loss']).toBeCloseTo(error, 5)
  })

  test('a weight of 0 leaves what only that output uses as it was', async () => {
    const model = build().compile({ optimizer, loss, lossWeights: { kind: 1, size: 0 } })
    const before = await model.getWeights()
    await model.trainOnBatch(x, y)
    const after = await model.getWeights()
    expect(after['size/kernel']).toEqual(before['size/kernel'])
    expect(after['features/kernel']).not.toEqual(before['features/kernel'])
  })

  test('metrics and losses of the user, on values of the graph', async () => {
    const own = sequential({ input: [2], seed: 1, runtime }, dense(1)).compile({
      optimizer,
      loss: (predictions, targets) => scale(meanSquaredError(predictions, targets).loss, 3),
      metrics: [{ name: 'squares', compute: (predictions, targets) => meanSquaredError(predictions, targets).loss }],
    })
    const given = { x: x.extra, y: y.size }
    const before = await own.evaluate(given, { batchSize: 4 })
    expect(before.loss).toBeCloseTo(3 * before.squares!, 5)
    await own.fit(given, { epochs: 20, batchSize: 3 })
    expect((await own.evaluate(given)).loss).toBeLessThan(before.loss)
  })

  test('what does not belong to the ends is refused', async () => {
    const model = build()
    await expectError(
      () => model.compile({ optimizer, loss: { kind: 'softmaxCrossEntropy' } }),
      'INVALID_ARGUMENT',
      'compile: loss of "size" must be',
    )
    await expectError(() => model.compile({ optimizer, loss: { ...loss, other: loss.size } }), 'INVALID_ARGUMENT', 'unknown option "other"')
    await expectError(
      () => model.compile({ optimizer, loss: ['meanSquaredError'] }),
      'INVALID_ARGUMENT',
      '2 of them, one for each of kind, size',
    )
    await expectError(() => model.compile({ optimizer, loss, lossWeights: { kind: -1 } }), 'INVALID_ARGUMENT', 'lossWeights of "kind"')
    const map = new Map([['kind', 3]]) as never
    await expectError(
      () => model.compile({ optimizer, loss, lossWeights: map }),
      'INVALID_ARGUMENT',
      'compile: lossWeights: options must be an object',
    )
    model.compile({ optimizer, loss })
    await expectError(
      () => model.fit({ x: x.image, y }),
      'INVALID_ARGUMENT',
      'fit: x must be an array or an object of tensors for image, extra',
    )
    await expectError(() => model.fit({ x: [x.image], y }), 'INVALID_ARGUMENT', 'fit: x must be 2 tensors')
    await expectError(
      () => model.fit({ x: { image: x.image, other: x.extra }, y }),
      'INVALID_ARGUMENT',
      'fit: x must be an object with image, extra, received an object with image, other',
    )
    await expectError(
      () => model.fit({ x: [x.image, randomTensor([8, 2], 1)], y }),
      'INVALID_SHAPE',
      'fit: x of "extra" must have shape [9, 2], received [8, 2]',
    )
    await expectError(
      () => model.fit({ x, y: [y.kind, randomTensor([9, 2], 1)] }),
      'INVALID_SHAPE',
      'fit: y of "size" must have shape [9, 1], received [9, 2]',
    )
  })
})
