import { describe, expect, test } from 'vitest'
import { compute, type Input, vector } from '../support/compute'

const list = (values: Float64Array | undefined) => Array.from(values!)

describe('softmaxCrossEntropy', () => {
  const logits = { shape: [2, 3], data: [0, 0, 0, 0, Math.log(2), 0] }
  const entropy = (labels: Input) => compute('softmaxCrossEntropy', { logits, labels }, { loss: [], dlogits: [2, 3] })

  test('mean of −log of the label’s probability, gradient (softmax − one-hot) / rows', () => {
    const { loss, dlogits } = entropy(vector([2, 1]))
    expect(loss![0]).toBeCloseTo((Math.log(3) + Math.log(2)) / 2, 15)
    const expected = [1 / 3, 1 / 3, -2 / 3, 1 / 4, -1 / 2, 1 / 4]
    for (const [i, value] of expected.entries()) expect(dlogits![i]).toBeCloseTo(value / 2, 15)
  })

  test('a distribution per row', () => {
    const oneHot = entropy({ shape: [2, 3], data: [0, 0, 1, 0, 1, 0] })
    const labels = entropy(vector([2, 1]))
    expect(list(oneHot.loss)).toEqual(list(labels.loss))
    expect(list(oneHot.dlogits)).toEqual(list(labels.dlogits))
    const soft = entropy({ shape: [2, 3], data: [0.5, 0.5, 0, 0.25, 0.5, 0.25] })
    expect(soft.loss![0]).toBeCloseTo((Math.log(3) + 0.5 * Math.log(4) + 0.5 * Math.log(2)) / 2, 15)
    for (const [i, value] of [-1 / 6, -1 / 6, 1 / 3, 0, 0, 0].entries()) expect(soft.dlogits![i]).toBeCloseTo(value / 2, 15)
  })

  test('huge logits neither overflow nor lose the loss', () => {
    const huge = { shape: [1, 2], data: [1000, 0] }
    const { loss, dlogits } = compute('softmaxCrossEntropy', { logits: huge, labels: vector([1]) }, { loss: [], dlogits: [1, 2] })
    expect([loss![0], ...dlogits!]).toEqual([1000, 1, -1])
  })

  test('a label outside the classes makes the loss NaN', () => {
    expect(entropy(vector([3, 1])).loss![0]).toBeNaN()
    expect(entropy(vector([0, -1])).loss![0]).toBeNaN()
  })
})

test('meanSquaredError: mean over all elements, gradient 2 (p − t) / count', () => {
  const predictions = { shape: [2, 2], data: [1, 2, 3, 4] }
  const targets = { shape: [2, 2], data: [1, 0, 3, 8] }
  const { loss, dpredictions } = compute('meanSquaredError', { predictions, targets }, { loss: [], dpredictions: [2, 2] })
  expect(list(loss)).toEqual([5])
  expect(list(dpredictions)).toEqual([0, 1, 0, -2])
})

test('accuracy counts rows whose first maximum is the label', () => {
  const predictions = { shape: [4, 3], data: [0, 1, 0, 2, 2, 1, 5, 4, 6, -3, -2, -1] }
  const count = (labels: Input, p = predictions) => compute('accuracy', { predictions: p, labels }, { correct: [] }).correct![0]
  expect(count(vector([1, 0, 2, 2]))).toBe(4)
  expect(count(vector([1, 1, 2, 0]))).toBe(2)
  expect(count({ shape: [4, 3], data: [0, 1, 0, 0.4, 0.4, 0.2, 0, 0, 1, 1, 0, 0] })).toBe(3)
  const single = { shape: [4, 1], data: [0.2, 0.5, 0.51, 3] }
  expect(count(vector([0, 0, 1, 1]), single)).toBe(4)
  expect(count({ shape: [4, 1], data: [0, 1, 0, 1] }, single)).toBe(2)
})

describe('optimizers, as PyTorch defines them', () => {
  const param = vector([1, -2])
  const grad = vector([0.5, 0.25])

  test('sgd: plain, weight decay, momentum, Nesterov', () => {
    const sgd = (attributes: Record<string, number | boolean>, velocity?: number[]) =>
      compute(
        'sgd',
        { param, grad, ...(velocity && { velocity: vector(velocity) }) },
        {},
        { momentum: 0, nesterov: false, weightDecay: 0, ...attributes },
        { learningRate: 0.5 },
      )
    expect(list(sgd({}).param)).toEqual([0.75, -2.125])
    expect(list(sgd({ weightDecay: 0.5 }).param)).toEqual([0.5, -1.625])
    const moved = sgd({ momentum: 0.5 }, [1, -1])
    expect(list(moved.velocity)).toEqual([1, -0.25])
    expect(list(moved.param)).toEqual([0.5, -1.875])
    expect(list(sgd({ momentum: 0.5, nesterov: true }, [1, -1]).param)).toEqual([0.5, -2.0625])
  })

  test('adam: the first step moves by the learning rate, against the sign of the gradient', () => {
    const start = { param, grad, m: vector([0, 0]), v: vector([0, 0]) }
    const attributes = { beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0 }
    const first = compute('adam', start, {}, attributes, { learningRate: 0.125, step: 1 })
    expect(first.param![0]).toBeCloseTo(0.875, 14)
    expect(first.param![1]).toBeCloseTo(-2.125, 14)
    expect(first.m![0]).toBeCloseTo(0.05, 15)
    expect(first.v![0]).toBeCloseTo(0.00025, 15)
    const state = { param: vector([...first.param!]), m: vector([...first.m!]), v: vector([...first.v!]), grad: vector([-0.5, 0.25]) }
    const second = compute('adam', state, {}, { ...attributes, epsilon: 0.1, weightDecay: 1 }, { learningRate: 0.125, step: 2 })
    const g = -0.5 + first.param![0]!
    const m = 0.9 * 0.05 + 0.1 * g
    const v = 0.999 * 0.00025 + 0.001 * g * g
    const expected = first.param![0]! - (0.125 / (1 - 0.81)) * (m / (Math.sqrt(v) / Math.sqrt(1 - 0.999 ** 2) + 0.1))
    expect(second.param![0]).toBeCloseTo(expected, 14)
  })
})

