import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type Data,
  dense,
  focal,
  huber,
  input,
  type LossName,
  loadModel,
  mixup,
  type NamedLoss,
  network,
  sequential,
  sgd,
  sigmoidCrossEntropy,
  sliceDataset,
  softmaxCrossEntropy,
  tensor,
  weightsSha256,
} from '../../lib/index'
import * as ops from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, runtimes } from '../support/models'

const x = randomTensor([12, 3], 1)
const numbers = Int32Array.from({ length: 12 }, (_, i) => i % 3)
const y = { shape: [12] as const, data: numbers }
const sampleWeight = Float32Array.from({ length: 12 }, (_, i) => (i % 4) / 2)
const optimizer = sgd({ learningRate: 0.5 })
type AnyLoss = LossName | NamedLoss | ((p: never, t: never) => never)

const model = (loss: AnyLoss, runtime?: 'native' | 'reference') =>
  sequential({ input: [3], seed: 1, ...(runtime && { runtime }) }, dense(3)).compile({
    optimizer,
    loss: loss as LossName,
    metrics: ['accuracy'],
  })

/** −log softmax of each row's label. */
async function losses(): Promise<number[]> {
  const { data } = await model('softmaxCrossEntropy').predict(x)
  return Array.from(numbers, (label, row) => {
    const logits = [...data.subarray(3 * row, 3 * row + 3)]
    return Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0)) - logits[label]!
  })
}
const weighed = (values: readonly number[], weights: ArrayLike<number>) =>
  values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / Array.from(weights).reduce((sum, weight) => sum + weight, 0)

describe.each(runtimes)('weights (%s)', (runtime) => {
  test('the loss is the weighted mean over all samples, whatever the batches', async () => {
    const each = await losses()
    const expected = weighed(each, sampleWeight)
    for (const batchSize of [1, 5, 12]) {
      const result = await model('softmaxCrossEntropy', runtime).evaluate({ x, y, sampleWeight }, { batchSize })
      expect(result.loss).toBeCloseTo(expected, 5)
    }
    const plain = await model('softmaxCrossEntropy', runtime).evaluate({ x, y })
    const { loss, accuracy } = await model('softmaxCrossEntropy', runtime).trainOnBatch(x, y, { sampleWeight: tensor(sampleWeight, [12]) })
    expect(loss).toBeCloseTo(expected, 5)
    expect(accuracy).toBe(plain.accuracy)
  })

  test('class weights and an ignored label of the loss', async () => {
    const each = await losses()
    const classWeights = [1, 4, 0.5]
    const own = Array.from(numbers, (label) => classWeights[label]!)
    const result = await model(softmaxCrossEntropy({ classWeights }), runtime).evaluate({ x, y }, { batchSize: 5 })
    expect(result.loss).toBeCloseTo(weighed(each, own), 5)
    const labels = Int32Array.from(numbers, (label, row) => (row % 2 ? -100 : label))
    const others = await model(softmaxCrossEntropy({ ignoreLabel: -100 }), runtime).evaluate({ x, y: { shape: [12], data: labels } })
    const even = Array.from(labels, (label) => Number(label >= 0))
    expect(others.loss).toBeCloseTo(weighed(each, even), 5)
    const plain = await model('softmaxCrossEntropy', runtime).evaluate({
      x: { shape: [6, 3], data: x.data.filter((_, i) => Math.floor(i / 3) % 2 === 0) },
      y: { shape: [6], data: numbers.filter((_, row) => row % 2 === 0) },
    })
    expect(others.accuracy).toBe(plain.accuracy)
    const none = { shape: [12], data: new Int32Array(12).fill(-100) } as const
    expect((await model(softmaxCrossEntropy({ ignoreLabel: -100 }), runtime).evaluate({ x, y: none })).loss).toBe(0)
  })

  test('classWeight of fit weighs training alone, and is a factor of sample weights', async () => {
    const each = await losses()
    const frozen = sgd({ learningRate: 1e-9 })
    const epochOf = async (data: Data, classWeight: readonly number[] | Record<number, number>) => {
      const own = model('softmaxCrossEntropy', runtime).compile({ optimizer: frozen, loss: 'softmaxCrossEntropy' })
      const { epochs } = await own.fit(data, { classWeight, batchSize: 5, validationData: data })
      return epochs[0]!
    }
    const byClass = Array.from(numbers, (label) => [1, 3, 1][label]!)
    const event = await epochOf({ x, y }, { 1: 3 })
    expect(event.loss).toBeCloseTo(weighed(each, byClass), 5)
    expect(event.validation!.loss).toBeCloseTo(each.reduce((a, b) => a + b) / 12, 5)
    const both = await epochOf({ x, y, sampleWeight: [...sampleWeight] }, [1, 3, 1])
    const product = byClass.map((weight, row) => weight * sampleWeight[row]!)
    expect(both.loss).toBeCloseTo(weighed(each, product), 5)
    expect(both.validation!.loss).toBeCloseTo(weighed(each, sampleWeight), 5)
    const oneHot = { shape: [12, 3], data: Float32Array.from({ length: 36 }, (_, i) => Number(numbers[Math.floor(i / 3)] === i % 3)) }
    expect((await epochOf({ x, y: oneHot }, { 1: 3 })).loss).toBeCloseTo(event.loss, 5)
  })

  test('a weight of 2 is a sample twice, a weight of 0 none, to the weights after training', async () => {
    const rows = [0, 1, 1, 3]
    const twice = (width: number, data: Float32Array | Int32Array) =>
      rows.flatMap((row) => [...data.subarray(row * width, (row + 1) * width)])
    const trained = async (data: Data) => {
      const own = model('softmaxCrossEntropy', runtime)
      await own.fit(data, { batchSize: 4, shuffle: false })
      return Object.values(await own.getWeights()).flatMap(({ data: values }) => [...values])
    }
    const repeated = { x: tensor(twice(3, x.data), [4, 3]), y: { shape: [4] as const, data: Int32Array.from(twice(1, numbers)) } }
    const first = { x: tensor(x.data.slice(0, 12), [4, 3]), y: { shape: [4] as const, data: numbers.slice(0, 4) } }
    const a = await trained(repeated)
    const b = await trained({ ...first, sampleWeight: [1, 2, 0, 1] })
    a.forEach((value, i) => {
      expect(b[i]).toBeCloseTo(value, 5)
    })
  })
})

