import { expect, test } from 'vitest'
import { classReport, dense, digits, flatten, sequential, sgd, sliceDataset, tensor, topKAccuracy } from '../../lib/index'
import { expectError } from '../support/models'

const predictions = tensor([0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.5, 0.5, 0, 0.2, 0.3, 0.5, 0.6, 0.3, 0.1], [5, 3])
const labels = { shape: [5] as const, data: Int32Array.of(0, 1, 1, 0, 0) }

test('confusion matrix, precision, recall and F1 of each class, by hand', () => {
  const { accuracy, confusion, classes, macro } = classReport(predictions, labels)
  expect(confusion).toEqual([
    [2, 0, 1],
    [1, 1, 0],
    [0, 0, 0],
  ])
  expect(accuracy).toBe(0.6)
  expect(classes).toEqual([
    { support: 3, precision: 2 / 3, recall: 2 / 3, f1: 2 / 3 },
    { support: 2, precision: 1, recall: 0.5, f1: 2 / 3 },
    { support: 0, precision: 0, recall: 0, f1: 0 },
  ])
  expect(macro.precision).toBeCloseTo(5 / 9, 12)
  expect(macro.recall).toBeCloseTo(7 / 18, 12)
  expect(macro.f1).toBeCloseTo(4 / 9, 12)
})

test('top-k accuracy: ties go to the lower class, NaN is the largest', () => {
  expect([1, 2, 3].map((k) => topKAccuracy(predictions, labels, k))).toEqual([0.6, 0.8, 1])
  const odd = tensor([Number.NaN, 1, 2, Number.NaN, 1, 2], [2, 3])
  expect([1, 2, 3].map((k) => topKAccuracy(odd, { shape: [2], data: Uint8Array.of(0, 1) }, k))).toEqual([0.5, 0.5, 1])
})

test('agrees with what evaluate measures', async () => {
  const { train } = await digits()
  const few = sliceDataset(train, 0, 200)
  const model = sequential({ input: [8, 8, 1], seed: 1 }, flatten(), dense(10)).compile({
    optimizer: sgd({ learningRate: 0.1 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
  await model.fit(few, { epochs: 2 })
  const { accuracy } = await model.evaluate(few)
  const guessed = await model.predict(few.x as never)
  const numbers = few.y as typeof labels
  expect(classReport(guessed, numbers).accuracy).toBeCloseTo(accuracy!, 9)
  expect(topKAccuracy(guessed, numbers, 1)).toBeCloseTo(accuracy!, 9)
  expect(topKAccuracy(guessed, numbers, 10)).toBe(1)
})

test('what does not fit', async () => {
  const refused = (p: unknown, l: unknown, code: 'INVALID_SHAPE' | 'INVALID_LABEL', message: string) =>
    expectError(() => classReport(p as never, l as never), code, message)
  await refused(
    tensor([1, 2], [2, 1]),
    labels,
    'INVALID_SHAPE',
    'classReport: predictions must have shape [N, K] with K at least 2, received [2, 1]',
  )
  await refused(
    predictions,
    { shape: [2], data: Int32Array.of(0, 1) },
    'INVALID_SHAPE',
    'classReport: labels must have shape [5], received [2]',
  )
  await refused(
    predictions,
    { shape: [5], data: Int32Array.of(0, 1, 2, 3, 0) },
    'INVALID_LABEL',
    'classReport: labels must be from 0 to 2, received 3 at index 3',
  )
  await expectError(
    () => topKAccuracy(predictions, labels, 4),
    'INVALID_ARGUMENT',
    'topKAccuracy: k must be an integer from 1 to 3, received 4',
  )
})
