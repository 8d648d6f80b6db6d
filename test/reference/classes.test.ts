import { describe, expect, test } from 'vitest'
import type { Attributes } from '../../lib/ops/op'
import { compute, differences, type Input, vector } from '../support/compute'

const ln2 = Math.log(2)
const ln3 = Math.log(3)
/** Rows with probabilities ⅓ each, and ¼, ½, ¼. */
const logits = { shape: [2, 3], data: [0, 0, 0, 0, ln2, 0] }
const list = (values: Float64Array | undefined) => Array.from(values!)

const entropy = (labels: Input, attributes: Attributes, weights?: number[]) =>
  compute(
    'softmaxCrossEntropy',
    { logits, labels, ...(weights && { weights: vector(weights) }) },
    { loss: [], dlogits: [2, 3], weight: [] },
    attributes,
  )
const gradientIs = (actual: Float64Array | undefined, expected: readonly number[]) => {
  for (const [i, value] of expected.entries()) expect(actual![i], `[${i}]`).toBeCloseTo(value, 14)
}

describe('softmaxCrossEntropy with weights', () => {
  test('the mean is weighted: it is divided by the sum of the weights', () => {
    const { loss, dlogits, weight } = entropy(vector([2, 1]), {}, [3, 1])
    expect(loss![0]).toBeCloseTo((3 * ln3 + ln2) / 4, 14)
    expect(weight![0]).toBe(4)
    gradientIs(dlogits, [1 / 4, 1 / 4, -1 / 2, 1 / 16, -1 / 8, 1 / 16])
  })

  test('class weights likewise: those of the labels (PyTorch)', () => {
    const { loss, weight, dlogits } = entropy(vector([2, 1]), { classWeights: [5, 2, 3] })
    expect(loss![0]).toBeCloseTo((3 * ln3 + 2 * ln2) / 5, 14)
    expect(weight![0]).toBe(5)
    gradientIs(dlogits, [1 / 5, 1 / 5, -2 / 5, 1 / 10, -1 / 5, 1 / 10])
    const oneHot = entropy({ shape: [2, 3], data: [0, 0, 1, 0, 1, 0] }, { classWeights: [5, 2, 3] })
    expect(list(oneHot.loss)).toEqual(list(loss))
    expect(list(oneHot.dlogits)).toEqual(list(dlogits))
    expect(list(oneHot.weight)).toEqual([5])
  })

  test('an ignored label gives nothing, and the mean is over the others; of none, 0', () => {
    const one = entropy(vector([2, -100]), { ignoreLabel: -100 })
    expect([one.loss![0], one.weight![0]]).toEqual([ln3, 1])
    gradientIs(one.dlogits, [1 / 3, 1 / 3, -2 / 3, 0, 0, 0])
    const none = entropy(vector([2, 2]), { ignoreLabel: 2 })
    expect([...none.loss!, ...none.dlogits!, ...none.weight!]).toEqual(new Array(8).fill(0))
  })

  test('a row of weight 0 gives nothing, whatever it holds', () => {
    const broken = { shape: [2, 3], data: [0, 0, 0, Number.NaN, 1, 2] }
    const operands = { logits: broken, labels: vector([0, 9]), weights: vector([2, 0]) }
    const { loss, dlogits } = compute('softmaxCrossEntropy', operands, { loss: [], dlogits: [2, 3] })
    expect(loss![0]).toBeCloseTo(ln3, 14)
    gradientIs(dlogits, [-2 / 3, 1 / 3, 1 / 3, 0, 0, 0])
  })
})

describe('softmaxCrossEntropy with label smoothing', () => {
  test('a share of the label goes to all classes alike', () => {
    const { loss, dlogits } = entropy(vector([0, 1]), { labelSmoothing: 0.3 })
    // Targets 0.8, 0.1, 0.1 and 0.1, 0.8, 0.1.
    expect(loss![0]).toBeCloseTo((ln3 + 0.2 * 2 * ln2 + 0.8 * ln2) / 2, 14)
    gradientIs(dlogits, [(1 / 3 - 0.8) / 2, (1 / 3 - 0.1) / 2, (1 / 3 - 0.1) / 2, 0.075, -0.15, 0.075])
  })

  test('with class weights, each class of the smoothed label weighs its own (PyTorch)', () => {
    const { loss, weight } = entropy(vector([0, 1]), { labelSmoothing: 0.3, classWeights: [1, 2, 4] })
    const first = (0.8 * 1 + 0.1 * 2 + 0.1 * 4) * ln3
    const second = 0.1 * 1 * 2 * ln2 + 0.8 * 2 * ln2 + 0.1 * 4 * 2 * ln2
    expect(weight![0]).toBe(3)
    expect(loss![0]).toBeCloseTo((first + second) / 3, 14)
  })
})

