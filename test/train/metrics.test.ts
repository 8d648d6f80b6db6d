import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  binaryAccuracy,
  type CompileOptions,
  classReport,
  dense,
  f1,
  flatten,
  input,
  type Loss,
  loadModel,
  type Metric,
  type MetricName,
  type NamedMetric,
  network,
  precision,
  recall,
  sequential,
  sgd,
  softmaxCrossEntropy,
  topK,
  topKAccuracy,
} from '../../lib/index'
import * as ops from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, runtimes } from '../support/models'

const x = randomTensor([40, 3], 1)
const y = { shape: [40] as const, data: Int32Array.from({ length: 40 }, (_, i) => (i * 7) % 4) }
const optimizer = sgd({ learningRate: 0.1 })
const all = [
  'accuracy',
  topK(2),
  'precision',
  'recall',
  'f1',
  'confusionMatrix',
  precision({ average: 'micro' }),
  recall({ class: 3 }),
] as const

const classifier = (metrics: readonly (MetricName | NamedMetric | Metric)[], runtime?: 'native' | 'reference') =>
  sequential({ input: [3], seed: 1, ...(runtime && { runtime }) }, dense(4)).compile({ optimizer, loss: 'softmaxCrossEntropy', metrics })

test.each(runtimes)('metrics of classes are what classReport says (%s)', async (runtime) => {
  const model = classifier(all, runtime)
  const predictions = await model.predict(x)
  const report = classReport(predictions, y)
  const result = await model.evaluate({ x, y }, { batchSize: 7 })
  expect(result.accuracy).toBe(report.accuracy)
  expect(result.top2).toBe(topKAccuracy(predictions, y, 2))
  expect(result.precision).toBe(report.macro.precision)
  expect(result.recall).toBe(report.macro.recall)
  expect(result.f1).toBe(report.macro.f1)
  expect(result['precision/micro']).toBe(report.accuracy)
  expect(result['recall/3']).toBe(report.classes[3]!.recall)
  expect(result.confusionMatrix).toEqual(report.confusion)
  expect(result.perClass).toEqual(report.classes)
  expect(Object.keys(result)).toEqual([
    'loss',
    'accuracy',
    'top2',
    'precision',
    'recall',
    'f1',
    'precision/micro',
    'recall/3',
    'perClass',
    'confusionMatrix',
  ])
  const small = await classifier(['f1'], runtime).evaluate({ x, y }, { batchSize: 7 })
  expect(small.f1).toBe(report.macro.f1)
  expect(small.perClass).toEqual(report.classes)
  expect(small.confusionMatrix).toBeUndefined()
})

test.each(runtimes)(
  'NaN among predictions: the largest, and above no threshold, for everything that counts classes (%s)',
  async (runtime) => {
    const rows = [[Number.NaN, 1, 2, 3], [0, Number.NaN, 2, 3], [0, 1, Number.NaN, Number.NaN], new Array<number>(4).fill(Number.NaN)]
    const samples = { shape: [4, 4] as const, data: Float32Array.from(rows.flat()) }
    const labels = { shape: [4] as const, data: Int32Array.of(0, 3, 3, 1) }
    const model = sequential({ input: [4], runtime }, flatten()).compile({ optimizer, loss: 'softmaxCrossEntropy' })
    const report = classReport(await model.predict(samples), labels)
    expect(report.confusion).toEqual([
      [1, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 1, 1, 0],
    ])
    const result = await model.evaluate({ x: samples, y: labels }, { metrics: ['accuracy', topK(2), topK(3), 'confusionMatrix'] })
    expect([result.accuracy, result.top2, result.top3]).toEqual([0.25, 1, 1])
    expect([1, 2, 3].map((k) => topKAccuracy(samples, labels, k))).toEqual([0.25, 1, 1])
    expect(result.confusionMatrix).toEqual(report.confusion)
    const yes = { shape: [4, 4] as const, data: new Float32Array(16).fill(1) }
    expect(await model.evaluate({ x: samples, y: yes }, { metrics: [binaryAccuracy({ threshold: 0 })] })).toMatchObject({
      binaryAccuracy: 6 / 16,
    })
  },
)

