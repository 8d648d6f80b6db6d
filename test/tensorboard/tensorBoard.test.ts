import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type FitOptions, type StepEvent, type TrainStart, tensorBoard } from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, someLabels } from '../support/models'
import { smallClassifier } from '../support/smallClassifier'
import { readRun } from './readEvents'

const data = { x: randomTensor([10, 4, 4, 3], 1), y: someLabels(10, 3) }
const validationData = { x: randomTensor([5, 4, 4, 3], 2), y: someLabels(5, 3) }

/** The curve of a tag over all files of a run: steps and values. */
const curve = (run: string, tag: string) =>
  readRun(run).flatMap(({ values }) => values.filter((value) => value.tag === tag).map(({ step, scalar }) => [step, scalar]))

test('curves are those of the run, with the names and folders of Keras', async () => {
  const dir = temporaryFolder()
  const steps: StepEvent[] = []
  const { epochs } = await smallClassifier().fit(data, {
    epochs: 3,
    batchSize: 4,
    validationData,
    callbacks: [tensorBoard(dir, { updateFreq: 'batch' })],
    onStep: (event) => void steps.push(event),
  })
  const f = Math.fround
  const [train, validation] = [join(dir, 'train'), join(dir, 'validation')]
  expect(curve(train, 'batch_loss')).toEqual(steps.map(({ loss }, index) => [index + 1, f(loss)]))
  expect(curve(train, 'batch_accuracy')).toEqual(steps.map(({ metrics }, index) => [index + 1, f(metrics.accuracy!)]))
  expect(curve(train, 'batch_gradient_norm')).toEqual(steps.map(({ gradientNorm }, index) => [index + 1, f(gradientNorm)]))
  expect(curve(train, 'epoch_loss')).toEqual(epochs.map(({ loss }, index) => [index, f(loss)]))
  expect(curve(train, 'epoch_accuracy')).toEqual(epochs.map(({ metrics }, index) => [index, f(metrics.accuracy!)]))
  expect(curve(train, 'epoch_learning_rate')).toEqual(epochs.map((_, index) => [index, f(0.01)]))
  expect(curve(validation, 'epoch_loss')).toEqual(epochs.map(({ validation }, index) => [index, f(validation!.loss)]))
  expect(curve(validation, 'evaluation_accuracy_vs_iterations')).toEqual(
    epochs.map(({ validation }, index) => [3 * (index + 1), f(validation!.accuracy!)]),
  )
})

test('histograms of weights and gradients, first filters and inputs', async () => {
  const dir = temporaryFolder()
  const model = smallClassifier()
  const options = { model, gradients: data, images: validationData.x, histogramFreq: 2, initialEpoch: 10, initialStep: 100 }
  await model.fit(data, { epochs: 2, batchSize: 4, callbacks: [tensorBoard(dir, { ...options, updateFreq: 2 })] })
  const [{ values }] = readRun(join(dir, 'train')) as [ReturnType<typeof readRun>[number]]
  expect(existsSync(join(dir, 'validation'))).toBe(false)
  expect(curve(join(dir, 'train'), 'batch_loss').map(([step]) => step)).toEqual([102, 104, 106])
  expect(curve(join(dir, 'train'), 'epoch_loss').map(([step]) => step)).toEqual([10, 11])
  const weights = await model.getWeights()
  const gradients = await model.getGradients(data.x, data.y)
  const shown = { ...weights, ...Object.fromEntries(Object.entries(gradients).map(([name, tensor]) => [`${name}/gradient`, tensor])) }
  const histograms = values.filter(({ numbers }) => numbers)
  expect(histograms.map(({ tag }) => tag).sort()).toEqual(Object.keys(shown).sort())
  for (const { tag, step, numbers, counts } of histograms) {
    const all = [...shown[tag]!.data]
    expect([step, numbers!.slice(0, 3)]).toEqual([11, [Math.min(...all), Math.max(...all), all.length]])
    expect(counts!.reduce((sum, count) => sum + count)).toBe(all.length)
  }
  const images = values
    .filter(({ image }) => image)
    .map(({ tag, step, image }) => [tag, step, image!.height, image!.width, image!.channels])
  const inputs = [0, 1, 2, 3, 4].map((index) => [`inputs/${index}`, 10, 4, 4, 3])
  expect(images).toEqual([...inputs, ['conv2d/kernel/filters', 11, 2 * 25 + 1, 3 * 25 + 1, 3]])
})