describe('further optimizers, as PyTorch defines them', () => {
  const param = vector([1, -2])
  const grad = vector([0.5, 0.25])
  const close = (actual: Float64Array | undefined, expected: readonly number[]) => {
    for (const [i, value] of expected.entries()) expect(actual![i]).toBeCloseTo(value, 14)
  }

  test('decoupled weight decay is taken off the weight, past slots', () => {
    const attributes = { momentum: 0.5, nesterov: false, weightDecay: 0.5, decoupled: true }
    const sgd = compute('sgd', { param, grad, velocity: vector([1, -1]) }, {}, attributes, { learningRate: 0.5 })
    expect(list(sgd.velocity)).toEqual([1, -0.25])
    expect(list(sgd.param)).toEqual([0.75 - 0.5, -1.5 + 0.125])
    const start = { param, grad, m: vector([0, 0]), v: vector([0, 0]) }
    const rates = { beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0.5, decoupled: true }
    const adam = compute('adam', start, {}, rates, { learningRate: 0.125, step: 1 })
    close(adam.param, [0.9375 - 0.125, -1.875 - 0.125])
    close(adam.m, [0.05, 0.025])
  })

  test('rmsprop: plain, with momentum, centered', () => {
    const attributes = { alpha: 0.75, epsilon: 0.5, momentum: 0, weightDecay: 0 }
    const plain = compute('rmsprop', { param, grad, square: vector([0.25, 0]) }, {}, attributes, { learningRate: 0.5 })
    close(plain.square, [0.25, 0.015625])
    close(plain.param, [1 - (0.5 * 0.5) / (0.5 + 0.5), -2 - (0.5 * 0.25) / (0.125 + 0.5)])
    const slots = { square: vector([0.25, 0.25]), mean: vector([0, 0.5]), velocity: vector([1, 2]) }
    const centered = compute('rmsprop', { param, grad, ...slots }, {}, { ...attributes, momentum: 0.5 }, { learningRate: 0.5 })
    const [s, m] = [0.75 * 0.25 + 0.25 * 0.0625, 0.375 + 0.0625]
    close(centered.mean, [0.125, m])
    const v = [0.5 + 0.5 / (Math.sqrt(0.25 - 0.015625) + 0.5), 1 + 0.25 / (Math.sqrt(s - m * m) + 0.5)]
    close(centered.velocity, v)
    close(centered.param, [1 - 0.5 * v[0]!, -2 - 0.5 * v[1]!])
  })

  test('adagrad: the rate falls with the sum of squares, and with the steps', () => {
    const attributes = { learningRateDecay: 0.5, initialAccumulator: 0.75, epsilon: 0.5, weightDecay: 1 }
    const { param: updated, sum } = compute('adagrad', { param, grad, sum: vector([1, 0]) }, {}, attributes, { learningRate: 1, step: 3 })
    const [a, b] = [1.5, -1.75]
    close(sum, [1 + a * a, b * b])
    close(updated, [1 - (0.5 * a) / (Math.sqrt(4) + 0.5), -2 - (0.5 * b) / (Math.sqrt(0.75 + b * b) + 0.5)])
  })

  test('norms, and clipping by norm and by value', () => {
    const x = vector([3, -4])
    const norm = (inputs: Record<string, Input>) => compute('l2Norm', inputs, { norm: [] }, { count: Object.keys(inputs).length }).norm![0]
    expect(norm({ x0: x })).toBe(5)
    expect(norm({ x0: x, x1: vector([12]) })).toBe(13)
    const byNorm = (limit: number) => compute('clipByNorm', { x, norm: vector([5]) }, { y: [2] }, { limit }).y
    close(byNorm(1), [3 / 5.000001, -4 / 5.000001])
    expect(list(byNorm(6))).toEqual([3, -4])
    expect(list(compute('clipByValue', { x: vector([3, -4, 0.5, Number.NaN]) }, { y: [4] }, { limit: 1 }).y)).toEqual([
      1,
      -1,
      0.5,
      Number.NaN,
    ])
  })
})