test('they are there during fit, on validation data, and of a batch; and print as tables', async () => {
  const model = classifier(['accuracy', 'f1', 'confusionMatrix'])
  const seen: number[] = []
  const { epochs } = await model.fit(
    { x, y },
    { batchSize: 16, validationData: { x, y }, epochs: 2, onStep: ({ metrics }) => void seen.push(metrics.f1!) },
  )
  const { confusionMatrix, perClass, validation, metrics } = epochs[1]!
  const count = (matrix: readonly (readonly number[])[]) => matrix.flat().reduce((sum, value) => sum + value, 0)
  expect(count(confusionMatrix!)).toBe(40)
  expect(perClass!.map(({ support }) => support)).toEqual([10, 10, 10, 10])
  expect(seen.at(-1)).toBe(metrics.f1)
  expect(count(validation!.confusionMatrix!)).toBe(40)
  const { confusionMatrix: ofBatch } = await model.trainOnBatch(x, y)
  expect(count(ofBatch!)).toBe(40)
  expect(inspect(confusionMatrix)).toMatch(/^is \\ taken for {2}0/)
  expect(inspect(perClass)).toContain('precision  recall')
  expect(inspect(classReport(await model.predict(x), y))).toContain('macro mean')
})

test('a checkpoint in the middle of an epoch goes on with the counts', async () => {
  const file = join(temporaryFolder(), 'c')
  const make = () => classifier(['f1', 'confusionMatrix'])
  const whole = await make().fit({ x, y }, { batchSize: 7, epochs: 3 })
  const controller = new AbortController()
  let steps = 0
  const onStep = () => void (++steps === 8 && controller.abort())
  await make().fit({ x, y }, { batchSize: 7, epochs: 3, checkpoint: { file }, signal: controller.signal, onStep })
  const { epochs } = await make().fit({ x, y }, { batchSize: 7, epochs: 3, resume: file })
  const lasting = ({ loss, metrics, perClass, confusionMatrix }: (typeof epochs)[number]) => ({ loss, metrics, perClass, confusionMatrix })
  expect(epochs.map(lasting)).toEqual(whole.epochs.map(lasting))
  expect(inspect(epochs[0]!.confusionMatrix)).toBe(inspect(whole.epochs[0]!.confusionMatrix))
})

test('one output: two classes, divided where its probability is ½', async () => {
  const labels = { shape: [40] as const, data: y.data.map((label) => Number(label > 1)) }
  const results = []
  for (const activation of ['linear', 'sigmoid'] as const) {
    const model = sequential({ input: [3], seed: 2 }, dense(1, { activation })).compile({
      optimizer,
      loss: 'sigmoidCrossEntropy',
      metrics: ['accuracy', 'binaryAccuracy', 'precision', recall({ average: 'macro' }), 'confusionMatrix'],
    })
    results.push(await model.evaluate({ x, y: labels }, { batchSize: 9 }))
  }
  expect(results[0]).toEqual(results[1])
  const { accuracy, binaryAccuracy: binary, precision: ofYes, recall: mean, perClass, confusionMatrix } = results[0]!
  expect(binary).toBe(accuracy)
  expect(ofYes).toBe(perClass![1]!.precision)
  expect(mean).toBe((perClass![0]!.recall + perClass![1]!.recall) / 2)
  expect((confusionMatrix![0]![0]! + confusionMatrix![1]![1]!) / 40).toBe(accuracy)
})

test('outputs that are questions of their own', async () => {
  const answers = { shape: [40, 2], data: Float32Array.from({ length: 80 }, (_, i) => Number((i * 5) % 3 === 0)) }
  const model = sequential({ input: [3], seed: 2 }, dense(2)).compile({
    optimizer,
    loss: 'sigmoidCrossEntropy',
    metrics: ['binaryAccuracy', precision({ multiLabel: true }), f1({ multiLabel: true, average: 'micro' }), binaryThreshold()],
  })
  const { data } = await model.predict(x)
  const result = await model.evaluate({ x, y: answers }, { batchSize: 9 })
  const tally = [0, 1].map((k) => {
    const rows = Array.from({ length: 40 }, (_, row) => ({ is: answers.data[2 * row + k]! === 1, taken: data[2 * row + k]! > 0 }))
    return {
      support: rows.filter(({ is }) => is).length,
      taken: rows.filter(({ taken }) => taken).length,
      hits: rows.filter(({ is, taken }) => is && taken).length,
    }
  })
  const right = Array.from(data, (z, i) => Number(z > 0 === (answers.data[i] === 1))).reduce((a, b) => a + b)
  expect(result.binaryAccuracy).toBe(right / 80)
  expect(result.precision).toBe(tally.reduce((sum, { hits, taken }) => sum + (taken === 0 ? 0 : hits / taken), 0) / 2)
  const [hits, both] = [tally[0]!.hits + tally[1]!.hits, tally.reduce((sum, { support, taken }) => sum + support + taken, 0)]
  expect(result['f1/micro']).toBe((2 * hits) / both)
  expect(result.perClass!.map(({ support }) => support)).toEqual(tally.map(({ support }) => support))

  function binaryThreshold(): Metric {
    return { name: 'mine', compute: binaryMean }
  }
})
const binaryMean: Metric['compute'] = (predictions) => ops.mean(predictions)

