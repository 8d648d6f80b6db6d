import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  batchNorm,
  type Constraint,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  dense,
  depthwiseConv2d,
  flatten,
  type Initializer,
  type Layer,
  loadModel,
  type Model,
  prelu,
  rnn,
  separableConv2d,
  sequential,
} from '../../lib/index'
import { initialValues } from '../../lib/layers/initializers'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor } from '../support/models'

const moments = (values: Float32Array) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length }
}

describe('initializers with options', () => {
  test.each<[Initializer, number, number]>([
    ['lecunUniform', 0, 1 / 72],
    ['lecunNormal', 0, 1 / 72],
    ['normal', 0, 0.0025],
    [{ type: 'normal', mean: 3, deviation: 0.5 }, 3, 0.25],
    ['uniform', 0, 0.01 / 12],
    [{ type: 'uniform', low: 1, high: 3 }, 2, 4 / 12],
    [{ type: 'truncatedNormal', mean: -1, deviation: 2 }, -1, 4 * 0.7737],
    ['orthogonal', 0, 1 / 72],
  ])('%j has its mean and variance', (initializer, mean, variance) => {
    const found = moments(initialValues(initializer, [3, 3, 8, 16], 4, 0))
    expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / 1152))
    expect(Math.abs(found.variance / variance - 1)).toBeLessThan(0.15)
  })

  test('a truncated one stays within two deviations, a uniform one within its ends, a constant is one', () => {
    const truncated = initialValues({ type: 'truncatedNormal', deviation: 0.1 }, [4000, 1], 1, 0)
    expect(Math.max(...truncated.map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.2))
    expect(Math.min(...initialValues({ type: 'uniform', low: 2, high: 3 }, [500], 1, 0))).toBeGreaterThanOrEqual(2)
    expect([...initialValues({ type: 'constant', value: 0.5 }, [3], 1, 0)]).toEqual([0.5, 0.5, 0.5])
  })

  test.each([
    [[6, 4], 1],
    [[4, 6], 1],
    [[3, 3, 2, 5], 2],
    [[50, 50], 1],
  ])('an orthogonal one of [%s] has vectors at right angles, of length %d', (shape, gain) => {
    const values = initialValues({ type: 'orthogonal', gain }, shape, 3, 1)
    const columns = shape.at(-1)!
    const rows = values.length / columns
    const [count, at] =
      rows < columns
        ? [rows, (v: number, i: number) => values[v * columns + i]!]
        : [columns, (v: number, i: number) => values[i * columns + v]!]
    for (let a = 0; a < count; a++) {
      for (let b = 0; b <= a; b++) {
        let dot = 0
        for (let i = 0; i < Math.max(rows, columns); i++) dot += at(a, i) * at(b, i)
        expect(dot).toBeCloseTo(a === b ? gain * gain : 0, 5)
      }
    }
  })

  test('one of your own gets shape and random numbers, and is not saved', async () => {
    const own: Initializer = ([rows, columns], random) => Float32Array.from({ length: rows! * columns! }, () => random.uniform(5, 6))
    const model = sequential({ input: [2], seed: 3 }, dense(3, { kernelInitializer: own, biasInitializer: { type: 'constant', value: 7 } }))
    const { 'dense/kernel': kernel, 'dense/bias': bias } = await model.getWeights()
    expect(Math.min(...kernel!.data)).toBeGreaterThanOrEqual(5)
    expect([...bias!.data]).toEqual([7, 7, 7])
    const file = join(temporaryFolder(), 'm')
    await model.save(file)
    expect(await (await loadModel(file)).getWeights()).toEqual({ 'dense/kernel': kernel, 'dense/bias': bias })
    await expectError(
      () => sequential({ input: [2] }, dense(3, { kernelInitializer: () => new Float32Array(5) })),
      'INVALID_ARGUMENT',
      '"dense/kernel": its initializer must give a Float32Array of 6 elements for shape [2,3], received one of 5',
    )
    const vector = dense(3, { name: 'head', biasInitializer: 'orthogonal' })
    await expectError(() => sequential({ input: [2] }, vector), 'INVALID_ARGUMENT', '"head/bias": initializer must be')
  })
})

const initial: Initializer = { type: 'constant', value: 0.25 }
const maxNorm: Constraint = { maxNorm: 2 }
const options = {
  kernelInitializer: initial,
  biasInitializer: 'ones',
  kernelRegularizer: { l1: 0.1, l2: 0 },
  biasRegularizer: { l1: 0, l2: 0.2 },
  activityRegularizer: { l1: 0, l2: 0.3 },
  kernelConstraint: maxNorm,
  biasConstraint: 'nonNegative',
  trainable: false,
} as const
const others = {
  batchNorm: {
    gammaInitializer: initial,
    betaInitializer: 'ones',
    gammaConstraint: maxNorm,
    betaRegularizer: { l1: 0, l2: 0.1 },
    trainable: false,
  },
  prelu: { alphaInitializer: initial, alphaRegularizer: { l1: 1, l2: 0 }, alphaConstraint: 'unitNorm' },
} as const