test.each([
  'meanSquaredError',
  'meanAbsoluteError',
  'quadratic',
  'sigmoidCrossEntropy',
  'hinge',
  'categoricalHinge',
  'focal',
  sigmoidCrossEntropy({ positiveWeight: [1, 2, 3], labelSmoothing: 0.1 }),
  huber({ delta: 0.3 }),
  focal({ gamma: 1 }),
] as const)('%j: weights 0 and 1 leave samples out, natively as in the reference', async (loss) => {
  const oneHot = { shape: [12, 3], data: Float32Array.from({ length: 36 }, (_, i) => Number(numbers[Math.floor(i / 3)] === i % 3)) }
  const sevenRows = { x: tensor(x.data.slice(0, 21), [7, 3]), y: tensor(oneHot.data.slice(0, 21), [7, 3]) }
  const weights = Float32Array.from({ length: 12 }, (_, i) => Number(i < 7))
  const results = []
  for (const runtime of runtimes) {
    results.push(await model(loss, runtime).evaluate({ x, y: oneHot, sampleWeight: weights }, { batchSize: 5 }))
    results.push(await model(loss, runtime).evaluate(sevenRows))
  }
  for (const { loss: value } of results) expect(value).toBeCloseTo(results[0]!.loss, 5)
})

test('losses of class numbers are those of one-hot rows; of one output, of 0 and 1', async () => {
  const oneHot = { shape: [12, 3], data: Float32Array.from({ length: 36 }, (_, i) => Number(numbers[Math.floor(i / 3)] === i % 3)) }
  for (const loss of ['quadratic', 'sigmoidCrossEntropy', 'focal', 'categoricalHinge'] as const) {
    const [a, b] = [await model(loss).evaluate({ x, y }), await model(loss).evaluate({ x, y: oneHot })]
    expect(a.loss, loss).toBe(b.loss)
  }
  const signs = { shape: [12, 3], data: oneHot.data.map((value) => 2 * value - 1) }
  expect((await model('hinge').evaluate({ x, y })).loss).toBe((await model('hinge').evaluate({ x, y: signs })).loss)
  const yes = { shape: [12] as const, data: numbers.map((label) => Number(label > 0)) }
  for (const loss of ['quadratic', 'sigmoidCrossEntropy', 'focal', 'hinge'] as const) {
    const single = sequential({ input: [3], seed: 1 }, dense(1)).compile({ optimizer, loss })
    const data = Float32Array.from(yes.data, (value) => (loss === 'hinge' ? 2 * value - 1 : value))
    expect((await single.evaluate({ x, y: yes })).loss).toBe((await single.evaluate({ x, y: { shape: [12, 1], data } })).loss)
  }
})

