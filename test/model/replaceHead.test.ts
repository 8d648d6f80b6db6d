import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  add,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePool2d,
  input,
  loadModel,
  type Model,
  network,
  relu,
  replaceHead,
  resnet20,
  sequential,
  sgd,
  softmax,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, someLabels } from '../support/models'

const x = randomTensor([5, 6, 6, 2], 1)
const make = () =>
  sequential(
    { input: [6, 6, 2], seed: 1 },
    conv2d(3, 3, { name: 'stem', activation: 'relu' }),
    globalAveragePool2d(),
    dense(4),
    relu(),
    dense(7, { name: 'logits' }),
    softmax(),
  )
const names = (model: Model<never, unknown>) => model.architecture.layers.map(({ name }) => name)

test('the head is what the last layer with weights begins, by default', async () => {
  const base = make()
  const model = await replaceHead(base, { head: [dropout(0.1), dense(3), dense(2)], seed: 2 })
  expect(names(model)).toEqual(['stem', 'globalAveragePool2d', 'dense', 'relu', 'dropout', 'dense_1', 'dense_2'])
  const [before, after] = [await base.getWeights(), await model.getWeights()]
  for (const name of ['stem/kernel', 'stem/bias', 'dense/kernel', 'dense/bias']) expect(after[name], name).toEqual(before[name])
  expect(after['dense_2/kernel']!.shape).toEqual([3, 2])
  expect((await model.predict(x)).shape).toEqual([5, 2])
  expect(Object.keys(before)).toContain('logits/kernel')
})

test('without a head it gives the features, those that the whole model has there', async () => {
  const base = make()
  const model = await replaceHead(base, { after: 'globalAveragePool2d', head: [] })
  expect(await model.predict(x)).toEqual((await base.trace(x, 'test'))[1])
  expect(model.architecture.outputs[0]!.name).toBe('globalAveragePool2d')
})

test('what is frozen stays as it is when the head learns; files keep all of it', async () => {
  const base = make()
  base.classNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  base.freeze('stem')
  const model = await replaceHead(base, { head: [dense(3, { name: 'classes' })] })
  expect(model.classNames).toBeUndefined()
  model.freeze('dense')
  expect(model.trainedWeights).toEqual(['classes/kernel', 'classes/bias'])
  const before = await model.getWeights()
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
  await model.fit({ x, y: someLabels(5, 3) }, { epochs: 2 })
  const after = await model.getWeights()
  const changed = Object.keys(after).filter((name) => after[name]!.data.some((value, i) => value !== before[name]!.data[i]))
  expect(changed).toEqual(['classes/kernel', 'classes/bias'])
  const file = join(temporaryFolder(), 'm')
  await model.save(file)
  const loaded = await loadModel(file)
  expect(loaded.trainedWeights).toEqual(model.trainedWeights)
  expect(await loaded.predict(x)).toEqual(await model.predict(x))
})

test('of a graph, only what leads to the features stays, scales of bytes among it', async () => {
  const [a, b] = [input([4, 4, 1], { name: 'a', normalize: { scale: 0.5, offset: 1 } }), input([3], { name: 'b' })]
  const shared = conv2d(2, 3, { padding: 1, name: 'shared' })
  const sum = add().apply(shared.apply(a), conv2d(2, 1, { name: 'side' }).apply(a))
  const side = dense(2, { name: 'unused' }).apply(b)
  const base = network({ inputs: [b, a], outputs: [dense(2, { name: 'one' }).apply(flatten().apply(sum)), side] })
  await expectError(() => replaceHead(base, { head: [] }), 'INVALID_ARGUMENT', 'has 2 outputs')
  const model = await replaceHead(base, {
    after: 'add',
    head: (features) => {
      const node = features as ReturnType<typeof shared.apply<typeof shared, [typeof a]>>
      return add().apply(conv2d(2, 1).apply(node), node)
    },
  })
  expect(names(model)).toEqual(['shared', 'side', 'add', 'conv2d', 'add_1'])
  expect(model.architecture.inputs).toEqual([{ name: 'a', shape: [4, 4, 1], normalize: { scale: 0.5, offset: 1 } }])
  const bytes = { shape: [1, 4, 4, 1], data: new Uint8Array(16).fill(3) }
  const floats = { shape: [1, 4, 4, 1], data: new Float32Array(16).fill(2.5) }
  const call = model as unknown as Model
  expect(await call.predict(bytes)).toEqual(await call.predict(floats))
})

test('a network of the zoo', async () => {
  const base = resnet20({ input: [8, 8, 3], classes: 10 })
  const model = await replaceHead(base, { head: [dense(2)] })
  expect(model.summary().parameters).toBe(base.summary().parameters - 65 * 8)
  expect((await model.predict(randomTensor([1, 8, 8, 3], 1))).shape).toEqual([1, 2])
})

test('wrong arguments are told', async () => {
  const base = make()
  await expectError(() => replaceHead({} as never, { head: [] }), 'INVALID_ARGUMENT', 'a model')
  await expectError(() => replaceHead(base, {} as never), 'INVALID_ARGUMENT', 'head')
  await expectError(() => replaceHead(base, { head: [3 as never] }), 'INVALID_ARGUMENT', 'an array of layers')
  await expectError(() => replaceHead(base, { head: () => 3 as never }), 'INVALID_ARGUMENT', 'gives a node')
  await expectError(() => replaceHead(base, { head: [], afterwards: 'x' } as never), 'INVALID_ARGUMENT', 'afterwards')
  await expectError(() => replaceHead(base, { head: [], after: 'nothing' }), 'INVALID_ARGUMENT', 'one of stem, globalAveragePool2d')
  await expectError(() => replaceHead(base, { head: [dense(2, { name: 'stem' })] }), 'INVALID_ARGUMENT', 'stem')
  await expectError(() => replaceHead(base, { after: 'stem', head: [dense(2)] }), 'INVALID_SHAPE', 'dense')
  await expectError(() => replaceHead(sequential({ input: [2] }, dense(1)), { head: [] }), 'INVALID_ARGUMENT', 'nothing stands before')
})
