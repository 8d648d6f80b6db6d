import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type Augment,
  adam,
  affine,
  brightness,
  type CompileOptions,
  conv2d,
  cutout,
  dense,
  dropout,
  type FitOptions,
  flatten,
  flip,
  input,
  mixup,
  network,
  randomOrder,
  sequential,
  setThreads,
  sgd,
  shift,
  type Tensor,
  threads,
  weightsSha256,
} from '../../lib/index'
import { add } from '../../lib/layers/merge'
import { metadataKey } from '../../lib/model/document'
import { type RunFacts, readCheckpoint, writeCheckpoint } from '../../lib/train/checkpoint'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'
import { Random } from '../support/random'

const random = new Random(5)
const data = {
  x: { shape: [22, 6, 7, 2], data: Uint8Array.from({ length: 22 * 84 }, () => random.whole(0, 255)) },
  y: someLabels(22, 3),
}
const everything: Augment = [
  affine({ degrees: 20, scale: 0.2, shift: 1, mode: 'edge' }),
  flip({ horizontal: true, vertical: true }),
  randomOrder(brightness(0.3), cutout({ size: [1, 3], probability: 0.5 })),
  mixup({ alpha: 0.4 }),
]
const make = (runtime: RuntimeName) =>
  sequential({ input: [6, 7, 2], seed: 1, runtime }, conv2d(4, 3, { activation: 'tanh' }), flatten(), dropout(0.2), dense(3)).compile({
    optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
type Made = ReturnType<typeof make>
const hash = async (model: Made) => weightsSha256(await model.getWeights())
const options: FitOptions = { epochs: 2, batchSize: 4, seed: 9, augment: everything }

const before = threads()
afterEach(() => setThreads(before))

test('the same bits with any number of threads, and others with another seed', async () => {
  const hashes: string[] = []
  for (const count of [1, 2, 3]) {
    setThreads(count)
    const model = make('native')
    await model.fit(data, options)
    hashes.push(await hash(model))
  }
  expect(new Set(hashes).size).toBe(1)
  for (const other of [{ seed: 10 }, { augment: [] }, { augment: [shift(1)] }]) {
    const model = make('native')
    await model.fit(data, { ...options, ...other })
    hashes.push(await hash(model))
  }
  expect(new Set(hashes).size).toBe(4)
})

test('native trains as the reference does', async () => {
  const [native, reference] = await Promise.all(
    runtimes.map(async (runtime) => {
      const model = make(runtime)
      const { epochs } = await model.fit(data, { ...options, epochs: 1 })
      return { loss: epochs[0]!.loss, weights: await model.getWeights() }
    }),
  )
  expect(native!.loss).toBeCloseTo(reference!.loss, 5)
  for (const [name, { data: values }] of Object.entries(native!.weights))
    values.forEach((value, index) => {
      expect(value).toBeCloseTo(reference!.weights[name]!.data[index]!, 5)
    })
})

test('what changes nothing trains as without', async () => {
  const trained: string[] = []
  for (const augment of [undefined, [], [shift(0), affine({}), flip({ probability: 0 }), mixup({ probability: 0 })]]) {
    const model = make('native')
    await model.fit(data, { ...options, augment: augment as Augment })
    trained.push(await hash(model))
  }
  expect(trained[1]).toBe(trained[0])
  // Class numbers have become distributions, whose loss is summed in another order.
  const weights = async (augment?: Augment) => {
    const model = make('native')
    await model.fit(data, { ...options, augment: augment as Augment })
    return (await model.getWeights())['dense/kernel']!.data
  }
  const [plain, mixed] = [await weights(), await weights([mixup({ probability: 0 })])]
  mixed!.forEach((value, index) => {
    expect(value).toBeCloseTo(plain![index]!, 5)
  })
})

describe.each(runtimes)('checkpoints with augmentation (%s)', (runtime) => {
  test('resumed in mid-epoch, the weights are those of a run that never stopped', async () => {
    const undisturbed = make(runtime)
    await undisturbed.fit(data, options)
    const file = join(temporaryFolder(), 'checkpoint')
    let steps = 0
    const onStep = () => {
      if (++steps === 9) throw new Error('crash')
    }
    await expect(make(runtime).fit(data, { ...options, checkpoint: { file, every: 2 }, onStep })).rejects.toThrow('crash')
    const model = make(runtime)
    await model.fit(data, { ...options, resume: file })
    expect(await hash(model)).toBe(await hash(undisturbed))
    for (const augment of [undefined, [shift(1)]])
      await expectError(
        () => make(runtime).fit(data, { ...options, augment: augment as Augment, resume: file }),
        'INVALID_ARGUMENT',
        /its run had augment/,
      )
  })
})

test('a checkpoint from before there was augmentation goes on without it', async () => {
  const file = join(temporaryFolder(), 'checkpoint')
  const { augment: _, ...plain } = options
  await make('native').fit(data, { ...plain, checkpoint: { file } })
  const { facts, ...rest } = await readCheckpoint(file, metadataKey)
  const { augment: word, ...old } = facts
  expect(word).toBe(null)
  await writeCheckpoint(file, { ...rest, facts: old as RunFacts }, metadataKey)
  await make('native').fit(data, { ...plain, epochs: 3, resume: file })
})

test('memory stays flat', async () => {
  const model = make('native')
  await model.fit(data, options)
  const first = model.memory()
  // Two batches, as they were given and as they are after each of the two ops: bytes and floats; labels and distributions; what a run gives.
  expect(first.stagingBytes).toBeGreaterThanOrEqual(2 * 4 * 84 * (1 + 4 + 4))
  expect(first.stagingBytes).toBeLessThan(2 * 4 * 84 * (1 + 4 + 4) + 2 * 1024)
  await model.fit(data, { ...options, epochs: 5 })
  expect(model.memory()).toEqual(first)
})

test('a regression and floats are mixed alike: a target that is a sum of the inputs stays one', async () => {
  const x = randomTensor([12, 4], 3)
  const y = {
    shape: [12, 1],
    data: Float32Array.from({ length: 12 }, (_, n) => x.data.subarray(n * 4, n * 4 + 4).reduce((sum, value) => sum + value)),
  }
  const model = sequential({ input: [4], seed: 1 }, dense(1, { bias: false })).compile({
    optimizer: sgd({ learningRate: 0.1 }),
    loss: 'meanSquaredError',
  })
  await model.setWeights({ 'dense/kernel': { shape: [4, 1], data: new Float32Array(4).fill(1) } })
  const { epochs } = await model.fit({ x, y }, { augment: [mixup({ alpha: 1 })], batchSize: 6 })
  expect(epochs[0]!.loss).toBeLessThan(1e-12)
})

test.each<[string, CompileOptions['loss'], number, Tensor | undefined]>([
  [
    'weights of samples, mixed as the samples are',
    'softmaxCrossEntropy',
    3,
    { shape: [22], data: Float32Array.from({ length: 22 }, (_, n) => n % 4) },
  ],
  ['class numbers of one output', 'sigmoidCrossEntropy', 1, undefined],
  ['class numbers for a loss of values', 'sigmoidCrossEntropy', 3, undefined],
])('%s: native as reference', async (_name, loss, outputs, sampleWeight) => {
  const y = outputs === 1 ? someLabels(22, 2) : data.y
  const [native, reference] = await Promise.all(
    runtimes.map(async (runtime) => {
      const model = sequential({ input: [6, 7, 2], seed: 1, runtime }, flatten(), dense(outputs))
      model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss })
      await model.fit({ x: data.x, y, ...(sampleWeight && { sampleWeight }) }, { ...options, epochs: 1 })
      return (await model.getWeights())['dense/kernel']!.data
    }),
  )
  native!.forEach((value, index) => {
    expect(value).toBeCloseTo(reference![index]!, 5)
  })
})