describe('its gradient is that of finite differences', () => {
  const data = [0.3, -1.2, 0.8, 0.1, 1.5, -0.4, -0.7, 0.2, 0.9, 0, -2, 1]
  const cases: [name: string, labels: Input, attributes: Attributes, weights: number[] | undefined][] = [
    ['weights', vector([1, 3, 0]), {}, [0.5, 2, 0]],
    ['everything', vector([1, 9, 0]), { labelSmoothing: 0.2, classWeights: [1, 3, 0.5, 0], ignoreLabel: 9 }, [2, 1, 0.5]],
    [
      'distributions',
      { shape: [3, 4], data: [0.5, 0.5, 0, 0, 0, 0.1, 0.2, 0.7, 1, 0, 0, 0] },
      { labelSmoothing: 0.1, classWeights: [2, 1, 1, 3] },
      [1, 0.25, 4],
    ],
  ]
  test.each(cases)('%s', (_name, labels, attributes, weights) => {
    const input = { shape: [3, 4], data: Float64Array.from(data) }
    const operands = { logits: input, labels, ...(weights && { weights: vector(weights) }) }
    const run = () => compute('softmaxCrossEntropy', operands, { loss: [], dlogits: [3, 4] }, attributes)
    const { dlogits } = run()
    const numeric = differences(() => run().loss![0]!, input.data)
    for (const [i, value] of numeric.entries()) expect(Math.abs(dlogits![i]! - value), `[${i}]`).toBeLessThan(1e-9)
  })
})

describe('counts of classes', () => {
  const predictions = { shape: [4, 3], data: [0, 1, 0, 2, 2, 1, 5, 4, 6, -3, -2, -1] }

  test('accuracy among the k largest; where some are alike, lower class numbers come first', () => {
    const count = (labels: number[], attributes: Attributes) =>
      list(compute('accuracy', { predictions, labels: vector(labels) }, { correct: [] }, attributes).correct)[0]
    expect(count([2, 1, 1, 0], { k: 1 })).toBe(0)
    expect(count([2, 1, 1, 0], { k: 2 })).toBe(1)
    expect(count([2, 1, 1, 0], { k: 3 })).toBe(4)
    const nan = { shape: [1, 3], data: [Number.NaN, 0, 1] }
    const ofNan = (label: number) =>
      list(compute('accuracy', { predictions: nan, labels: vector([label]) }, { correct: [] }, { k: 2 }).correct)[0]
    expect([0, 1, 2].map(ofNan)).toEqual([1, 0, 1])
  })

  test('ignored rows are not counted; a threshold divides a single column', () => {
    const run = (p: Input, labels: number[], attributes: Attributes) =>
      compute('accuracy', { predictions: p, labels: vector(labels) }, { correct: [], counted: [] }, attributes)
    const ignoring = run(predictions, [1, 0, 7, 2], { ignoreLabel: 7 })
    expect([...ignoring.correct!, ...ignoring.counted!]).toEqual([3, 3])
    const single = run({ shape: [3, 1], data: [-1, 0.25, 2] }, [0, 1, 1], { threshold: 0 })
    expect([...single.correct!, ...single.counted!]).toEqual([3, 3])
  })

  test('confusion: rows are labels, columns what they were taken for', () => {
    const { matrix, counts } = compute(
      'confusion',
      { predictions, labels: vector([1, 1, 2, 9]) },
      { matrix: [3, 3], counts: [3, 3] },
      { ignoreLabel: 9 },
    )
    expect(list(matrix)).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 1])
    expect(list(counts)).toEqual([0, 2, 1, 1, 1, 1, 0, 1, 1])
  })

  test('confusion of one column has two classes; of each column by itself, as many as there are columns', () => {
    const single = { shape: [4, 1], data: [0.2, 0.6, 0.7, 0.1] }
    const two = compute('confusion', { predictions: single, labels: vector([0, 0, 1, 1]) }, { matrix: [2, 2], counts: [3, 2] })
    expect(list(two.matrix)).toEqual([1, 1, 1, 1])
    expect(list(two.counts)).toEqual([2, 2, 2, 2, 1, 1])
    const each = { shape: [2, 2], data: [0.9, 0.2, 0.8, 0.7] }
    const labels = { shape: [2, 2], data: [1, 1, 0, 1] }
    const counts = compute('confusion', { predictions: each, labels }, { counts: [3, 2] }, { multiLabel: true })
    expect(list(counts.counts)).toEqual([1, 2, 2, 1, 1, 1])
  })
})
