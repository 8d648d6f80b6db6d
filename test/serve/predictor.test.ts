import { afterAll, describe, expect, test } from 'vitest'
import {
  adam,
  batchNorm,
  conv2d,
  createPredictor,
  dense,
  digits,
  flatten,
  input,
  loadModel,
  logSoftmax,
  type Model,
  maxPool2d,
  network,
  resnet20,
  type Samples,
  sequential,
  sgd,
  sharedModel,
  softmax,
  type Tensor,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { errorOf, expectError, randomTensor, runtimes, someLabels } from '../support/models'

const build = (runtime: 'native' | 'reference' = 'native') =>
  sequential(
    { input: [6, 6, 1], seed: 2, runtime },
    conv2d(4, 3, { padding: 1 }),
    batchNorm({ activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(3),
  )
const row = ({ shape, data }: Samples, k: number): Samples => {
  const size = data.length / shape[0]!
  return { shape: [1, ...shape.slice(1)], data: data.slice(k * size, (k + 1) * size) }
}
const made: Model[] = []
const keep = <M extends Model>(model: M): M => {
  made.push(model)
  return model
}
afterAll(() => {
  for (const model of made) model.dispose()
})

describe.each(runtimes)('a predictor on the %s runtime', (runtime) => {
  test('gives each call what predict gives for its samples alone, bit for bit, in fewer runs', async () => {
    const model = keep(build(runtime))
    const x = randomTensor([40, 6, 6, 1], 1)
    const predictor = createPredictor(model, { maxBatch: 9 })
    const answers = await Promise.all(Array.from({ length: 40 }, (_, k) => predictor.predict(row(x, k))))
    for (const [k, answer] of answers.entries()) expect(answer).toEqual(await model.predict(row(x, k)))
    expect(predictor.statistics).toEqual({ waiting: 0, running: 0, answered: 40, refused: 0, runs: 5 })
    expect(await predictor.predict(x)).toEqual(await model.predict(x))
    await predictor.close()
    expect((await model.predict(x)).shape).toEqual([40, 3])
  })

  test('takes bytes as training did, models of several inputs and outputs, and averages', async () => {
    const { train } = await digits()
    const bytes = { shape: [3, 8, 8, 1], data: train.x.data.slice(0, 192) as Uint8Array }
    const seen = keep(sequential({ input: [8, 8, 1], normalize: train.normalize!, runtime }, flatten(), dense(10)))
    seen.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy', ema: { decay: 0.9 } })
    await seen.trainOnBatch(bytes, someLabels(3, 10))
    for (const weights of ['trained', 'average'] as const) {
      await using predictor = createPredictor(seen, { weights })
      const answers = await Promise.all([0, 1, 2].map((k) => predictor.predict(row(bytes, k))))
      for (const [k, answer] of answers.entries()) expect(answer).toEqual(await seen.predict(row(bytes, k), { weights }))
    }
    const [a, b] = [input([4], { name: 'a' }), input([2], { name: 'b' })]
    const two = network({ inputs: [a, b], outputs: [dense(3).apply(a), dense(1).apply(b)], seed: 4, runtime })
    const predictor = createPredictor(two)
    const [xa, xb] = [randomTensor([5, 4], 1), randomTensor([5, 2], 2)]
    const whole = (await two.predict({ a: xa, b: xb })) as readonly Tensor[]
    const answers = await Promise.all([0, 1, 2, 3, 4].map((k) => predictor.predict({ b: row(xb, k), a: row(xa, k) })))
    for (const [k, answer] of answers.entries()) expect(answer).toEqual(whole.map((tensor) => row(tensor, k)))
    expect(predictor.statistics.runs).toBe(1)
    two.dispose()
  })
})

test('samples have the same bits in whatever company: a residual network', async () => {
  const model = keep(resnet20({ input: [16, 16, 3], classes: 5 }))
  const x = randomTensor([20, 16, 16, 3], 1)
  const predictor = createPredictor(model)
  const [first, ...others] = await Promise.all([predictor.predict(row(x, 7)), predictor.predict(x), predictor.predict(row(x, 7))])
  expect(row(others[0]!, 7)).toEqual(first)
  expect(others[1]).toEqual(first)
  expect(await predictor.predict(row(x, 7))).toEqual(first)
})

describe('classify', () => {
  const probabilities = [0.0900306, 0.2447285, 0.6652409]
  const giving = (values: readonly number[], ...layers: Parameters<typeof sequential>[1][]) => {
    const model = keep(sequential({ input: [1] }, dense(values.length), ...(layers as [])) as unknown as Model)
    return model
      .setWeights({ 'dense/kernel': { shape: [1, values.length], data: Float32Array.from(values) } })
      .then(() => createPredictor(model).classify({ shape: [2, 1], data: Float32Array.of(1, 0) }))
  }

  test.each([
    ['logits', []],
    ['softmax', [softmax()]],
    ['logSoftmax', [logSoftmax()]],
  ])('tells names and probabilities, likeliest first: %s', async (_, layers) => {
    const [first, second, ...more] = await giving([1, 2, 3], ...(layers as []))
    expect(first!.map(({ class: number, name }) => [number, name])).toEqual([2, 1, 0].map((k) => [k, String(k)]))
    for (const [at, { probability }] of first!.entries()) expect(probability).toBeCloseTo(probabilities[2 - at]!, 6)
    for (const { probability } of second!) expect(probability).toBeCloseTo(1 / 3, 6)
    expect(more).toEqual([])
  })

  test.each([
    ['a logit', dense(1)],
    ['a probability', dense(1, { activation: 'sigmoid' })],
  ])('takes one number for two classes: %s', async (_, last) => {
    const model = keep(sequential({ input: [1] }, last))
    model.classNames = ['no', 'yes']
    await model.setWeights({ 'dense/kernel': { shape: [1, 1], data: Float32Array.of(1) } })
    const [classes] = await createPredictor(model).classify({ shape: [1, 1], data: Float32Array.of(-1) })
    expect(classes!.map(({ name }) => name)).toEqual(['no', 'yes'])
    expect(classes![0]!.probability).toBeCloseTo(0.7310586, 6)
    expect(classes![0]!.probability + classes![1]!.probability).toBeCloseTo(1, 12)
  })

  test('leaves independent probabilities as they are, and tells as many as are asked for', async () => {
    const model = keep(sequential({ input: [2] }, dense(3, { activation: 'sigmoid' })))
    const x = randomTensor([1, 2], 3)
    const predictor = createPredictor(model)
    const [classes] = await predictor.classify(x)
    const { data } = await model.predict(x)
    expect(classes!.map(({ probability }) => probability)).toEqual([...data].sort((a, b) => b - a))
    expect(await predictor.classify(x, { top: 1 })).toEqual([classes!.slice(0, 1)])
    await expectError(() => predictor.classify(x, { top: 0 }), 'INVALID_ARGUMENT', 'classify: top')
    const pictures = createPredictor(keep(sequential({ input: [3, 3, 1] }, conv2d(2, 3))))
    await expectError(
      () => pictures.classify(randomTensor([1, 3, 3, 1], 1)),
      'UNSUPPORTED',
      'classify: expected a model of one output [N, K]',
    )
  })
})

test.each([
  ['logits', {}],
  ['softmax', { activation: 'softmax' }],
  ['sigmoid', { activation: 'sigmoid' }],
] as const)('classify refuses what makes no probabilities, for its own call alone: %s', async (_, options) => {
  const model = keep(sequential({ input: [2] }, dense(3, options)))
  const predictor = createPredictor(model)
  const good = Float32Array.of(1, 2)
  const bad = Float32Array.of(Number.NaN, 1)
  const rows = (...samples: Float32Array[]) => ({ shape: [samples.length, 2], data: Float32Array.from(samples.flatMap((x) => [...x])) })
  const [alone, , beside] = await Promise.all([
    predictor.classify(rows(good)),
    expectError(
      () => predictor.classify(rows(good, bad, good, bad)),
      'NOT_FINITE',
      'classify: what the model gives for 2 of 4 samples makes no probabilities',
    ),
    predictor.classify(rows(good)),
  ])
  expect(beside).toEqual(alone)
  expect((await errorOf(() => predictor.classify(rows(good, bad, good, bad)))).received).toEqual([1, 3])
  expect((await predictor.predict(rows(good, bad))).data.subarray(3).every(Number.isNaN)).toBe(true)
})

test('averages that a model does not keep are refused at once', async () => {
  const model = keep(build())
  await expectError(
    () => createPredictor(model, { weights: 'average' }),
    'INVALID_ARGUMENT',
    'createPredictor: no averages are kept: compile({ ema',
  )
  await expectError(() => createPredictor(model, { weights: 'best' as 'average' }), 'INVALID_ARGUMENT', 'createPredictor: weights')
})

describe('bad calls', () => {
  test('are refused before they reach others', async () => {
    const model = keep(build())
    const predictor = createPredictor(model, { maxBatch: 4, maxQueue: 4 })
    const good = predictor.predict(randomTensor([1, 6, 6, 1], 1))
    const call = (x: unknown, options?: unknown) => () => predictor.predict(x as Samples, options as object)
    await expectError(call(undefined), 'INVALID_ARGUMENT', 'predict: x')
    await expectError(call(randomTensor([1, 5, 6, 1], 1)), 'INVALID_SHAPE', 'predict: x must have shape [N, 6, 6, 1]')
    await expectError(call({ shape: [1, 6, 6, 1], data: new Float64Array(36) }), 'INVALID_DTYPE', 'predict: ')
    await expectError(call({ shape: [1, 6, 6, 1], data: new Float32Array(35) }), 'INVALID_TENSOR', 'predict: ')
    await expectError(call(randomTensor([5, 6, 6, 1], 1)), 'INVALID_ARGUMENT', 'maxQueue')
    await expectError(call(randomTensor([1, 6, 6, 1], 1), { signal: 7 }), 'INVALID_ARGUMENT', 'signal')
    await expectError(call(randomTensor([1, 6, 6, 1], 1), { top: 1 }), 'INVALID_ARGUMENT', 'unknown option "top"')
    await expectError(call(randomTensor([1, 6, 6, 1], 1), { signal: AbortSignal.abort() }), 'ABORTED', 'AbortSignal')
    expect((await good).shape).toEqual([1, 3])
    model.dispose()
    await expectError(call(randomTensor([1, 6, 6, 1], 1)), 'DISPOSED', 'disposed')
    await predictor.close()
    await expectError(call(randomTensor([1, 6, 6, 1], 1)), 'DISPOSED', 'predict: the predictor is closed')
    await expectError(() => createPredictor(model), 'DISPOSED', 'disposed')
  })

  test.each([
    [{ maxBatch: 0 }, 'maxBatch'],
    [{ maxBatch: 257, maxQueue: 1000 }, 'maxBatch'],
    [{ maxBatch: 1.5 }, 'maxBatch'],
    [{ maxWait: -1 }, 'maxWait'],
    [{ maxWait: Number.NaN }, 'maxWait'],
    [{ maxWait: Number.POSITIVE_INFINITY }, 'maxWait'],
    [{ maxQueue: 15 }, 'maxQueue'],
    [{ maxQueue: 0, maxBatch: 1 }, 'maxQueue'],
    [{ weights: 'mean' }, 'weights'],
    [{ batch: 3 }, 'unknown option "batch"'],
    [null, 'options'],
  ])('of createPredictor: %j', async (options, message) => {
    await expectError(() => createPredictor(keep(build()), options as object), 'INVALID_ARGUMENT', message)
    await expectError(() => createPredictor({} as Model), 'INVALID_ARGUMENT', 'createPredictor: model')
  })
})

test('answers while the model is trained, and on a shared one, with weights of whole steps', async () => {
  const model = keep(build()).compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
  const shared = keep(sharedModel(await model.share()))
  const predictors = [createPredictor(model), createPredictor(shared)]
  const x = randomTensor([1, 6, 6, 1], 1)
  const training = model.fit({ x: randomTensor([60, 6, 6, 1], 1), y: someLabels(60, 3) }, { epochs: 5, batchSize: 10 })
  for (let k = 0; k < 20; k++) {
    const answers = await Promise.all(predictors.map((predictor) => predictor.predict(x)))
    for (const { data } of answers) expect(data.every(Number.isFinite)).toBe(true)
  }
  await training
  const expected = await model.predict(x)
  for (const predictor of predictors) expect(await predictor.predict(x)).toEqual(expected)
})

test('a loaded model keeps the names of its classes for it', async () => {
  const file = `${temporaryFolder()}/named.safetensors`
  const model = keep(build())
  model.classNames = ['cat', 'dog', 'fish']
  await model.save(file)
  const [classes] = await createPredictor(keep(await loadModel(file))).classify(randomTensor([1, 6, 6, 1], 1), { top: 2 })
  const [named] = await createPredictor(model).classify(randomTensor([1, 6, 6, 1], 1), { top: 2 })
  expect(classes).toEqual(named)
  expect(['cat', 'dog', 'fish']).toContain(classes![0]!.name)
})
