import { describe, expect, test } from 'vitest'
import {
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  depthwiseConv2d,
  flatten,
  input,
  network,
  type Regularizer,
  relu,
  sequential,
  sgd,
} from '../../lib/index'
import * as ops from '../../lib/ops'
import { randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([6, 4], 1), y: someLabels(6, 3) }
const loss = 'softmaxCrossEntropy'
const sumOf = (values: Iterable<number>, f: (value: number) => number) => [...values].reduce((sum, value) => sum + f(value), 0)
const penaltyOf = ({ l1 = 0, l2 = 0 }: Regularizer, values: Iterable<number>) => sumOf(values, (w) => l1 * Math.abs(w) + l2 * w * w)

describe.each(runtimes)('regularisers (%s)', (runtime) => {
  const kernel = { l1: 0.03, l2: 0.2 }
  const bias = { l2: 0.5 }
  const make = (regularized: boolean) =>
    sequential(
      { input: [4], seed: 1, runtime },
      dense(5, { activation: 'tanh', biasInitializer: 'normal', ...(regularized && { kernelRegularizer: kernel, biasRegularizer: bias }) }),
      dense(3, { ...(regularized && { kernelRegularizer: { l2: 0.2 } }) }),
    ).compile({ optimizer: sgd({ learningRate: 0.1 }), loss })

  test('losses and gradients of weights are those without, and the penalties’', async () => {
    const [plain, regularized] = [make(false), make(true)]
    const weights = await plain.getWeights()
    const byName = { 'dense/kernel': kernel, 'dense/bias': bias, 'dense_1/kernel': { l2: 0.2 } } as Record<string, Regularizer>
    const penalty = Object.entries(byName).reduce((sum, [name, how]) => sum + penaltyOf(how, weights[name]!.data), 0)
    const [without, with_] = [await plain.evaluate(data), await regularized.evaluate(data)]
    expect(with_.loss).toBeCloseTo(without.loss + penalty, 5)
    const [gradients, found] = [await plain.getGradients(data.x, data.y), await regularized.getGradients(data.x, data.y)]
    for (const [name, { data: expected }] of Object.entries(gradients)) {
      const { l1 = 0, l2 = 0 } = byName[name] ?? {}
      for (const [i, value] of found[name]!.data.entries()) {
        const w = weights[name]!.data[i]!
        expect(value, name).toBeCloseTo(expected[i]! + l1 * Math.sign(w) + 2 * l2 * w, 5)
      }
    }
    expect((await regularized.trainOnBatch(data.x, data.y)).loss).toBeCloseTo(with_.loss, 5)
    const after = await regularized.getWeights()
    for (const [name, { data: moved }] of Object.entries(after))
      for (const [i, value] of moved.entries()) expect(value).toBeCloseTo(weights[name]!.data[i]! - 0.1 * found[name]!.data[i]!, 5)
  })

  test('of results: the sum over a sample, the mean over the batch', async () => {
    const how = { l1: 0.1, l2: 0.3 }
    const x = input([4, 4, 1])
    const graph = (regularized: boolean) => {
      const hidden = conv2d(2, 3, { name: 'c', activation: 'tanh', ...(regularized && { activityRegularizer: how }) }).apply(x)
      const ends = { inputs: x, outputs: dense(3).apply(flatten().apply(hidden)), seed: 1, runtime }
      return network(ends).compile({ optimizer: sgd({ learningRate: 0.1 }), loss })
    }
    const [plain, regularized] = [graph(false), graph(true)]
    const images = { x: randomTensor([6, 4, 4, 1], 3), y: data.y }
    const weights = await plain.getWeights()
    const hidden = ops.conv2d(images.x, weights['c/kernel']!, { bias: weights['c/bias']!, activation: 'tanh', runtime: 'reference' })
    const expected = (await plain.evaluate(images)).loss + penaltyOf(how, hidden.data) / 6
    expect((await regularized.evaluate(images, { batchSize: 3 })).loss).toBeCloseTo(expected, 5)
    const gradients = await regularized.getGradients(images.x, images.y)
    const at = 5
    const moved = async (by: number) => {
      const kernel = weights['c/kernel']!
      const data = kernel.data.slice()
      data[at]! += by
      await regularized.setWeights({ 'c/kernel': { shape: kernel.shape, data } })
      return (await regularized.evaluate(images)).loss
    }
    const slope = ((await moved(0.01)) - (await moved(-0.01))) / 0.02
    expect(gradients['c/kernel']!.data[at]).toBeCloseTo(slope, 2)
  })

  test('constraints hold after each update', async () => {
    const model = sequential(
      { input: [6, 6, 2], seed: 1, runtime },
      conv2d(4, 3, { kernelConstraint: { maxNorm: 0.5 }, biasConstraint: 'nonNegative', padding: 'same' }),
      depthwiseConv2d(3, { kernelConstraint: 'unitNorm', padding: 'same' }),
      convTranspose2d(4, 2, { groups: 2, kernelConstraint: { maxNorm: 0.3 }, stride: 2 }),
      batchNorm({ gammaConstraint: { maxNorm: 1 }, betaConstraint: 'nonNegative' }),
      relu(),
      flatten(),
      dense(3, { kernelConstraint: 'nonNegative' }),
    ).compile({ optimizer: sgd({ learningRate: 0.5, momentum: 0.9 }), loss })
    await model.fit({ x: randomTensor([8, 6, 6, 2], 1), y: someLabels(8, 3) }, { batchSize: 4, epochs: 3 })
    const weights = await model.getWeights()
    const norms = (name: string, groupOf: (index: number) => number) => {
      const squares = new Map<number, number>()
      for (const [index, w] of weights[name]!.data.entries()) squares.set(groupOf(index), (squares.get(groupOf(index)) ?? 0) + w * w)
      return [...squares.values()].map(Math.sqrt)
    }
    const output = norms('conv2d/kernel', (index) => index % 4)
    expect(output.length).toBe(4)
    expect(Math.max(...output)).toBeLessThan(0.5 + 1e-5)
    expect(Math.max(...output)).toBeGreaterThan(0.5 - 1e-5)
    for (const norm of norms('depthwiseConv2d/kernel', (index) => index % 4)) expect(norm).toBeCloseTo(1, 5)
    // [2, 2, 4 outputs / 2 groups, 4 inputs]: an output of a group sees two inputs.
    const transposed = norms('convTranspose2d/kernel', (index) => Math.floor(index / 2) % 4)
    expect(transposed.length).toBe(4)
    expect(Math.max(...transposed)).toBeLessThan(0.3 + 1e-5)
    expect(norms('batchNorm/gamma', () => 0)[0]).toBeLessThan(1 + 1e-5)
    for (const name of ['conv2d/bias', 'batchNorm/beta', 'dense/kernel']) expect(Math.min(...weights[name]!.data)).toBeGreaterThanOrEqual(0)
  })
})

