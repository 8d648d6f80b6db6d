import { expect, test } from 'vitest'
import { sgd } from '../../lib/index'
import { checkFacts, type RunFacts } from '../../lib/train/checkpoint'
import { Means } from '../../lib/train/means'
import { objectiveOf } from '../../lib/train/objective'
import { expectError } from '../support/models'

const { reports } = objectiveOf({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] }, [
  { name: 'out', shape: [3] } as never,
])
const run = (loss: number, correct: number, weight: number) => [loss, correct, weight].map((value) => Float32Array.of(value))

test('means are weighed by what losses were divided by; counts are sums', () => {
  const means = new Means(reports)
  means.add(run(2, 3, 4), 4)
  means.add(run(5, 1, 1), 2)
  expect([means.loss, means.metrics.accuracy]).toEqual([13 / 5, 4 / 6])
})

test('batches of no weight count nothing; of nothing else, the loss is 0', () => {
  const means = new Means(reports)
  means.add(run(0, 1, 0), 4)
  expect(means.loss).toBe(0)
  means.add(run(3, 1, 2), 4)
  expect(means.loss).toBe(3)
})

test('sums of a checkpoint without weights go on: each sample weighed 1', () => {
  const means = new Means(reports, { samples: 4, sums: [8, 3] })
  means.add(run(5, 1, 2), 2)
  expect([means.loss, means.metrics.accuracy, means.samples]).toEqual([3, 4 / 6, 6])
})

test('a checkpoint that does not tell its losses is taken up; one with others is not', async () => {
  const facts = { batchSize: 2, losses: [{ name: 'huber', options: {}, weight: 1 }], classWeight: null } as unknown as RunFacts
  const { losses: _, classWeight: __, ...before } = facts
  expect(() => checkFacts('f', before as RunFacts, facts)).not.toThrow()
  const weighed = { ...facts, classWeight: [1, 2] }
  await expectError(
    () => checkFacts('f', before as RunFacts, weighed),
    'INVALID_ARGUMENT',
    'its run had classWeight null, this one has [1,2]',
  )
  await expectError(() => checkFacts('f', { ...facts, losses: [] }, facts), 'INVALID_ARGUMENT', 'its run had losses []')
})