test('a loss of one number for each sample is weighed; one number alone cannot be', async () => {
  const own = (p: never, t: never) => ops.mean(ops.abs(ops.sub(p, t)), { axes: 1 })
  const values = randomTensor([12, 3], 2)
  const data = { x, y: values, sampleWeight }
  const mine = sequential({ input: [3], seed: 1 }, dense(3)).compile({ optimizer, loss: own as never })
  const named = sequential({ input: [3], seed: 1 }, dense(3)).compile({ optimizer, loss: 'meanAbsoluteError' })
  expect((await mine.evaluate(data)).loss).toBeCloseTo((await named.evaluate(data)).loss, 6)
  expect((await mine.evaluate({ x, y: values })).loss).toBeCloseTo((await named.evaluate({ x, y: values })).loss, 6)
  const scalar = ((p: never, t: never) => ops.meanSquaredError(p, t).loss) as never
  const one = sequential({ input: [3], seed: 1 }, dense(3)).compile({ optimizer, loss: scalar })
  await expectError(() => one.fit(data), 'INVALID_ARGUMENT', 'a loss for each sample, shape [N], so that they can be weighed')
})

test('several outputs have weights each, and the total is the sum of their weighted means', async () => {
  const node = input([3])
  const both = network({
    inputs: node,
    outputs: [dense(3, { name: 'a' }).apply(node), dense(2, { name: 'b' }).apply(node)],
    seed: 1,
  })
  both.compile({ optimizer, loss: ['softmaxCrossEntropy', 'meanSquaredError'], lossWeights: [1, 0.5] })
  const values = randomTensor([12, 2], 4)
  const run = (sampleWeights: object | undefined, batchSize = 5) =>
    both.evaluate({ x, y: { a: y, b: values }, ...(sampleWeights && { sampleWeight: sampleWeights as never }) }, { batchSize })
  const plain = await run(undefined)
  const onlyA = await run({ a: sampleWeight })
  expect(onlyA['b/loss']).toBeCloseTo(plain['b/loss']!, 6)
  expect(onlyA['a/loss']).not.toBeCloseTo(plain['a/loss']!, 3)
  expect(onlyA.loss).toBeCloseTo(onlyA['a/loss']! + 0.5 * onlyA['b/loss']!, 5)
  const [all, inOrder] = [await run(sampleWeight), await run([sampleWeight, sampleWeight], 12)]
  expect(all.loss).toBeCloseTo(inOrder.loss, 5)
  expect(all['a/loss']).toBeCloseTo(onlyA['a/loss']!, 5)
})

test('weights in a stream, and batches without some', async () => {
  const part = (start: number, end: number, weights: boolean) => ({
    x: tensor(x.data.slice(3 * start, 3 * end), [end - start, 3]),
    y: { shape: [end - start] as const, data: numbers.slice(start, end) },
    ...(weights && { sampleWeight: sampleWeight.slice(start, end) }),
  })
  async function* stream() {
    yield part(0, 5, true)
    yield part(5, 12, false)
  }
  const weights = Float32Array.from(sampleWeight, (weight, row) => (row < 5 ? weight : 1))
  const [streamed, whole] = [
    await model('softmaxCrossEntropy').evaluate(stream()),
    await model('softmaxCrossEntropy').evaluate({ x, y, sampleWeight: weights }),
  ]
  expect(streamed.loss).toBeCloseTo(whole.loss, 6)
  const sliced = sliceDataset({ x, y, sampleWeight, length: 12 }, 3, 9)
  expect(sliced.sampleWeight).toEqual(sampleWeight.slice(3, 9))
})

test('options are saved with the model, and a checkpoint goes on bit for bit', async () => {
  const folder = temporaryFolder()
  const loss = softmaxCrossEntropy({ labelSmoothing: 0.1, classWeights: [1, 4, 0.5], ignoreLabel: 9 })
  const data = { x, y, sampleWeight }
  const first = model(loss)
  await first.save(join(folder, 'm'))
  const loaded = await loadModel(join(folder, 'm'))
  expect(await loaded.evaluate(data)).toEqual(await first.evaluate(data))

  const options = { epochs: 3, batchSize: 5, classWeight: { 2: 3 } }
  const whole = model(loss)
  const history = await whole.fit(data, options)
  const [stopping, controller] = [model(loss), new AbortController()]
  const checkpoint = { file: join(folder, 'c') }
  let steps = 0
  const onStep = () => void (++steps === 5 && controller.abort())
  await stopping.fit(data, { ...options, checkpoint, signal: controller.signal, onStep })
  const resumed = model(loss)
  const { epochs } = await resumed.fit(data, { ...options, resume: checkpoint.file })
  expect(weightsSha256(await resumed.getWeights())).toBe(weightsSha256(await whole.getWeights()))
  expect(epochs.map((event) => event.loss)).toEqual(history.epochs.map((event) => event.loss))
  const other = model(softmaxCrossEntropy({ labelSmoothing: 0.2 }))
  await expectError(() => other.fit(data, { ...options, resume: checkpoint.file }), 'INVALID_ARGUMENT', 'its run had losses [{')
  await expectError(
    () => model(loss).fit(data, { ...options, classWeight: { 2: 4 }, resume: checkpoint.file }),
    'INVALID_ARGUMENT',
    'its run had classWeight [1,1,3], this one has [1,1,4]',
  )
})