test('ignored labels are left out', async () => {
  const labels = { shape: [40] as const, data: y.data.map((label, row) => (row % 2 ? 255 : label)) }
  const model = sequential({ input: [3], seed: 1 }, dense(4)).compile({
    optimizer,
    loss: softmaxCrossEntropy({ ignoreLabel: 255 }),
    metrics: ['accuracy', topK(2), 'confusionMatrix', 'recall'],
  })
  const result = await model.evaluate({ x, y: labels }, { batchSize: 7 })
  const [even, own] = [x.data.filter((_, i) => Math.floor(i / 3) % 2 === 0), y.data.filter((_, row) => row % 2 === 0)]
  const plain = await classifier(['accuracy', topK(2), 'confusionMatrix', 'recall']).evaluate({
    x: { shape: [20, 3], data: even },
    y: { shape: [20], data: own },
  })
  expect({ ...result, loss: 0 }).toEqual({ ...plain, loss: 0 })
  expect(result.loss).toBeCloseTo(plain.loss, 6)
})

test('several outputs have them each', async () => {
  const node = input([3])
  const ends = { inputs: node, outputs: [dense(4, { name: 'a' }).apply(node), dense(2, { name: 'b' }).apply(node)], seed: 1 }
  const model = network(ends).compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['f1', 'confusionMatrix'] })
  const yes = { shape: [40] as const, data: y.data.map((label) => Number(label > 1)) }
  const result = await model.evaluate({ x, y: [y, yes] })
  expect(Object.keys(result)).toEqual(['loss', 'a/loss', 'a/f1', 'b/loss', 'b/f1', 'outputs'])
  expect(result.outputs!.a!.confusionMatrix).toHaveLength(4)
  expect(result.outputs!.b!.perClass).toHaveLength(2)
})

test("classes are counted beside a loss of one's own, on what it takes: distributions, or class numbers", async () => {
  const oneHot = { shape: [40, 4], data: Float32Array.from({ length: 160 }, (_, k) => Number(y.data[k >> 2] === k % 4)) }
  const own = (loss: Loss) => sequential({ input: [3], seed: 1 }, dense(4)).compile({ optimizer, loss, metrics: ['accuracy'] })
  const onDistributions = own((predictions, targets) => ops.meanSquaredError(predictions, targets).loss)
  expect((await onDistributions.profile()).mode).toBe('train')
  const onNumbers = own((predictions, targets) => ops.meanSquaredError(predictions, ops.oneHot(targets, 4)).loss)
  const fitted = [await onDistributions.fit({ x, y: oneHot }, { seed: 1 }), await onNumbers.fit({ x, y }, { seed: 1 })]
  expect(fitted[0]!.epochs[0]!.metrics).toEqual(fitted[1]!.epochs[0]!.metrics)
  const { accuracy } = await onDistributions.evaluate({ x, y: oneHot })
  expect(accuracy).toBe(topKAccuracy(await onDistributions.predict(x), y, 1))
  expect(await onNumbers.evaluate({ x, y })).toEqual(await onDistributions.evaluate({ x, y: oneHot }))
  await expectError(() => onDistributions.fit({ x, y }), 'INVALID_DTYPE', 'meanSquaredError: targets must be float32, received int32')
  await expectError(() => own((predictions) => predictions), 'INVALID_SHAPE', 'compile: the loss of "dense" must be one number')
})

