import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adamw,
  batchNorm,
  conv2d,
  dense,
  flatten,
  loadModel,
  type ParameterGroup,
  relu,
  sequential,
  sgd,
  weightsSha256,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([8, 5, 5, 1], 1), y: someLabels(8, 3) }
const layers = () =>
  [conv2d(3, 3, { biasInitializer: 'normal' }), batchNorm(), relu(), flatten(), dense(3, { biasInitializer: 'normal' })] as const
const make = (runtime: RuntimeName = 'native') => sequential({ input: [5, 5, 1], seed: 1, runtime }, ...layers())
const hash = async (model: ReturnType<typeof make>) => weightsSha256(await model.getWeights())
const loss = 'softmaxCrossEntropy'

describe.each(runtimes)('groups (%s)', (runtime) => {
  test('a factor of the rate, and decay of their own', async () => {
    const groups: ParameterGroup[] = [
      { match: '*/bias', weightDecay: 0 },
      { match: 'conv*', learningRateFactor: 0.1 },
      { match: ({ shape }) => shape.length === 1, learningRateFactor: 0, weightDecay: 3 },
    ]
    const model = make(runtime).compile({ optimizer: sgd({ learningRate: 0.5, weightDecay: 0.2, decoupled: true }), loss, groups })
    const [before, gradients] = [await model.getWeights(), await model.getGradients(data.x, data.y)]
    await model.trainOnBatch(data.x, data.y)
    const after = await model.getWeights()
    const rates: Record<string, [rate: number, decay: number]> = {
      'conv2d/kernel': [0.05, 0.2],
      'conv2d/bias': [0.5, 0],
      'batchNorm/gamma': [0, 3],
      'batchNorm/beta': [0, 3],
      'dense/kernel': [0.5, 0.2],
      'dense/bias': [0.5, 0],
    }
    for (const [name, [rate, decay]] of Object.entries(rates)) {
      for (const [i, value] of after[name]!.data.entries()) {
        const w = before[name]!.data[i]!
        expect(value, name).toBeCloseTo(w - rate * decay * w - rate * gradients[name]!.data[i]!, 5)
      }
    }
  })

  test('frozen weights stay, whatever else is trained, and batch normalization takes its running statistics', async () => {
    const model = make(runtime).compile({ optimizer: adamw({ learningRate: 0.01 }), loss })
    await model.fit(data, { batchSize: 4 })
    model.freeze(['conv2d', 'batchNorm']).freeze('dense/bias')
    expect(model.trainedWeights).toEqual(['dense/kernel'])
    const before = await model.getWeights()
    expect(Object.keys(await model.getGradients(data.x, data.y))).toEqual(['dense/kernel'])
    const { loss: measured } = await model.evaluate(data)
    expect((await model.trainOnBatch(data.x, data.y)).loss).toBeCloseTo(measured, 5)
    await model.fit(data, { batchSize: 4 })
    const after = await model.getWeights()
    for (const name of Object.keys(before))
      expect(after[name]!.data.join() === before[name]!.data.join(), name).toBe(name !== 'dense/kernel')
    model.unfreeze('batchNorm/gamma')
    expect(model.trainedWeights).toEqual(['batchNorm/gamma', 'dense/kernel'])
    await model.fit(data, { batchSize: 4 })
    const then = await model.getWeights()
    expect(then['batchNorm/movingMean']!.data).not.toEqual(after['batchNorm/movingMean']!.data)
    expect(then['batchNorm/beta']).toEqual(after['batchNorm/beta'])
    model.unfreeze('*')
    expect(model.trainedWeights.length).toBe(6)
    model.freeze(({ name }) => name.endsWith('kernel'))
    expect(model.trainedWeights).toEqual(['conv2d/bias', 'batchNorm/gamma', 'batchNorm/beta', 'dense/bias'])
  })
})

test('a frozen layer costs no gradient of its weights', async () => {
  const model = make().compile({ optimizer: sgd({ learningRate: 0.1 }), loss })
  const ops = async () => (await model.profile({ batchSize: 2, steps: 1 })).steps.map(({ op }) => op)
  expect(await ops()).toContain('conv2dBackwardWeights')
  model.freeze('conv2d')
  expect(await ops()).not.toContain('conv2dBackwardWeights')
  model.freeze('batchNorm')
  expect(await ops()).not.toContain('batchNormBackward')
})

test('what is frozen, and groups, are saved', async () => {
  const file = join(temporaryFolder(), 'm')
  const model = make().compile({
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
    loss,
    groups: [{ match: '*/kernel', learningRateFactor: 0.5 }],
  })
  model.freeze('conv2d/kernel').freeze('batchNorm')
  await model.save(file)
  const loaded = (await loadModel(file)) as typeof model
  expect(loaded.trainedWeights).toEqual(['conv2d/bias', 'dense/kernel', 'dense/bias'])
  for (const each of [model, loaded]) await each.fit(data, { batchSize: 4, epochs: 2 })
  expect(await hash(loaded)).toBe(await hash(model))
})

test('layers that are not trainable can be made so', async () => {
  const model = sequential({ input: [4] }, dense(3, { trainable: false }), dense(2)).compile({ optimizer: sgd({ learningRate: 1 }), loss })
  expect(model.trainedWeights).toEqual(['dense_1/kernel', 'dense_1/bias'])
  const file = join(temporaryFolder(), 'm')
  await model.unfreeze('dense').save(file)
  expect((await loadModel(file)).trainedWeights.length).toBe(4)
})

test('what matches nothing is refused', async () => {
  const compile = (groups: unknown) => () => make().compile({ optimizer: sgd({ learningRate: 1 }), loss, groups: groups as never })
  await expectError(
    compile([{ match: 'conv3d' }]),
    'INVALID_ARGUMENT',
    'compile: groups[0]: no weight matches "conv3d"; there are conv2d/kernel',
  )
  await expectError(compile([{ match: '*/bias' }, { match: 'x/*' }]), 'INVALID_ARGUMENT', 'compile: groups[1]: no weight matches "x/*"')
  await expectError(compile([{ match: 3 }]), 'INVALID_ARGUMENT', 'compile: groups[0]: match must be')
  await expectError(compile([{ match: '*', weightDecay: -1 }]), 'INVALID_ARGUMENT', 'compile: groups[0]: weightDecay')
  await expectError(compile([{ match: '*', rate: 1 }]), 'INVALID_ARGUMENT', 'compile: groups[0]: unknown option "rate"')
  await expectError(compile({}), 'INVALID_ARGUMENT', 'compile: groups must be an array')
  await expectError(() => make().freeze('dropout'), 'INVALID_ARGUMENT', 'freeze: no weight matches "dropout"')
  await expectError(() => make().freeze('conv2d/movingMean'), 'INVALID_ARGUMENT', 'freeze: no weight matches')
  const all = make()
    .compile({ optimizer: sgd({ learningRate: 1 }), loss })
    .freeze('*')
  await expectError(() => all.fit(data), 'INVALID_ARGUMENT', 'fit: the model has nothing to train: all of its layers are frozen')
})
