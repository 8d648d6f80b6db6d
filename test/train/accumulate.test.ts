import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adam,
  batchNorm,
  conv2d,
  cosineDecay,
  dense,
  dropout,
  type EmaOptions,
  flatten,
  loadModel,
  type Optimizer,
  sequential,
  sgd,
  weightsSha256,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([22, 4], 1), y: someLabels(22, 3) }
const loss = 'softmaxCrossEntropy'
type Extra = { accumulate?: number; ema?: EmaOptions }
const make = (
  runtime: RuntimeName,
  extra: Extra = {},
  optimizer: Optimizer = adam({ learningRate: 0.02, clip: { globalNorm: 0.5 } }),
  rate = 0,
) =>
  sequential(
    { input: [4], seed: 1, runtime },
    dense(6, { activation: 'tanh', kernelRegularizer: { l2: 0.01 }, kernelConstraint: { maxNorm: 1 } }),
    dropout(rate),
    dense(3),
  ).compile({ optimizer, loss, ...extra })
type Made = ReturnType<typeof make>
const hash = async (model: Made) => weightsSha256(await model.getWeights())
const close = async (a: Made, b: Made) => {
  const [left, right] = [await a.getWeights(), await b.getWeights()]
  for (const [name, { data: values }] of Object.entries(left))
    for (const [i, value] of values.entries()) expect(value, name).toBeCloseTo(right[name]!.data[i]!, 5)
}

describe.each(runtimes)('accumulated gradients (%s)', (runtime) => {
  test.each(['sgd', 'adam'])('several small batches are one large, the last of an epoch too (%s)', async (type) => {
    const optimizer = () =>
      type === 'sgd' ? sgd({ learningRate: cosineDecay(0.3, { steps: 12 }), momentum: 0.9, weightDecay: 0.01 }) : undefined
    const [large, small] = [make(runtime, {}, optimizer()), make(runtime, { accumulate: 3 }, optimizer())]
    const histories = [await large.fit(data, { batchSize: 9, epochs: 3 }), await small.fit(data, { batchSize: 3, epochs: 3 })]
    await close(small, large)
    const [rates, others] = histories.map(({ epochs }) => epochs.map(({ learningRate }) => learningRate))
    expect(others).toEqual(rates)
    expect(histories[1]!.epochs.at(-1)!.loss).toBeCloseTo(histories[0]!.epochs.at(-1)!.loss, 4)
  })

  test('of an iterable and of trainOnBatch, too', async () => {
    const part = (from: number, to: number) => ({
      x: { shape: [to - from, 4], data: data.x.data.slice(from * 4, to * 4) },
      y: { shape: [to - from] as const, data: data.y.data.slice(from, to) },
    })
    async function* batches() {
      for (const from of [0, 4, 8, 12, 16]) yield part(from, from + 4)
    }
    const stream = make(runtime, { accumulate: 2 })
    await stream.fit(batches(), { epochs: 1 })
    const [byHand, large] = [make(runtime, { accumulate: 2 }), make(runtime)]
    for (const from of [0, 4, 8, 12]) await byHand.trainOnBatch(part(from, from + 4).x, part(from, from + 4).y)
    for (const [from, to] of [
      [0, 8],
      [8, 16],
    ] as const)
      await large.trainOnBatch(part(from, to).x, part(from, to).y)
    await close(byHand, large)
    await large.trainOnBatch(part(16, 20).x, part(16, 20).y)
    await close(stream, large)
  })

  test('weights change at the end of a group alone; what is not finite ends it', async () => {
    const model = make(runtime, { accumulate: 3 })
    const first = await hash(model)
    const hashes: string[] = []
    await model.fit(data, { batchSize: 4, onStep: async () => void hashes.push(await hash(model)) })
    expect(hashes.length).toBe(6)
    expect(hashes[0]).toBe(first)
    const bad = { x: { shape: data.x.shape, data: data.x.data.slice() }, y: data.y }
    bad.x.data[4 * 5] = Number.NaN
    const before = await hash(model)
    await expectError(() => model.fit(bad, { batchSize: 4, shuffle: false }), 'NOT_FINITE', 'in epoch 1, step 2')
    expect(await hash(model)).toBe(before)
    const results = await model.trainOnBatch(bad.x, bad.y)
    expect(results.loss).toBeNaN()
    expect(await hash(model)).toBe(before)
    await model.fit(data, { batchSize: 4 })
    expect((await model.evaluate(data)).loss).toBeGreaterThan(0)
  })

  test('resumed in the midst of a group, averages kept: bit for bit as if never stopped', async () => {
    const build = () => make(runtime, { accumulate: 3, ema: { decay: 0.8 } }, undefined, 0.25)
    const undisturbed = build()
    await undisturbed.fit(data, { batchSize: 3, epochs: 3, seed: 5 })
    for (const at of [2, 5, 8, 11]) {
      const file = join(temporaryFolder(), 'c')
      let steps = 0
      const onStep = () => {
        if (++steps === at) throw new Error('crash')
      }
      const stopped = build().fit(data, { batchSize: 3, epochs: 3, seed: 5, checkpoint: { file, every: 1 }, onStep })
      await expect(stopped).rejects.toThrow('crash')
      const model = build()
      await model.fit(data, { batchSize: 3, epochs: 3, seed: 5, resume: file })
      expect(await hash(model), `after ${at}`).toBe(await hash(undisturbed))
      expect(await model.getWeights({ weights: 'average' })).toEqual(await undisturbed.getWeights({ weights: 'average' }))
      await expectError(
        () =>
          make(runtime, { accumulate: 2, ema: { decay: 0.8 } }, undefined, 0.25).fit(data, {
            batchSize: 3,
            epochs: 3,
            seed: 5,
            resume: file,
          }),
        'INVALID_ARGUMENT',
        /its run had accumulate 3, this one has 2/,
      )
      await expectError(() => make(runtime).fit(data, { batchSize: 3, seed: 5, resume: file }), 'INVALID_ARGUMENT', 'cannot resume')
    }
  })

  test('averages follow the weights', async () => {
    const model = make(runtime, { ema: { decay: 0.9 } })
    expect(await model.getWeights({ weights: 'average' })).toEqual(await model.getWeights())
    const part = { x: { shape: [4, 4], data: data.x.data.slice(0, 16) }, y: { shape: [4] as const, data: data.y.data.slice(0, 4) } }
    let expected: Map<string, number[]> | undefined
    for (let step = 1; step <= 4; step++) {
      await model.trainOnBatch(part.x, part.y)
      const weights = Object.entries(await model.getWeights())
      const before = expected
      expected = new Map(
        weights.map(([name, { data: w }]) => [name, Array.from(w, (v, i) => (before ? 0.9 * before.get(name)![i]! + 0.1 * v : v))]),
      )
    }
    const averages = await model.getWeights({ weights: 'average' })
    for (const [name, values] of expected!)
      for (const [i, value] of values.entries()) expect(averages[name]!.data[i], name).toBeCloseTo(value, 5)
    const twin = make(runtime)
    await twin.setWeights(averages)
    const [expectedOutputs, outputs] = [await twin.predict(part.x as never), await model.predict(part.x as never, { weights: 'average' })]
    for (const [i, value] of outputs.data.entries()) expect(value).toBeCloseTo(expectedOutputs.data[i]!, 6)
    expect((await model.evaluate(data, { weights: 'average' })).loss).toBeCloseTo((await twin.evaluate(data)).loss, 6)
    expect(await model.predict(part.x as never)).not.toEqual(await model.predict(part.x as never, { weights: 'average' }))
    const file = join(temporaryFolder(), 'm')
    await model.save(file, { weights: 'average' })
    const loaded = (await loadModel(file, { runtime })) as Made
    expect(await loaded.getWeights()).toEqual(averages)
    await loaded.fit(data)
    expect(await loaded.getWeights({ weights: 'average' })).toEqual(await loaded.getWeights())
    await model.setWeights(averages)
    expect(await model.getWeights({ weights: 'average' })).toEqual(averages)
  })

  test('averages are validated, kept by early stopping and taken over, where that is asked for', async () => {
    const model = make(runtime, { ema: { decay: 0.9, validate: true } })
    const { epochs } = await model.fit(data, {
      batchSize: 6,
      epochs: 2,
      validationData: data,
      earlyStopping: { patience: 3, restoreBest: false },
    })
    expect(epochs[1]!.validation).toEqual(await model.evaluate(data, { weights: 'average' }))
    const taken = make(runtime, { ema: { decay: 0.9, overwrite: true } })
    const twin = make(runtime, { ema: { decay: 0.9 } })
    for (const each of [taken, twin]) await each.fit(data, { batchSize: 6, epochs: 2 })
    expect(await taken.getWeights()).toEqual(await twin.getWeights({ weights: 'average' }))
    const stopped = make(runtime, { ema: { decay: 0.5, validate: true } })
    const history = await stopped.fit(data, { batchSize: 6, epochs: 3, validationData: data, earlyStopping: { patience: 9 } })
    const best = Math.min(...history.epochs.map(({ validation }) => validation!.loss))
    expect((await stopped.evaluate(data)).loss).toBeCloseTo(best, 5)
  })
})