describe('outputs with metrics of their own', () => {
  const node = input([3])
  const ends = { inputs: node, outputs: [dense(4, { name: 'kind' }).apply(node), dense(1, { name: 'price' }).apply(node)], seed: 1 }
  const loss = { kind: 'softmaxCrossEntropy', price: 'meanSquaredError' } as const
  const data = { x, y: { kind: y, price: { shape: [40, 1], data: Float32Array.from(y.data) } } }
  const compiled = (metrics: CompileOptions['metrics']) => network(ends).compile({ optimizer, loss, ...(metrics && { metrics }) })
  const near: Metric = { name: 'near', compute: (p, t) => ops.mean(ops.less(ops.abs(ops.sub(p, t)), 1)) }

  test('by name, those that are left out having none', async () => {
    const model = compiled({ kind: ['accuracy', topK(3)] })
    const names = ['kind/loss', 'kind/accuracy', 'kind/top3', 'price/loss']
    expect(Object.keys((await model.fit(data)).epochs[0]!.metrics)).toEqual(names)
    const result = await model.evaluate(data, { metrics: { kind: ['accuracy'], price: [near] } })
    expect(Object.keys(result)).toEqual(['loss', 'kind/loss', 'kind/accuracy', 'price/loss', 'price/near'])
    const [scores] = await model.predict(x)
    expect(result['kind/accuracy']).toBe(topKAccuracy(scores, y, 1))
  })

  test('are saved', async () => {
    const file = join(temporaryFolder(), 'm')
    const model = compiled({ kind: ['accuracy', topK(2)], price: 'binaryAccuracy' })
    await model.save(file)
    expect(await (await loadModel(file)).evaluate(data)).toEqual(await model.evaluate(data))
  })

  test('what makes no sense', async () => {
    const refuses = (metrics: unknown, message: string) => expectError(() => compiled(metrics as never), 'INVALID_ARGUMENT', message)
    await refuses([topK(2)], 'compile: k of top2 must be at most 1')
    await refuses({ sort: ['accuracy'] }, 'compile: metrics: unknown option "sort", the options are kind, price')
    await refuses({ kind: 'top5' }, 'compile: metrics must be')
    await refuses({ kind: undefined }, 'compile: metrics must be')
    await refuses({ kind: ['f1', f1()] }, 'compile: two metrics of "kind" are named "f1"')
    await refuses('accuracy', 'compile: metrics must be an array, or an object by the names of outputs')
  })
})

test('they are saved with the model', async () => {
  const file = join(temporaryFolder(), 'm')
  const model = classifier([...all, binaryAccuracy({ threshold: 0.25 })].slice(0, -1))
  await model.save(file)
  const loaded = await loadModel(file)
  expect(await loaded.evaluate({ x, y })).toEqual(await model.evaluate({ x, y }))
})

test('a monitor takes their numbers', async () => {
  const model = classifier(['f1', 'confusionMatrix'])
  const options = { epochs: 3, validationData: { x, y } }
  await model.fit({ x, y }, { ...options, earlyStopping: { monitor: 'validation/f1', patience: 1 } })
  await expectError(
    () => model.fit({ x, y }, { ...options, earlyStopping: { monitor: 'validation/confusionMatrix' } }),
    'INVALID_ARGUMENT',
    'there are loss, f1, validation/loss, validation/f1',
  )
})

test('what makes no sense', async () => {
  await expectError(() => topK(0), 'INVALID_ARGUMENT', 'topK: k must be a positive integer')
  await expectError(() => classifier([topK(5)]), 'INVALID_ARGUMENT', 'compile: k of top5 must be at most 4')
  await expectError(() => classifier([f1({ class: 4 })]), 'INVALID_ARGUMENT', 'compile: class of f1 must be below 4, received 4')
  await expectError(
    () => precision({ average: 'mean' as never }),
    'INVALID_ARGUMENT',
    "precision: average must be 'macro', 'micro', 'weighted'",
  )
  await expectError(() => precision({ average: 'micro', class: 1 }), 'INVALID_ARGUMENT', 'precision: average must be left out')
  await expectError(() => classifier(['f1', f1()]), 'INVALID_ARGUMENT', 'two metrics are named "f1"')
  await expectError(() => classifier([{ name: 'perClass', compute: (p) => p }]), 'INVALID_ARGUMENT', 'compile: metrics must be')
})

test.each(runtimes)('scores of the hinge loss are divided at 0, unless a threshold says otherwise (%s)', async (runtime) => {
  const scores = { shape: [5, 1], data: Float32Array.of(-2, -0.25, 0.25, 0.4, 3) }
  const classes = { shape: [5] as const, data: Int32Array.of(0, 0, 1, 1, 0) }
  const model = sequential({ input: [1], runtime }, dense(1))
  await model.setWeights({ 'dense/kernel': { shape: [1, 1], data: Float32Array.of(1) } })
  const high = { threshold: 0.5 }
  model.compile({ optimizer, loss: 'hinge', metrics: ['accuracy', 'binaryAccuracy', 'precision', 'recall', 'confusionMatrix'] })
  const told = await model.evaluate({ x: scores, y: classes })
  expect(told).toMatchObject({ accuracy: 0.8, binaryAccuracy: 0.8, recall: 1 })
  expect(told.precision).toBeCloseTo(2 / 3, 12)
  expect(told.confusionMatrix).toEqual([
    [2, 1],
    [0, 2],
  ])
  const otherwise = await model.evaluate({ x: scores, y: classes }, { metrics: [binaryAccuracy(high), recall(high)] })
  expect(otherwise).toMatchObject({ binaryAccuracy: 0.4, recall: 0 })
})
