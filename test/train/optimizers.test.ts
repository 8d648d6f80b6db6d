import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adagrad, adam, adamw, dense, loadModel, type Optimizer, rmsprop, sequential, sgd, weightsSha256 } from '../../lib/index'
import * as ops from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([12, 4], 1), y: someLabels(12, 3) }
const small = (optimizer: Optimizer, runtime?: RuntimeName) =>
  sequential({ input: [4], seed: 1, ...(runtime && { runtime }) }, dense(6, { activation: 'tanh' }), dense(3)).compile({
    optimizer,
    loss: 'softmaxCrossEntropy',
  })

const optimizers: Record<string, () => Optimizer> = {
  'sgd, decoupled': () => sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.1, decoupled: true }),
  adamw: () => adamw({ learningRate: 0.01, weightDecay: 0.1 }),
  rmsprop: () => rmsprop(),
  'rmsprop, centered': () => rmsprop({ learningRate: 0.005, centered: true, momentum: 0.5, weightDecay: 0.01 }),
  adagrad: () => adagrad({ learningRate: 0.1, initialAccumulator: 0.1, learningRateDecay: 0.01 }),
  'clipped by value': () => sgd({ learningRate: 0.5, clip: { value: 0.01 } }),
  'clipped by norm': () => adam({ learningRate: 0.05, clip: { norm: 0.1 } }),
  'clipped by the global norm': () => sgd({ learningRate: 0.5, momentum: 0.5, clip: { globalNorm: 0.1 } }),
  'clipped in every way': () => sgd({ learningRate: 0.5, clip: { value: 0.1, norm: 0.2, globalNorm: 0.1 } }),
}

describe.each(Object.entries(optimizers))('%s', (_name, optimizer) => {
  test('trains, native as reference', async () => {
    const losses: number[] = []
    const found = []
    for (const runtime of runtimes) {
      const model = small(optimizer(), runtime)
      const { epochs } = await model.fit(data, { epochs: 8, batchSize: 4 })
      expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss)
      losses.push(epochs.at(-1)!.loss)
      found.push(await model.getWeights())
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 5)
    for (const [name, { data: expected }] of Object.entries(found[0]!))
      for (const [i, value] of found[1]![name]!.data.entries()) expect(value, name).toBeCloseTo(expected[i]!, 4)
  })

  test('is saved and loaded', async () => {
    const file = join(temporaryFolder(), 'm')
    const model = small(optimizer())
    await model.save(file)
    const loaded = await loadModel(file)
    for (const each of [model, loaded]) await each.fit(data, { batchSize: 4, seed: 3 })
    expect(weightsSha256(await loaded.getWeights())).toBe(weightsSha256(await model.getWeights()))
  })
})

test.each(runtimes)('a clipped step moves as far as the limits say (%s)', async (runtime) => {
  const moved = async (optimizer: Optimizer) => {
    const model = small(optimizer, runtime)
    const before = await model.getWeights()
    await model.trainOnBatch(data.x, data.y)
    const after = await model.getWeights()
    return Object.entries(after).map(([name, { shape, data }]) => ({ shape, data: data.map((value, i) => before[name]!.data[i]! - value) }))
  }
  const free = await moved(sgd({ learningRate: 1 }))
  const total = ops.l2Norm(free).data[0]!
  const limit = total / 3
  const byGlobal = await moved(sgd({ learningRate: 1, clip: { globalNorm: limit } }))
  expect(ops.l2Norm(byGlobal).data[0]).toBeCloseTo(limit, 5)
  byGlobal.forEach(({ data }, index) => {
    for (const [i, value] of data.entries()) expect(value).toBeCloseTo(free[index]!.data[i]! / 3, 5)
  })
  const byNorm = await moved(sgd({ learningRate: 1, clip: { norm: 0.02 } }))
  byNorm.forEach((tensor, index) => {
    expect(ops.l2Norm([tensor]).data[0]).toBeCloseTo(Math.min(0.02, ops.l2Norm([free[index]!]).data[0]!), 5)
  })
  const byValue = await moved(sgd({ learningRate: 1, clip: { value: 0.02 } }))
  byValue.forEach(({ data }, index) => {
    for (const [i, value] of data.entries()) expect(value).toBeCloseTo(Math.max(-0.02, Math.min(0.02, free[index]!.data[i]!)), 6)
  })
  expect(await moved(sgd({ learningRate: 1, clip: { globalNorm: 10 * total } }))).toEqual(free)
})

test('options that make no sense', async () => {
  await expectError(() => sgd({ learningRate: 1, clip: { norm: 0 } }), 'INVALID_ARGUMENT', 'sgd: clip.norm must be above 0')
  await expectError(() => adam({ clip: { length: 1 } as never }), 'INVALID_ARGUMENT', 'adam: clip: unknown option "length"')
  await expectError(() => adamw({ decoupled: false } as never), 'INVALID_ARGUMENT', 'adamw: unknown option "decoupled"')
  await expectError(() => rmsprop({ alpha: 1 }), 'INVALID_ARGUMENT', 'rmsprop: alpha must be a finite number of at least 0 and below 1')
  await expectError(() => rmsprop({ centered: 1 as never }), 'INVALID_ARGUMENT', 'rmsprop: centered')
  await expectError(() => adagrad({ epsilon: -1 }), 'INVALID_ARGUMENT', 'adagrad: epsilon')
})
