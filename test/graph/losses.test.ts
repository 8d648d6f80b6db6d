import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkGradients } from '../../lib/graph/checkGradients'
import { dense, type LossName, loadModel, sequential, sgd, tensor, weightsSha256 } from '../../lib/index'
import * as ops from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, runtimes } from '../support/models'

const p = tensor([2, -1, 0, 0.5], [2, 2])
const t = tensor([1, 0, 1, 0], [2, 2])
const softplus = (x: number) => Math.log(1 + Math.exp(x))
const sigma = (x: number) => 1 / (1 + Math.exp(-x))

describe.each(runtimes)('by hand (%s)', (runtime) => {
  test('sigmoid cross-entropy, which neither overflows nor loses anything', () => {
    const expected = (softplus(-2) + softplus(-1) + Math.log(2) + softplus(0.5)) / 4
    expect(ops.sigmoidCrossEntropy(p, t, { runtime })).toBeCloseTo(expected, 6)
    const huge = tensor([1000, -1000, 1000], [3])
    expect(ops.sigmoidCrossEntropy(huge, tensor([1, 0, 0.5], [3]), { runtime })).toBeCloseTo(500 / 3, 4)
  })

  test('mean absolute error, Huber, hinge', () => {
    expect(ops.meanAbsoluteError(p, t, { runtime })).toBeCloseTo((1 + 1 + 1 + 0.5) / 4, 6)
    expect(ops.huber(p, tensor([0, 0, 3, 0], [2, 2]), { runtime })).toBeCloseTo((1.5 + 0.5 + 2.5 + 0.125) / 4, 6)
    expect(ops.huber(p, tensor([0, 0, 3, 0], [2, 2]), { delta: 2, runtime })).toBeCloseTo((2 + 0.5 + 4 + 0.125) / 4, 6)
    expect(ops.hinge(p, tensor([1, 1, -1, -1], [2, 2]), { runtime })).toBeCloseTo((0 + 2 + 1 + 1.5) / 4, 6)
  })

  test('focal', () => {
    const parts = [
      0.25 * (1 - sigma(2)) ** 2 * softplus(-2),
      0.75 * sigma(-1) ** 2 * softplus(-1),
      0.25 * 0.25 * Math.log(2),
      0.75 * sigma(0.5) ** 2 * softplus(0.5),
    ]
    expect(ops.focal(p, t, { runtime })).toBeCloseTo(parts.reduce((a, b) => a + b) / 4, 6)
    expect(ops.focal(p, t, { gamma: 0, alpha: 0.5, runtime })).toBeCloseTo(ops.sigmoidCrossEntropy(p, t) / 2, 6)
  })
})

describe.each(runtimes)('with options, by hand (%s)', (runtime) => {
  test('sigmoid cross-entropy: the weight of positives, one or one for each output, and smoothed labels', () => {
    const both = (2 * softplus(-2) + softplus(-1) + 2 * Math.log(2) + softplus(0.5)) / 4
    expect(ops.sigmoidCrossEntropy(p, t, { positiveWeight: 2, runtime })).toBeCloseTo(both, 6)
    expect(ops.sigmoidCrossEntropy(p, t, { positiveWeight: [2, 5], runtime })).toBeCloseTo(both, 6)
    const smooth = (z: number, target: number) => softplus(z) - target * z
    const expected = (smooth(2, 0.9) + smooth(-1, 0.1) + smooth(0, 0.9) + smooth(0.5, 0.1)) / 4
    expect(ops.sigmoidCrossEntropy(p, t, { labelSmoothing: 0.2, runtime })).toBeCloseTo(expected, 6)
  })

  test('weights of rows: Σ w · loss / Σ w, 0 for weights of 0', () => {
    const weights = tensor([3, 1], [2])
    const rows = [(softplus(-2) + softplus(-1)) / 2, (Math.log(2) + softplus(0.5)) / 2] as const
    expect(ops.sigmoidCrossEntropy(p, t, { weights, runtime })).toBeCloseTo((3 * rows[0] + rows[1]) / 4, 6)
    expect(ops.hinge(p, t, { weights: tensor([0, 0], [2]), runtime })).toBe(0)
    const values = tensor([1, 3, 10, 30], [2, 2])
    expect([...ops.weightedMean(values, weights, { runtime }).data]).toEqual([6.5])
  })

  test('the quadratic cost: half the mean of squared distances', () => {
    // Distances (1, −1) and (−1, 0.5).
    expect(ops.quadratic(p, t, { runtime })).toBeCloseTo((2 + 1.25) / 4, 6)
    expect(ops.quadratic(p, t, { weights: tensor([1, 3], [2]), runtime })).toBeCloseTo((2 + 3 * 1.25) / 8, 6)
  })

  test('the hinge of several classes: 1 + the best of the others − the own, at least 0', () => {
    const scores = tensor([2, -1, 0.5, -1, -3, -2, 0, 0.5, 0.25], [3, 3])
    const targets = tensor([1, 0, 0, 1, 0, 0, 0, 0, 1], [3, 3])
    expect(ops.categoricalHinge(scores, targets, { runtime })).toBeCloseTo((0 + 0 + 1.25) / 3, 6)
    expect(ops.categoricalHinge(scores, targets, { weights: tensor([1, 1, 2], [3]), runtime })).toBeCloseTo(2.5 / 4, 6)
  })
})