test('batch normalization sees each batch for itself, and its statistics follow each', async () => {
  const model = sequential({ input: [4, 4, 1], seed: 1 }, conv2d(2, 3), batchNorm({ momentum: 0.5 }), flatten(), dense(3)).compile({
    optimizer: sgd({ learningRate: 0.1 }),
    loss,
    accumulate: 4,
  })
  const before = await model.getWeights()
  await model.trainOnBatch(randomTensor([4, 4, 4, 1], 1), someLabels(4, 3))
  const after = await model.getWeights()
  expect(after['batchNorm/movingMean']).not.toEqual(before['batchNorm/movingMean'])
  expect(after['conv2d/kernel']).toEqual(before['conv2d/kernel'])
})

test('memory does not grow with the number of batches in an update', async () => {
  const bytes = async (accumulate: number) => {
    const model = make('native', { accumulate })
    await model.fit(data, { batchSize: 2, epochs: 1 })
    return model.memory()
  }
  expect(await bytes(10)).toEqual(await bytes(2))
})

test('options that make no sense', async () => {
  await expectError(() => make('native', { accumulate: 0 }), 'INVALID_ARGUMENT', 'compile: accumulate')
  await expectError(() => make('native', { ema: { decay: 1 } }), 'INVALID_ARGUMENT', 'compile: ema: decay must be')
  await expectError(() => make('native', { ema: 0.9 as never }), 'INVALID_ARGUMENT', 'compile: ema: options must be an object')
  await expectError(() => make('native').getWeights({ weights: 'average' }), 'INVALID_ARGUMENT', 'getWeights: no averages are kept')
  await expectError(
    () => make('native').evaluate(data, { weights: 'best' as never }),
    'INVALID_ARGUMENT',
    "evaluate: weights must be 'trained', 'average'",
  )
})
