import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  batchNorm,
  conv2d,
  dense,
  flatten,
  input,
  loadModel,
  type Model,
  network,
  readSafetensors,
  relu,
  sequential,
  setThreads,
  sgd,
  threads,
  weightsSha256,
} from '../../lib/index'
import { Layer, type LayerConfig } from '../../lib/layers/layer'
import { expectError, randomTensor, runtimes, someLabels } from '../support/models'

const folder = mkdtempSync(join(tmpdir(), 'convlane-norm-'))
const before = threads()
afterAll(() => {
  rmSync(folder, { recursive: true })
  setThreads(before)
})

const make = (runtime: 'native' | 'reference') =>
  sequential(
    { input: [6, 6, 2], seed: 3, runtime },
    conv2d(5, 3, { bias: false }),
    batchNorm({ activation: 'relu', momentum: 0.9 }),
    flatten(),
    dense(4),
    batchNorm({ scale: false, center: false }),
  ).compile({ optimizer: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 }), loss: 'softmaxCrossEntropy' })

const data = (n: number, seed = 1) => ({ x: randomTensor([n, 6, 6, 2], seed), y: someLabels(n, 4) })

describe.each(runtimes)('%s', (runtime) => {
  test('running statistics follow those of the batch, and nothing else touches them', async () => {
    const shape = [4, 2]
    const x = { shape, data: Float32Array.of(1, 10, 3, 10, 5, 40, 7, 20) }
    const model = sequential({ input: [2], runtime }, batchNorm({ momentum: 0.75, name: 'norm' }), dense(2))
    model.compile({ optimizer: sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.5 }), loss: 'meanSquaredError' })
    await model.trainOnBatch(x, { shape, data: new Float32Array(8) })
    let weights = await model.getWeights()
    expect([...weights['norm/movingMean']!.data]).toEqual([1, 5])
    expect([...weights['norm/movingVariance']!.data]).toEqual([2, 38.25])
    await model.trainOnBatch(x, { shape, data: new Float32Array(8) })
    weights = await model.getWeights()
    expect([...weights['norm/movingMean']!.data]).toEqual([1.75, 8.75])
    expect(weights['norm/gamma']!.data[0]).not.toBe(1)
  })

  test('predict and evaluate take the running statistics, whatever comes with a sample', async () => {
    const model = sequential({ input: [3], runtime }, batchNorm({ epsilon: 1, name: 'norm' }))
    await model.setWeights({
      'norm/movingMean': { shape: [3], data: Float32Array.of(1, 2, 3) },
      'norm/movingVariance': { shape: [3], data: Float32Array.of(0, 3, 8) },
      'norm/gamma': { shape: [3], data: Float32Array.of(1, 2, 3) },
    })
    const { data: y } = await model.predict({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 2, 4, 0) })
    for (const [i, value] of [0, 0, 0, 1, 2, -3].entries()) expect(y[i]).toBeCloseTo(value, 6)
  })

  test('a layer used twice follows both uses, in their order', async () => {
    const [a, b] = [input([1]), input([1])]
    const norm = batchNorm({ momentum: 0.5, name: 'norm' })
    const outputs = [norm.apply(a), norm.apply(b)]
    const model = network({ inputs: [a, b], outputs, runtime })
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' })
    const column = (...values: number[]) => ({ shape: [values.length, 1], data: Float32Array.from(values) })
    await model.trainOnBatch([column(1, 3), column(10, 30)], [column(0, 0), column(0, 0)])
    expect((await model.getWeights())['norm/movingMean']!.data[0]).toBe(0.5 * (0.5 * 2) + 0.5 * 20)
  })
})

test('training is the reference’s, with batches smaller than the program, and the same bits at any number of threads', async () => {
  const run = async (runtime: 'native' | 'reference') => {
    const model = make(runtime)
    const losses: number[] = []
    await model.fit(data(22), { batchSize: 8, epochs: 2, onStep: ({ loss }) => void losses.push(loss) })
    return { losses, weights: await model.getWeights(), predictions: await model.predict(data(5, 2).x) }
  }
  const expected = await run('reference')
  const hashes = new Set<string>()
  for (const count of [1, 2, 3]) {
    setThreads(count)
    const found = await run('native')
    hashes.add(weightsSha256(found.weights))
    for (const [step, loss] of expected.losses.entries()) expect(Math.abs(found.losses[step]! - loss)).toBeLessThan(1e-4)
    for (const [name, { data: values }] of Object.entries(expected.weights))
      for (const [i, value] of values.entries()) expect(Math.abs(found.weights[name]!.data[i]! - value), `${name}[${i}]`).toBeLessThan(1e-3)
    for (const [i, value] of expected.predictions.data.entries())
      expect(Math.abs(found.predictions.data[i]! - value)).toBeLessThan(1e-3 * Math.max(1, Math.abs(value)))
  }
  expect(hashes.size).toBe(1)
})