test('constraints of single tensors', () => {
  const w = { shape: [2, 2], data: Float32Array.of(3, -0.3, 4, 0.4) }
  for (const runtime of runtimes) {
    expect([...ops.constrain(w, { maxNorm: 1 }, { runtime }).data]).toEqual([0.6, -0.3, 0.8, 0.4].map(Math.fround))
    expect([...ops.constrain(w, 'nonNegative', { runtime }).data]).toEqual([3, 0, 4, 0.4].map(Math.fround))
    expect([...ops.constrain(w, 'unitNorm', { runtime, incoming: [1, 2, 2] }).data].map((v) => v.toFixed(5))).toEqual(
      [3 / Math.hypot(3, 0.3), -0.3 / Math.hypot(3, 0.3), 4 / Math.hypot(4, 0.4), 0.4 / Math.hypot(4, 0.4)].map((v) => v.toFixed(5)),
    )
    expect([...ops.constrain({ shape: [3], data: Float32Array.of(2, 0, 0) }, { maxNorm: 1 }, { runtime }).data]).toEqual([1, 0, 0])
    expect([...ops.constrain({ shape: [2], data: new Float32Array(2) }, 'unitNorm', { runtime }).data]).toEqual([0, 0])
    expect([...ops.constrain({ shape: [2], data: Float32Array.of(Number.NaN, -1) }, 'nonNegative', { runtime }).data]).toEqual([
      Number.NaN,
      0,
    ])
  }
  expect(() => ops.constrain(w, { maxNorm: 1 }, { incoming: [1, 1, 3] })).toThrow(
    'constrain: incoming must be three sizes of as many elements as [2,2]',
  )
})