test.each(
  Object.entries({
    quadratic: ops.quadratic,
    categoricalHinge: (a: never, b: never) => ops.categoricalHinge(a, ops.equal(b, ops.max(b, { axes: 1, keepDims: true }))),
    'sigmoidCrossEntropy with a weight': (a: never, b: never) => ops.sigmoidCrossEntropy(a, b, { positiveWeight: 3, labelSmoothing: 0.1 }),
    'a weighted mean': (a: never, b: never) => ops.weightedMean(a, ops.mean(ops.exp(b), { axes: 1 })),
    sigmoidCrossEntropy: ops.sigmoidCrossEntropy,
    meanAbsoluteError: ops.meanAbsoluteError,
    huber: ops.huber,
    'huber, delta 0.3': (a: never, b: never) => ops.huber(a, b, { delta: 0.3 }),
    hinge: ops.hinge,
    focal: ops.focal,
    'focal, gamma 1': (a: never, b: never) => ops.focal(a, b, { gamma: 1, alpha: 0.6 }),
  }),
)('the gradient of %s is that of finite differences', (_name, loss) => {
  expect(() =>
    checkGradients((a, b) => loss(a as never, b as never) as never, [randomTensor([3, 4], 1), randomTensor([3, 4], 2)]),
  ).not.toThrow()
})

test('at a logit of 0 the gradient of sigmoid cross-entropy is σ − t', async () => {
  const model = sequential({ input: [2] }, dense(2, { bias: false, name: 'd' })).compile({
    optimizer: sgd({ learningRate: 1 }),
    loss: 'sigmoidCrossEntropy',
  })
  await model.setWeights({ 'd/kernel': tensor([0, 0, 0, 0], [2, 2]) })
  const { 'd/kernel': gradient } = await model.getGradients(tensor([1, 0], [1, 2]), tensor([1, 0], [1, 2]))
  expect(Array.from(gradient!.data)).toEqual([-0.25, 0.25, 0, 0])
})

describe.each(['sigmoidCrossEntropy', 'meanAbsoluteError', 'huber', 'hinge', 'focal'] satisfies LossName[])('a model with %s', (loss) => {
  const x = randomTensor([12, 3], 1)
  const y = {
    shape: [12, 2],
    data: Float32Array.from(
      { length: 24 },
      (_, i) => (loss === 'hinge' ? 2 : 1) * Number(x.data[3 * (i >> 1) + (i % 2)]! > 0) - Number(loss === 'hinge'),
    ),
  }

  test('learns, native as reference, and is saved and loaded', async () => {
    const losses: number[] = []
    for (const runtime of runtimes) {
      const model = sequential({ input: [3], seed: 1, runtime }, dense(2)).compile({ optimizer: sgd({ learningRate: 0.5 }), loss })
      const { epochs } = await model.fit({ x, y }, { epochs: 20, batchSize: 5 })
      expect(epochs.at(-1)!.loss).toBeLessThan(0.8 * epochs[0]!.loss)
      losses.push(epochs.at(-1)!.loss)
      const file = join(temporaryFolder(), 'm')
      await model.save(file)
      const loaded = await loadModel(file, { runtime })
      expect((await loaded.evaluate({ x, y })).loss).toBe((await model.evaluate({ x, y })).loss)
      expect(weightsSha256(await loaded.getWeights())).toBe(weightsSha256(await model.getWeights()))
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 5)
  })
})

test('logits are those below a final sigmoid', async () => {
  const given = [randomTensor([4, 3], 3), tensor([1, 0, 0, 1, 1, 1, 0, 0], [4, 2])] as const
  const losses = []
  for (const activation of ['sigmoid', 'linear'] as const) {
    const model = sequential({ input: [3], seed: 1 }, dense(2, { activation })).compile({
      optimizer: sgd({ learningRate: 0.5 }),
      loss: 'sigmoidCrossEntropy',
    })
    losses.push((await model.trainOnBatch(...given)).loss)
  }
  expect(losses[0]).toBe(losses[1])
})

test('what makes no sense', async () => {
  await expectError(() => ops.huber(p, t, { delta: 0 }), 'INVALID_ARGUMENT', 'huber: delta')
  await expectError(() => ops.focal(p, t, { gamma: 0.5 }), 'INVALID_ARGUMENT', 'focal: gamma must be a finite number of at least 1')
  await expectError(() => ops.focal(p, t, { alpha: 2 }), 'INVALID_ARGUMENT', 'focal: alpha')
  await expectError(
    () => ops.hinge(p, tensor([1, 1], [2]), { name: 'mine' }),
    'INVALID_SHAPE',
    'hinge "mine": predictions and targets must have one shape',
  )
  await expectError(
    () => ops.meanAbsoluteError(p, t, { delta: 1 } as never),
    'INVALID_ARGUMENT',
    'meanAbsoluteError: unknown option "delta"',
  )
})