const models: Record<string, () => Model> = {
  conv1d: () => sequential({ input: [6, 2] }, conv1d(3, 2, options)) as unknown as Model,
  conv2d: () => sequential({ input: [6, 6, 2] }, conv2d(3, 2, options)) as unknown as Model,
  conv3d: () => sequential({ input: [3, 3, 3, 2] }, conv3d(3, 2, options)) as unknown as Model,
  convTranspose2d: () => sequential({ input: [6, 6, 2] }, convTranspose2d(4, 2, { ...options, groups: 2 })) as unknown as Model,
  dense: () => sequential({ input: [6] }, dense(3, options)) as unknown as Model,
  depthwiseConv2d: () => sequential({ input: [6, 6, 2] }, depthwiseConv2d(2, options)) as unknown as Model,
  separableConv2d: () => sequential({ input: [6, 6, 2] }, separableConv2d(3, 2, options)) as unknown as Model,
  rnn: () => sequential({ input: [6, 2] }, rnn(3, { ...options, recurrentInitializer: 'orthogonal', outputs: 2 })) as unknown as Model,
  batchNorm: () => sequential({ input: [6] }, batchNorm(others.batchNorm)) as unknown as Model,
  prelu: () => sequential({ input: [6] }, prelu(others.prelu)) as unknown as Model,
}

describe.each(Object.entries(models))('%s', (type, make) => {
  test('begins as its options say, which are saved', async () => {
    const model = make()
    const weights = await model.getWeights()
    for (const [name, { data }] of Object.entries(weights)) {
      if (/kernel|Kernel|gamma|alpha/.test(name) && !/recurrent/.test(name)) expect([...new Set(data)], name).toEqual([0.25])
      if (/bias|Bias|beta/.test(name)) expect([...new Set(data)], name).toEqual([1])
    }
    const file = join(temporaryFolder(), 'm')
    await model.save(file)
    const loaded = await loadModel(file)
    expect(loaded.trainedWeights).toEqual(model.trainedWeights)
    expect(model.trainedWeights.length).toBe(type === 'prelu' ? 1 : 0)
    const again = join(temporaryFolder(), 'm')
    await loaded.save(again)
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true)
  })
})

test('options that make no sense', async () => {
  const refused: readonly [() => Layer, string][] = [
    [
      () => dense(1, { kernelInitializer: { type: 'normal', deviation: -1 } }),
      'dense: kernelInitializer: deviation must be a finite number of at least 0',
    ],
    [() => dense(1, { biasInitializer: { type: 'constant' } as never }), 'dense: biasInitializer: value must be given'],
    [() => dense(1, { kernelInitializer: { type: 'uniform', low: 1, high: 0 } }), 'dense: kernelInitializer: low must be at most high'],
    [() => dense(1, { kernelInitializer: { type: 'orthogonal', mean: 0 } as never }), 'dense: kernelInitializer: unknown option "mean"'],
    [() => conv2d(1, 1, { name: 'c', kernelRegularizer: { l3: 1 } as never }), 'conv2d "c": kernelRegularizer: unknown option "l3"'],
    [() => conv2d(1, 1, { biasRegularizer: { l2: -1 } }), 'conv2d: biasRegularizer: l2 must be a finite number of at least 0'],
    [() => dense(1, { kernelConstraint: 'maxNorm' as never }), "dense: kernelConstraint must be { maxNorm }, 'unitNorm' or 'nonNegative'"],
    [() => dense(1, { kernelConstraint: { maxNorm: 0 } }), 'dense: kernelConstraint: maxNorm must be above 0'],
    [() => batchNorm({ trainable: 1 as never }), 'batchNorm: trainable must be true or false'],
    [() => flatten({ trainable: false } as never), 'flatten: unknown option "trainable"'],
  ]
  for (const [make, message] of refused) await expectError(make, 'INVALID_ARGUMENT', message)
})

test('the result of a layer is its own, whatever else it adds to the loss', async () => {
  const plain = sequential({ input: [3], seed: 2 }, dense(2))
  const penalized = sequential({ input: [3], seed: 2 }, dense(2, { activityRegularizer: { l2: 1 }, kernelRegularizer: { l1: 1 } }))
  const x = randomTensor([4, 3], 1)
  expect(await penalized.predict(x as never)).toEqual(await plain.predict(x as never))
})