test('what makes no sense', async () => {
  const plain = model('softmaxCrossEntropy')
  const bad = (weights: unknown) => () => plain.fit({ x, y, sampleWeight: weights as never })
  await expectError(bad([1, 2]), 'INVALID_ARGUMENT', 'fit: sampleWeight must be 12 numbers, one for each sample')
  await expectError(bad(sampleWeight.map((w) => -w)), 'INVALID_ARGUMENT', 'fit: sampleWeight at 1 must be a finite number of at least 0')
  await expectError(bad('all'), 'INVALID_ARGUMENT', 'fit: sampleWeight must be numbers, one for each sample')
  await expectError(bad({ b: sampleWeight }), 'INVALID_ARGUMENT', 'fit: sampleWeight must be numbers')
  const classes = (classWeight: unknown) => () => plain.fit({ x, y }, { classWeight: classWeight as never })
  await expectError(classes([1, 2]), 'INVALID_ARGUMENT', 'fit: classWeight must be 3 numbers, one for each class')
  await expectError(classes({ 3: 1 }), 'INVALID_ARGUMENT', 'fit: classWeight must be numbers by class, 0 to 2')
  await expectError(classes({ ' 1': 1 }), 'INVALID_ARGUMENT', 'fit: classWeight must be numbers by class, 0 to 2, received " 1"')
  await expectError(classes(new Map([[1, 5]])), 'INVALID_ARGUMENT', 'or an object of numbers by class, received Map')
  await expectError(classes(Float32Array.of(1, 2)), 'INVALID_ARGUMENT', 'fit: classWeight must be 3 numbers, one for each class')
  await expectError(classes({ 1: -1 }), 'INVALID_ARGUMENT', 'fit: classWeight[1] must be a finite number of at least 0')
  await expectError(() => softmaxCrossEntropy({ labelSmoothing: 2 }), 'INVALID_ARGUMENT', 'softmaxCrossEntropy: labelSmoothing must be')
  await expectError(() => softmaxCrossEntropy({ smoothing: 2 } as never), 'INVALID_ARGUMENT', 'unknown option "smoothing"')
  await expectError(() => sigmoidCrossEntropy({ positiveWeight: -1 }), 'INVALID_ARGUMENT', 'sigmoidCrossEntropy: positiveWeight')
  await expectError(() => huber({ delta: 0 }), 'INVALID_ARGUMENT', 'huber: delta')
  await expectError(
    () => model(softmaxCrossEntropy({ classWeights: [1, 2] })),
    'INVALID_SHAPE',
    'classWeights must be 3 numbers, one for each class, received 2',
  )
})

test.each(runtimes)('a number that is not finite is found with weights, too, and changes nothing (%s)', async (runtime) => {
  const broken = { shape: [12, 3], data: x.data.map((value, i) => (i === 4 ? Number.NaN : value)) }
  const own = model(softmaxCrossEntropy({ classWeights: [1, 2, 3] }), runtime)
  const before = weightsSha256(await own.getWeights())
  await expectError(
    () => own.fit({ x: broken, y, sampleWeight: new Array(12).fill(1) }, { batchSize: 12 }),
    'NOT_FINITE',
    'first in the input',
  )
  expect(weightsSha256(await own.getWeights())).toBe(before)
})

test('mixup mixes weights as it mixes labels', async () => {
  const own = () => model('softmaxCrossEntropy').compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
  const augment = [mixup({ alpha: 0.4 })]
  const [plain, same, other] = await Promise.all(
    [undefined, new Array<number>(12).fill(1), [...sampleWeight]].map(async (weights) => {
      const { epochs } = await own().fit({ x, y, ...(weights && { sampleWeight: weights }) }, { augment, batchSize: 6 })
      return epochs[0]!.loss
    }),
  )
  expect(same).toBeCloseTo(plain!, 5)
  expect(other).not.toBeCloseTo(plain!, 3)
  const ignoring = model(softmaxCrossEntropy({ ignoreLabel: 9 }))
  await expectError(() => ignoring.fit({ x, y }, { augment }), 'INVALID_ARGUMENT', 'mixup takes labels that can be mixed')
})