test('a histogram that would not be finite is left out, and ends no training', async () => {
  const dir = temporaryFolder()
  const model = smallClassifier()
  const gradients = { x: { shape: [1, 4, 4, 3], data: new Float32Array(48).fill(Number.NaN) }, y: someLabels(1, 3) }
  await model.fit(data, { epochs: 1, callbacks: [tensorBoard(dir, { model, gradients })] })
  const tags = readRun(join(dir, 'train')).flatMap(({ values }) => values.map(({ tag }) => tag))
  expect(tags).toContain('conv2d/kernel')
  expect(tags.filter((tag) => tag.endsWith('/gradient'))).toEqual([])
})

test('a run that is stopped and resumed: another file, steps that go on, what was told too far is dropped', async () => {
  const dir = temporaryFolder()
  const checkpoint = join(temporaryFolder(), 'run.checkpoint')
  const stop = new AbortController()
  const run = (options: FitOptions) =>
    smallClassifier().fit(data, {
      epochs: 3,
      batchSize: 4,
      checkpoint: { file: checkpoint, every: 1 },
      callbacks: [tensorBoard(dir, { updateFreq: 'batch' })],
      ...options,
    })
  await run({ signal: stop.signal, onStep: ({ epoch, step }) => void (epoch === 2 && step === 2 && stop.abort()) })
  await run({ resume: checkpoint })
  const [first, second] = readRun(join(dir, 'train')) as [ReturnType<typeof readRun>[number], ReturnType<typeof readRun>[number]]
  const steps = ({ values }: typeof first) => values.filter(({ tag }) => tag === 'batch_loss').map(({ step }) => step)
  const done = steps(first).length
  expect([...steps(first), ...steps(second)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect([first.restarts, second.restarts]).toEqual([[], [done + 1]])
  expect(curve(join(dir, 'train'), 'epoch_loss').map(([step]) => step)).toEqual([0, 1, 2])
})

test.each([2, 4])(
  'an epoch that was told, and is done anew from a checkpoint within it, stands once in either folder (every %d steps)',
  async (every) => {
    const dir = temporaryFolder()
    const checkpoint = join(temporaryFolder(), 'run.checkpoint')
    const copy = join(temporaryFolder(), 'within.checkpoint')
    const starts: TrainStart[] = []
    const run = (options: FitOptions, end?: number) => {
      const model = smallClassifier()
      const board = tensorBoard(dir, { updateFreq: 'batch', model, gradients: data, images: validationData.x })
      const fails = {
        onTrainBegin: (start: TrainStart) => void starts.push(start),
        onEpoch: ({ epoch }: { epoch: number }) => (epoch === end ? Promise.reject(new Error('disk')) : undefined),
      }
      return model.fit(data, {
        epochs: 4,
        batchSize: 4,
        validationData,
        checkpoint: { file: checkpoint, every },
        callbacks: [board, fails as never],
        ...options,
      })
    }
    // Each ends behind what TensorBoard was told of its last epoch, and before the checkpoint of this.
    await expect(run({}, 2)).rejects.toThrow('disk')
    cpSync(checkpoint, copy)
    await expect(run({ resume: copy }, 2)).rejects.toThrow('disk')
    await run({ resume: copy })
    const within = { epoch: 2, step: every === 2 ? 3 : 1, steps: 3 }
    expect(starts).toEqual([{ epoch: 1, step: 0, steps: 3 }, within, within])
    /** As TensorBoard's plain loader keeps them: what a restart leaves behind is dropped, whatever its tag. */
    const shown = (folder: string) => {
      let kept: { tag: string; step: number }[] = []
      for (const { values, restarts } of readRun(join(dir, folder))) {
        for (const restart of restarts) kept = kept.filter(({ step }) => step < restart)
        kept.push(...values)
      }
      const steps: Record<string, number[]> = {}
      for (const { tag, step } of kept) steps[tag] = [...(steps[tag] ?? []), step]
      return steps
    }
    for (const folder of ['train', 'validation']) {
      expect(readRun(join(dir, folder)).length).toBeGreaterThan(2)
      for (const [tag, steps] of Object.entries(shown(folder))) {
        const perStep = Array.from({ length: 12 }, (_, step) => step + 1)
        const expected = tag.startsWith('inputs')
          ? [0]
          : tag.startsWith('batch_')
            ? perStep
            : tag.endsWith('_vs_iterations')
              ? [3, 6, 9, 12]
              : [0, 1, 2, 3]
        expect(steps, tag).toEqual(expected)
      }
    }
  },
)

test('another run in the same folder that is resumed is not taken for the one before', async () => {
  const dir = temporaryFolder()
  const checkpoint = join(temporaryFolder(), 'run.checkpoint')
  const run = (options: FitOptions) => smallClassifier().fit(data, { epochs: 3, batchSize: 4, callbacks: [tensorBoard(dir)], ...options })
  await run({})
  const stop = new AbortController()
  const onStep = ({ epoch, step }: StepEvent) => void (epoch === 2 && step === 2 && stop.abort())
  await run({ checkpoint: { file: checkpoint }, signal: stop.signal, onStep })
  await run({ checkpoint: { file: checkpoint }, resume: checkpoint })
  expect(curve(join(dir, 'train'), 'epoch_loss').map(([step]) => step)).toEqual([0, 1, 2, 0, 1, 2])
})

test('a fit that fails has told what was before; streams are counted', async () => {
  const dir = temporaryFolder()
  const bad = { x: { ...data.x, data: data.x.data.map(() => Number.NaN) }, y: data.y }
  const stream = async function* () {
    yield data
    yield data
    yield bad
  }
  await expectError(
    () => smallClassifier().fit(stream(), { callbacks: [tensorBoard(dir, { updateFreq: 'batch', flushSeconds: 3600 })] }),
    'NOT_FINITE',
    /./,
  )
  expect(curve(join(dir, 'train'), 'batch_loss').map(([step]) => step)).toEqual([1, 2])
})

test('bad options are refused; a folder that cannot be made ends fit before its first step', async () => {
  const folder = temporaryFolder()
  const refused: [object, RegExp][] = [
    [{ histogramsFreq: 1 }, /unknown option "histogramsFreq"/],
    [{ updateFreq: 'step' }, /updateFreq must be 'batch', 'epoch' or a number of steps, received "step"/],
    [{ updateFreq: 0 }, /updateFreq/],
    [{ model: {} }, /model must be a model/],
    [{ gradients: data }, /gradients must be given with model/],
    [{ histogramFreq: -1 }, /histogramFreq/],
    [{ initialStep: 0.5 }, /initialStep/],
  ]
  for (const [options, message] of refused) await expectError(() => tensorBoard(folder, options), 'INVALID_ARGUMENT', message)
  await expectError(() => tensorBoard(folder, { images: { shape: [4], data: new Uint8Array(4) } }), 'INVALID_SHAPE', /tensorBoard: images/)
  writeFileSync(join(folder, 'file'), '')
  let steps = 0
  const options = { callbacks: [tensorBoard(join(folder, 'file'))], onStep: () => void steps++ }
  await expectError(() => smallClassifier().fit(data, options), 'FILE_ERROR', /not a directory/)
  expect(steps).toBe(0)
})
