import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dense, input, loadModel, network, readSafetensors, type Samples, sequential, sgd, writeSafetensors } from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError } from '../support/models'

const x: Samples = { shape: [4, 2], data: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1) }
const y = { shape: [4], data: Uint8Array.of(0, 1, 2, 0) } as const
const made = (units = 3) =>
  sequential({ input: [2], seed: 1 }, dense(units)).compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })

test('names come with the data of fit, and go with the model into files and checkpoints', async () => {
  const model = made(4)
  expect(model.classNames).toBeUndefined()
  await model.fit({ x, y, classNames: ['cat', 'dog', 'owl'] })
  expect(model.classNames).toEqual(['cat', 'dog', 'owl'])
  await model.fit({ x, y })
  expect(model.classNames).toEqual(['cat', 'dog', 'owl'])
  const file = join(temporaryFolder(), 'model.safetensors')
  await model.save(file)
  expect((await loadModel(file)).classNames).toEqual(['cat', 'dog', 'owl'])
  const checkpoint = join(temporaryFolder(), 'checkpoint.safetensors')
  await model.fit({ x, y, classNames: ['cat', 'dog', 'owl', 'yak'] }, { checkpoint: { file: checkpoint } })
  expect((await loadModel(checkpoint)).classNames).toEqual(['cat', 'dog', 'owl', 'yak'])
})

test('they may be set, and forgotten', async () => {
  const model = made()
  model.classNames = ['a', 'b']
  expect(model.classNames).toEqual(['a', 'b'])
  model.classNames = undefined
  expect(model.classNames).toBeUndefined()
  const single = sequential({ input: [2] }, dense(1))
  single.classNames = ['no', 'yes']
  expect(single.classNames).toEqual(['no', 'yes'])
})

test('what are no names is refused', () => {
  const model = made()
  const set = (names: unknown) => () => {
    model.classNames = names as string[]
  }
  expectError(set('cat'), 'INVALID_ARGUMENT', /model: classNames must be an array of strings, by class number, received "cat"/)
  expectError(set([]), 'INVALID_ARGUMENT', /classNames must be/)
  expectError(set(['a', '']), 'INVALID_ARGUMENT', /classNames must be/)
  expectError(set(['a', 'b', 'c', 'd']), 'INVALID_ARGUMENT', /classNames must be at most 3 names/)
  const [one] = [input([2])]
  const two = network({ inputs: one, outputs: [dense(2).apply(one), dense(3).apply(one)] })
  const setTwo = () => {
    two.classNames = ['a', 'b']
  }
  expectError(setTwo, 'INVALID_ARGUMENT', /model: classNames are for a model of one output \[N, K\], this one gives \[N, 2\] and \[N, 3\]/)
})

test('fit and evaluate refuse data with other names, and change nothing', async () => {
  const model = made()
  model.classNames = ['cat', 'dog']
  const other = { x, y, classNames: ['cat', 'owl', 'dog'] }
  const before = await model.getWeights()
  await expectError(
    () => model.fit(other),
    'INVALID_ARGUMENT',
    /fit: class 1 is "owl" in the data and "dog" in the model: set model.classNames/,
  )
  await expectError(() => model.evaluate(other), 'INVALID_ARGUMENT', /evaluate: class 1 is "owl"/)
  const validationData = { x, y, classNames: ['dog', 'cat'] }
  await expectError(() => model.fit({ x, y }, { validationData }), 'INVALID_ARGUMENT', /fit: class 0 is "dog"/)
  model.classNames = undefined
  await expectError(
    () => model.fit(other, { validationData }),
    'INVALID_ARGUMENT',
    /class 0 is "dog" in the data and "cat" in the other data$/,
  )
  expect(model.classNames).toBeUndefined()
  expect(await model.getWeights()).toEqual(before)
})

test('a file with damaged names is refused', async () => {
  const model = made()
  model.classNames = ['a', 'b', 'c']
  const file = join(temporaryFolder(), 'damaged.safetensors')
  await model.save(file)
  const { tensors, metadata } = await readSafetensors(file)
  const document = { ...JSON.parse(metadata.convlane!), classNames: ['a', 'b', 'c', 'd'] }
  await writeSafetensors(file, tensors, { ...metadata, convlane: JSON.stringify(document) })
  await expectError(() => loadModel(file), 'INVALID_FILE', /damaged model description: model: classNames must be at most 3 names/)
})