test('a file holds the statistics, and its model predicts the same bits and goes on training', async () => {
  const model = make('native')
  await model.fit(data(16), { batchSize: 8, epochs: 2 })
  const file = join(folder, 'norm.safetensors')
  await model.save(file)
  const { tensors } = await readSafetensors(file)
  expect(Object.keys(tensors)).toEqual(
    expect.arrayContaining(['batchNorm/movingMean', 'batchNorm/movingVariance', 'batchNorm_1/movingMean']),
  )
  const loaded: Model = await loadModel(file)
  expect((await loaded.predict(data(3).x)).data).toEqual((await model.predict(data(3).x)).data)
  expect(weightsSha256(await loaded.getWeights())).toBe(weightsSha256(await model.getWeights()))
  const statistics = tensors['batchNorm/movingMean']!
  const other = { ...tensors, 'batchNorm/movingMean': { ...statistics, data: statistics.data.map((value) => value + 1) } }
  expect(weightsSha256(other)).not.toBe(weightsSha256(tensors))
  await loaded.fit(data(16), { batchSize: 8 })
})

test('getGradients names those of what is trained, each of its weight’s size', async () => {
  const gradients = async (runtime: 'native' | 'reference') => make(runtime).getGradients(data(8).x, data(8).y)
  const [found, expected] = [await gradients('native'), await gradients('reference')]
  expect(Object.keys(found)).toEqual(['conv2d/kernel', 'batchNorm/gamma', 'batchNorm/beta', 'dense/kernel', 'dense/bias'])
  for (const [name, { shape, data: values }] of Object.entries(expected)) {
    expect(values).toHaveLength(shape.reduce((product, size) => product * size, 1))
    for (const [i, value] of values.entries()) expect(Math.abs(found[name]!.data[i]! - value), `${name}[${i}]`).toBeLessThan(1e-4)
  }
})

test('summary counts what is trained', () => {
  expect(make('native').summary().parameters).toBe(3 * 3 * 2 * 5 + 10 + 80 * 4 + 4)
})

test('predict beside training sees the weights and statistics of whole steps', async () => {
  const [samples, batch] = [data(4, 9).x, data(16)]
  const steps = 60
  const after = new Set<string>()
  const alone = make('native')
  const text = async (model: { predict(x: typeof samples): Promise<{ data: Float32Array }> }) => (await model.predict(samples)).data.join()
  after.add(await text(alone))
  for (let step = 0; step < steps; step++) {
    await alone.trainOnBatch(batch.x, batch.y)
    after.add(await text(alone))
  }
  const model = make('native')
  let isDone = false
  const training = (async () => {
    for (let step = 0; step < steps; step++) await model.trainOnBatch(batch.x, batch.y)
    isDone = true
  })()
  let seen = 0
  for (; !isDone; seen++) expect(after).toContain(await text(model))
  await training
  expect(seen).toBeGreaterThan(0)
})

test('fused with its activation, training takes no step for it', async () => {
  const model = sequential({ input: [4, 4, 3] }, conv2d(4, 3), batchNorm(), relu(), flatten(), dense(2))
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
  const ops = (await model.profile({ steps: 1, batchSize: 4 })).steps.map(({ op }) => op)
  expect(ops).toContain('batchNorm')
  expect(ops).toContain('batchNormBackward')
  expect(ops.filter((op) => op === 'movingAverage')).toHaveLength(2)
  expect(ops).not.toContain('relu')
})

test('bad options are refused', async () => {
  await expectError(
    () => batchNorm({ momentum: 1.5 }),
    'INVALID_ARGUMENT',
    'batchNorm: momentum must be a finite number of at least 0 and at most 1',
  )
  await expectError(
    () => batchNorm({ epsilon: -1, name: 'n' }),
    'INVALID_ARGUMENT',
    'batchNorm "n": epsilon must be a finite number of at least 0',
  )
  await expectError(() => batchNorm({ scale: 1 as never }), 'INVALID_ARGUMENT', 'batchNorm: scale must be true or false, received 1')
  await expectError(() => batchNorm({ axis: 1 } as never), 'INVALID_ARGUMENT', 'batchNorm: unknown option "axis"')
  const model = sequential({ input: [3] }, batchNorm({ scale: false, center: false }))
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' })
  const x = randomTensor([4, 3], 1)
  await expectError(() => model.fit({ x, y: x }), 'INVALID_ARGUMENT', 'fit: the model has nothing to train')
})

test('a layer of one’s own cannot average what is trained', async () => {
  class Wrong extends Layer<'any', 'same'> {
    override readonly type = 'wrong'
    override readonly arity = 1
    constructor() {
      super('wrong', undefined)
    }
    override config(): LayerConfig {
      return {}
    }
    override parameters() {
      return [{ name: 'w', shape: [3], initializer: 'zeros' as const }]
    }
    override build(context: Parameters<Layer['build']>[0], [x]: Parameters<Layer['build']>[1]) {
      context.average('w', context.parameter('w'), 0.5)
      return x!
    }
  }
  const model = sequential({ input: [3] }, new Wrong(), dense(3))
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' })
  const x = randomTensor([4, 3], 1)
  await expectError(() => model.trainOnBatch(x, x), 'INVALID_ARGUMENT', 'wrong "wrong": "w" is trained and cannot be an average')
})