test('for a model of several inputs, by their names', async () => {
  const [left, right] = [input([4, 4, 1], { name: 'left' }), input([4, 4, 1], { name: 'right' })]
  const joined = dense(3).apply(flatten().apply(add().apply(left, right)))
  const model = network({ inputs: [left, right], outputs: joined, seed: 1 })
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
  const both = { x: { left: randomTensor([6, 4, 4, 1], 1), right: randomTensor([6, 4, 4, 1], 2) }, y: someLabels(6, 3) }
  await model.fit(both, { augment: { right: [shift(1)] } })
  await expectError(() => model.fit(both, { augment: [shift(1)] }), 'INVALID_ARGUMENT', /given by the names of inputs: left, right/)
  await expectError(() => model.fit(both, { augment: { middle: [] } as never }), 'INVALID_ARGUMENT', /unknown option "middle"/)
  await expectError(() => model.fit(both, { augment: { left: [mixup()] } }), 'INVALID_ARGUMENT', /mixup takes models of one input/)
})

describe('what does not fit is refused before the first step', () => {
  test('rows that are no images', async () => {
    const model = sequential({ input: [4] }, dense(3)).compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
    const rows = { x: randomTensor([6, 4], 1), y: someLabels(6, 3) }
    await expectError(
      () => model.fit(rows, { augment: [flip()] }),
      'INVALID_SHAPE',
      /^fit: augment: takes images \[N, H, W, C\], received \[N, 4\]/,
    )
    await model.fit(rows, { augment: [mixup()] })
  })

  test('no list, and what is no transformation', async () => {
    const model = make('native')
    await expectError(() => model.fit(data, { augment: 'shift' as never }), 'INVALID_ARGUMENT', /^fit: augment must be an array/)
    await expectError(() => model.fit(data, { augment: [{ kind: 'warp' }] as never }), 'INVALID_ARGUMENT', /received "warp"/)
    const grey = sequential({ input: [6, 7, 2] }, flatten(), dense(3)).compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
    await expectError(() => grey.fit(data, { augment: [shift(7, { mode: 'reflect' })] }), 'INVALID_SHAPE', /by less than the size/)
  })
})

test('the event loop turns while batches are prepared, and predict sees whole weights', async () => {
  const model = make('native')
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const trained = model.fit(data, { ...options, epochs: 20 })
  const said = await model.predict(data.x)
  await trained
  clearInterval(timer)
  expect(said.shape).toEqual([22, 3])
  expect(turns).toBeGreaterThan(0)
})
