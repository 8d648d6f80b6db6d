import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adam,
  cosineDecay,
  dense,
  dropout,
  type FitOptions,
  loadModel,
  type Optimizer,
  readSafetensors,
  reduceOnPlateau,
  rmsprop,
  sequential,
  sgd,
  weightsSha256,
  writeSafetensors,
} from '../../lib/index'
import { metadataKey } from '../../lib/model/document'
import { type FitProgress, readCheckpoint, writeCheckpoint } from '../../lib/train/checkpoint'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([10, 4], 1), y: someLabels(10, 3) }
const validationData = { x: randomTensor([5, 4], 2), y: someLabels(5, 3) }
const momentum = () => sgd({ learningRate: cosineDecay(0.2, { steps: 12 }), momentum: 0.9, weightDecay: 0.01, clip: { globalNorm: 1 } })
const small = (runtime: RuntimeName, optimizer: Optimizer = momentum()) =>
  sequential({ input: [4], seed: 1, runtime }, dense(6, { activation: 'tanh' }), dropout(0.25), dense(3)).compile({
    optimizer,
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
type Small = ReturnType<typeof small>
const hash = async (model: Small) => weightsSha256(await model.getWeights())
const options: FitOptions = { epochs: 4, batchSize: 4, seed: 5, validationData }
const resultsOf = ({ epochs }: Awaited<ReturnType<Small['fit']>>) =>
  epochs.map(({ epoch, loss, metrics, validation, learningRate }) => ({ epoch, loss, metrics, validation, learningRate }))

/** Fits until a number of steps is done, then fails as a crash would; what is in the file afterwards was written before. */
async function crash(model: Small, file: string, at: number, every?: number): Promise<void> {
  let steps = 0
  const onStep = () => {
    if (++steps === at) throw new Error('crash')
  }
  await expect(model.fit(data, { ...options, checkpoint: { file, ...(every && { every }) }, onStep })).rejects.toThrow('crash')
}

const optimizers: Record<string, () => Optimizer> = {
  'sgd with a schedule': momentum,
  'plain sgd': () => sgd({ learningRate: 0.1 }),
  adam: () => adam({ learningRate: 0.01 }),
  rmsprop: () => rmsprop({ centered: true, momentum: 0.5 }),
  'a plateau': () => sgd({ learningRate: reduceOnPlateau(0.1, { patience: 0, threshold: 0.5 }), momentum: 0.5 }),
}

describe.each(runtimes)('checkpoints (%s)', (runtime) => {
  test.each(Object.entries(optimizers))(
    'resumed anywhere, the weights and the history are those of a run that never stopped: %s',
    async (_name, optimizer) => {
      const undisturbed = small(runtime, optimizer())
      const expected = resultsOf(await undisturbed.fit(data, options))
      const cwd = temporaryFolder()
      for (const [at, every] of [
        [5, 1],
        [7, 2],
        [6, 3],
        [4, undefined],
        [12, 5],
      ] as const) {
        // biome-ignore format: one list
        const file = join(cwd, `${at}`)
        await crash(small(runtime, optimizer()), file, at, every)
        const model = small(runtime, optimizer())
        const history = await model.fit(data, { ...options, resume: file })
        expect(resultsOf(history)).toEqual(expected)
        expect(await hash(model), `after ${at}, every ${every}`).toBe(await hash(undisturbed))
        await model.fit(data, options)
      }
    },
  )

  test('an iterable is read up to where it was', async () => {
    const part = (start: number, n: number) => ({
      x: { shape: [n, 4], data: data.x.data.subarray(4 * start, 4 * (start + n)) },
      y: { shape: [n] as const, data: data.y.data.subarray(start, start + n) },
    })
    const batches = { [Symbol.asyncIterator]: () => (async function* () { yield* [part(0, 3), part(3, 5), part(8, 2)] })() } // biome-ignore format: one line
    const undisturbed = small(runtime)
    await undisturbed.fit(batches, { epochs: 2 })
    const file = join(temporaryFolder(), 'c')
    const controller = new AbortController()
    const onStep = ({ step }: { step: number }) => void (step === 2 && controller.abort())
    const history = await small(runtime).fit(batches, { epochs: 2, checkpoint: { file }, signal: controller.signal, onStep })
    expect(history.stopped).toBe('aborted')
    const model = small(runtime)
    await model.fit(batches, { epochs: 2, resume: file })
    expect(await hash(model)).toBe(await hash(undisturbed))
  })

  test.each(['early stopping', 'a plateau'])('stopped while it validates, it resumes to validate: %s', async (watcher) => {
    const build = () =>
      small(runtime, sgd({ learningRate: watcher === 'a plateau' ? reduceOnPlateau(0.5, { patience: 0, threshold: 0.5 }) : 0.5 }))
    const file = join(temporaryFolder(), 'c')
    const controller = new AbortController()
    /** Validation in two batches; before the second one of the second epoch a signal comes. */
    const batches = (stopping?: AbortController) => {
      let times = 0
      const read = async function* () {
        yield validationData
        if (++times === 2) stopping?.abort()
        yield validationData
      }
      return { [Symbol.asyncIterator]: read }
    }
    const watched = { ...options, ...(watcher !== 'a plateau' && { earlyStopping: { monitor: 'validation/loss', patience: 2 } }) }
    const undisturbed = build()
    const expected = resultsOf(await undisturbed.fit(data, { ...watched, validationData: batches() }))
    const { signal } = controller
    const history = await build().fit(data, { ...watched, validationData: batches(controller), signal, checkpoint: { file } })
    expect([history.stopped, resultsOf(history)]).toEqual(['aborted', expected.slice(0, 1)])
    const model = build()
    expect(resultsOf(await model.fit(data, { ...watched, validationData: batches(), resume: file }))).toEqual(expected)
    expect(await hash(model)).toBe(await hash(undisturbed))
  })

  test('a run that was done resumes to its end at once, and goes on with more epochs', async () => {
    const file = join(temporaryFolder(), 'c')
    const first = small(runtime)
    const { epochs } = await first.fit(data, { ...options, checkpoint: { file } })
    const second = small(runtime)
    expect((await second.fit(data, { ...options, resume: file })).epochs).toEqual(epochs)
    expect(await hash(second)).toBe(await hash(first))
    await second.fit(data, { ...options, epochs: 5, resume: file })
    await first.fit(data, { ...options, epochs: 1 })
    expect(await hash(second)).toBe(await hash(first))
  })

  test('one of a release that kept no learning rates resumes', async () => {
    const file = join(temporaryFolder(), 'c')
    const first = small(runtime)
    await first.fit(data, { ...options, epochs: 2, checkpoint: { file } })
    const checkpoint = await readCheckpoint(file, metadataKey)
    const done = checkpoint.progress.done.map(({ learningRate: _, ...event }) => event) as unknown as FitProgress['done']
    await writeCheckpoint(file, { ...checkpoint, progress: { ...checkpoint.progress, done } }, metadataKey)
    const { epochs } = await small(runtime).fit(data, { ...options, epochs: 3, resume: file })
    const undisturbed = await small(runtime).fit(data, { ...options, epochs: 3 })
    expect(epochs.map(({ learningRate }) => learningRate)).toEqual([Number.NaN, Number.NaN, undisturbed.epochs[2]!.learningRate])
  })

  test('a checkpoint is a model, too', async () => {
    const file = join(temporaryFolder(), 'c')
    const model = small(runtime)
    await model.fit(data, { ...options, checkpoint: { file } })
    const loaded = await loadModel(file, { runtime })
    expect(weightsSha256(await loaded.getWeights())).toBe(await hash(model))
  })
})

test('what a killed writer left is removed', async () => {
  const cwd = temporaryFolder()
  for (const name of ['.c.0123456789ab.tmp', '.d.0123456789ab.tmp', '.c.tmp', 'c']) writeFileSync(join(cwd, name), 'half')
  await small('native').fit(data, { ...options, checkpoint: { file: join(cwd, 'c') } })
  expect(readdirSync(cwd).sort()).toEqual(['.c.tmp', '.d.0123456789ab.tmp', 'c'])
})

describe('what cannot be resumed', () => {
  const written = async () => {
    const file = join(temporaryFolder(), 'c')
    await small('native').fit(data, { ...options, epochs: 1, checkpoint: { file, note: 'mine' } })
    return file
  }
  const again = { ...options, epochs: 2, checkpoint: { file: 'unused', note: 'mine' } }

  test('changes nothing and says why', async () => {
    const file = await written()
    const model = small('native')
    const before = await hash(model)
    const refused = (changes: FitOptions, code: 'INVALID_ARGUMENT' | 'INVALID_SHAPE', message: string, of: Small = model) =>
      expectError(() => of.fit(data, { ...again, resume: file, ...changes }), code, message)
    await refused({ seed: 6 }, 'INVALID_ARGUMENT', `cannot resume from ${file}: its run had seed 5, this one has 6`)
    await refused({ batchSize: 5 }, 'INVALID_ARGUMENT', 'its run had batchSize 4, this one has 5')
    await refused({ shuffle: false }, 'INVALID_ARGUMENT', 'its run had shuffle true, this one has false')
    await refused({ checkpoint: { file: 'unused' } }, 'INVALID_ARGUMENT', 'its run had note "mine", this one has null')
    await refused({}, 'INVALID_ARGUMENT', 'its run had optimizer {', small('native', adam()))
    await refused({}, 'INVALID_ARGUMENT', 'its run had runtime "native", this one has "reference"', small('reference'))
    const other = sequential({ input: [4] }, dense(3)).compile({
      optimizer: momentum(),
      loss: 'softmaxCrossEntropy',
      metrics: ['accuracy'],
    })
    await refused({}, 'INVALID_SHAPE', 'fit: resume from', other as unknown as Small)
    expect(await hash(model)).toBe(before)
    expect((await model.fit(data)).epochs).toHaveLength(1)
  })

  test('a damaged file, whichever byte', async () => {
    const file = await written()
    const bytes = readFileSync(file)
    const model = small('native')
    const resumed = (content: Uint8Array) => {
      writeFileSync(file, content)
      return () => model.fit(data, { ...again, resume: file })
    }
    for (let at = 0; at < bytes.length; at += 97) {
      const damaged = Uint8Array.from(bytes)
      damaged[at]! ^= 0x10
      await expectError(resumed(damaged), 'INVALID_FILE', file)
    }
    await expectError(resumed(bytes.subarray(0, bytes.length - 1)), 'INVALID_FILE', 'truncated')
    await expectError(resumed(new Uint8Array()), 'INVALID_FILE', file)
    writeFileSync(file, bytes)
    const { tensors, metadata } = await readSafetensors(file)
    await writeSafetensors(file, tensors, { ...metadata, 'convlane.checkpoint': '{}' })
    await expectError(() => model.fit(data, { ...again, resume: file }), 'INVALID_FILE', 'damaged checkpoint: its checksum is wrong')
    await model.save(file)
    await expectError(() => model.fit(data, { ...again, resume: file }), 'INVALID_FILE', 'no checkpoint (a model, perhaps: loadModel)')
    await expectError(() => model.fit(data, { ...again, resume: 'none' }), 'FILE_ERROR', 'cannot read none')
  })

  test('options that make no sense, and a file that cannot be written', async () => {
    const model = small('native')
    await expectError(() => model.fit(data, { checkpoint: { file: '' } }), 'INVALID_ARGUMENT', 'fit: checkpoint.file must be a path')
    await expectError(() => model.fit(data, { checkpoint: { file: 'c', every: 0 } }), 'INVALID_ARGUMENT', 'fit: checkpoint.every')
    await expectError(() => model.fit(data, { resume: 1 as never }), 'INVALID_ARGUMENT', 'fit: resume must be a path')
    const file = join(temporaryFolder(), 'none', 'c')
    await expectError(() => model.fit(data, { epochs: 3, checkpoint: { file } }), 'FILE_ERROR', `cannot write ${file}`)
    expect((await model.fit(data)).epochs).toHaveLength(1)
  })
})
