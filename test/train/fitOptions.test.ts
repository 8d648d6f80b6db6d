import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adam,
  dense,
  type FitEvent,
  type FitOptions,
  loadModel,
  type Optimizer,
  relu,
  sequential,
  sgd,
  tensorStatistics,
  weightsSha256,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { errorOf, expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([20, 4], 1), y: someLabels(20, 3) }
const small = (runtime: RuntimeName, optimizer: Optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })) =>
  sequential(
    { input: [4], seed: 1, runtime },
    dense(6, { activation: 'tanh', name: 'hidden' }),
    relu(),
    dense(3, { name: 'last' }),
  ).compile({
    optimizer,
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
type Small = ReturnType<typeof small>
const hash = async (model: Small) => weightsSha256(await model.getWeights())
const rows = (from: readonly number[]) => ({
  x: { shape: [from.length, 4], data: Float32Array.from(from.flatMap((row) => [...data.x.data.subarray(4 * row, 4 * row + 4)])) },
  y: { shape: [from.length] as const, data: Int32Array.from(from, (row) => data.y.data[row]!) },
})

describe.each(runtimes)('early stopping (%s)', (runtime) => {
  const wild = () => small(runtime, sgd({ learningRate: 1.5, momentum: 0.9 }))
  const options: FitOptions = { epochs: 60, batchSize: 5, validationData: rows([1, 5, 7]) }

  test('ends when nothing gets better, with the best weights', async () => {
    const model = wild()
    const history = await model.fit(data, { ...options, earlyStopping: { patience: 3 } })
    expect(history.stopped).toBe('earlyStopping')
    const losses = history.epochs.map(({ validation }) => validation!.loss)
    const best = losses.indexOf(Math.min(...losses))
    expect(losses).toHaveLength(best + 4)
    const other = wild()
    await other.fit(data, { ...options, epochs: best + 1 })
    expect(await hash(model)).toBe(await hash(other))
    const plain = wild()
    await plain.fit(data, { ...options, earlyStopping: { patience: 3, restoreBest: false } })
    expect(await hash(plain)).not.toBe(await hash(model))
  })

  test('goes by what is monitored', async () => {
    const stopped = async (earlyStopping: object) => (await small(runtime).fit(data, { ...options, earlyStopping })).epochs.length
    expect(await stopped({ monitor: 'validation/accuracy', mode: 'min', patience: 1 })).toBeLessThan(10)
    expect(await stopped({ monitor: 'loss', minDelta: 100, patience: 2 })).toBe(3)
  })

  test('a run that was stopped and resumed ends with the same weights', async () => {
    const given = { ...options, earlyStopping: { patience: 3 } }
    const undisturbed = wild()
    const history = await undisturbed.fit(data, given)
    const file = join(temporaryFolder(), 'c')
    for (const at of [3, 4 * (history.epochs.length - 2) + 2, 4 * history.epochs.length]) {
      let steps = 0
      const onStep = () => {
        if (++steps === at) throw new Error('crash')
      }
      await expect(wild().fit(data, { ...given, checkpoint: { file, every: 1 }, onStep })).rejects.toThrow('crash')
      const model = wild()
      expect((await model.fit(data, { ...given, resume: file })).stopped).toBe('earlyStopping')
      expect(await hash(model), `at ${at}`).toBe(await hash(undisturbed))
    }
    const complete = wild()
    await complete.fit(data, { ...given, checkpoint: { file } })
    const again = wild()
    const { epochs, stopped } = await again.fit(data, { ...given, resume: file })
    expect([epochs.length, stopped, await hash(again)]).toEqual([history.epochs.length, 'earlyStopping', await hash(undisturbed)])
    await (await loadModel(file, { runtime })).predict(data.x as never)
  })
})

describe.each(runtimes)('validation split (%s)', (runtime) => {
  test('keeps samples out of training, the same ones each time', async () => {
    const seen: number[] = []
    const watch = { ...data, x: { shape: [20, 4], data: data.x.data.slice() } }
    const model = small(runtime)
    const first = await model.fit(watch, { batchSize: 6, validationSplit: 0.25, seed: 3, onStep: ({ steps }) => void seen.push(steps) })
    expect(seen).toEqual([3, 3, 3])
    const again = await small(runtime).fit(watch, { batchSize: 6, validationSplit: 0.25, seed: 3 })
    expect(again.epochs[0]!.validation).toEqual(first.epochs[0]!.validation)
    const other = await small(runtime).fit(watch, { batchSize: 6, validationSplit: 0.25, seed: 4 })
    expect(other.epochs[0]!.validation).not.toEqual(first.epochs[0]!.validation)
  })

  test('is training on the one part, in order where it does not shuffle, and measuring the other', async () => {
    const unshuffled = { batchSize: 4, validationSplit: 0.2, seed: 3, shuffle: false }
    const model = small(runtime)
    const { epochs } = await model.fit(data, unshuffled)
    const candidates = data.x.shape[0]
    // The validation samples are those without which training gives the same weights: found by leaving out what a poisoned copy shows.
    const left: number[] = []
    for (let row = 0; row < candidates; row++) {
      const changed = { ...data, x: { ...data.x, data: data.x.data.slice() } }
      changed.x.data[4 * row]! += 1
      const probe = small(runtime)
      await probe.fit(changed, unshuffled)
      if ((await hash(probe)) === (await hash(model))) left.push(row)
    }
    expect(left).toHaveLength(4)
    const kept = Array.from({ length: 20 }, (_, row) => row).filter((row) => !left.includes(row))
    const plain = small(runtime)
    const expected = await plain.fit(rows(kept), { batchSize: 4, shuffle: false, validationData: rows(left) })
    expect(await hash(plain)).toBe(await hash(model))
    expect(epochs[0]!.validation!.loss).toBeCloseTo(expected.epochs[0]!.validation!.loss, 6)
  })

  test('refuses what cannot be split', async () => {
    const model = small(runtime)
    const split = (validationSplit: number, more: FitOptions = {}) => model.fit(data, { validationSplit, ...more })
    await expectError(() => split(1), 'INVALID_ARGUMENT', 'fit: validationSplit must be a finite number of at least 0 and below 1')
    await expectError(() => split(0.01), 'INVALID_ARGUMENT', 'leaves 0 of 20 samples for validation')
    await expectError(() => split(0.5, { validationData: data }), 'INVALID_ARGUMENT', 'validationData or validationSplit, not both')
    const stream = (async function* () {
      yield data
    })()
    await expectError(() => model.fit(stream, { validationSplit: 0.5 }), 'INVALID_ARGUMENT', 'for arrays only')
  })
})

describe.each(runtimes)('events of fit (%s)', (runtime) => {
  test('come one by one, and end with the history', async () => {
    const events: FitEvent[] = []
    const model = small(runtime)
    for await (const event of model.fitEvents(data, { epochs: 2, batchSize: 8 })) events.push(event)
    expect(events.map(({ type }) => type)).toEqual(['step', 'step', 'step', 'epoch', 'step', 'step', 'step', 'epoch', 'end'])
    const last = events.at(-1)!
    expect(last.type === 'end' && last.history.epochs).toHaveLength(2)
    const other = small(runtime)
    await other.fit(data, { epochs: 2, batchSize: 8 })
    expect(await hash(model)).toBe(await hash(other))
    for (const event of events) if (event.type === 'step') expect(event.gradientNorm).toBeGreaterThan(0)
  })

  test('a loop that is left ends the fit; an error comes out of it', async () => {
    const model = small(runtime)
    let count = 0
    for await (const event of model.fitEvents(data, { epochs: 1000, batchSize: 8 })) if (event.type === 'step' && ++count === 5) break
    expect((await model.fit(data)).epochs).toHaveLength(1)
    const failing = async () => {
      for await (const _ of model.fitEvents(data, { epochs: 0 }));
    }
    await expectError(failing, 'INVALID_ARGUMENT', 'fit: epochs must be a positive integer')
    const begun = (options: unknown) => () => model.fitEvents(data, options as never).next()
    await expectError(begun(null), 'INVALID_ARGUMENT', 'fit: options must be an object, received null')
    await expectError(begun({ callbacks: 3 }), 'INVALID_ARGUMENT', 'fit: callbacks must be an array of objects, received 3')
    await expectError(begun({ signal: 3 }), 'INVALID_ARGUMENT', 'fit: signal must be an AbortSignal, received 3')
    const controller = new AbortController()
    const types: string[] = []
    for await (const event of model.fitEvents(data, { epochs: 1000, signal: controller.signal })) {
      types.push(event.type)
      if (types.length === 3) controller.abort()
      if (event.type === 'end') expect(event.history.stopped).toBe('aborted')
    }
    expect(types.at(-1)).toBe('end')
  })
})

describe.each(runtimes)('numbers that are not finite (%s)', (runtime) => {
  const where = async (model: Small, given: object = data) => {
    const before = await hash(model)
    const error = await errorOf(() => model.fit(given as never, { batchSize: 20 }))
    expect(error.code).toBe('NOT_FINITE')
    expect(await hash(model)).toBe(before)
    return error.message
  }

  test('in the data, in weights, in a layer: named, and the weights stay', async () => {
    const x = { ...data.x, data: data.x.data.slice() }
    x.data[3] = Number.NaN
    expect(await where(small(runtime), { ...data, x })).toContain('the loss became NaN in epoch 1, step 1, first in the input "input"')
    const poisoned = small(runtime)
    await poisoned.setWeights({ 'last/bias': { shape: [3], data: Float32Array.of(0, Number.POSITIVE_INFINITY, 0) } })
    expect(await where(poisoned)).toContain('first in the weights "last/bias"')
    const huge = small(runtime)
    await huge.setWeights({ 'last/kernel': { shape: [6, 3], data: new Float32Array(18).map((_, i) => (i % 2 ? 3e38 : -3e38)) } })
    if (runtime === 'native') expect(await where(huge)).toMatch(/first in the (weights|layer) "last/)
  })

  test('a step that gives none goes on: the weights are those of the good steps', async () => {
    const x = { ...data.x, data: data.x.data.slice() }
    x.data[4 * 12] = Number.NaN
    const model = small(runtime)
    await expectError(() => model.fit({ ...data, x }, { batchSize: 5, shuffle: false }), 'NOT_FINITE', 'epoch 1, step 3')
    const weights = await model.getWeights()
    for (const [name, { notFinite }] of Object.entries(tensorStatistics(weights))) expect(notFinite, name).toBe(0)
    expect((await model.fit(data)).epochs).toHaveLength(1)
  })
})

describe.each(runtimes)('statistics (%s)', (runtime) => {
  test('of gradients and weights, on demand', async () => {
    const model = small(runtime, sgd({ learningRate: 1 }))
    const before = await model.getWeights()
    const gradients = await model.getGradients(data.x, data.y)
    await model.trainOnBatch(data.x, data.y)
    const after = await model.getWeights()
    for (const [name, { shape, data: gradient }] of Object.entries(gradients)) {
      expect(shape).toEqual(before[name]!.shape)
      gradient.forEach((value, i) => {
        expect(before[name]!.data[i]! - value, name).toBeCloseTo(after[name]!.data[i]!, 6)
      })
    }
    const norm = Math.hypot(...Object.values(tensorStatistics(gradients)).map((statistics) => statistics.norm))
    const other = small(runtime, adam())
    const reported: number[] = []
    await other.fit(data, { batchSize: 20, shuffle: false, onStep: ({ gradientNorm }) => void reported.push(gradientNorm) })
    expect(reported[0]).toBeCloseTo(norm, 5)
  })

  test('by hand', () => {
    const { a, b } = tensorStatistics({
      a: { shape: [4], data: Float32Array.of(0, 2, 4, 2) },
      b: { shape: [2], data: Float32Array.of(Number.NaN, -1) },
    })
    expect(a).toEqual({ mean: 2, deviation: Math.SQRT2, min: 0, max: 4, norm: Math.sqrt(24), zeros: 0.25, notFinite: 0 })
    expect([b!.notFinite, b!.min, b!.max]).toEqual([1, -1, -1])
  })
})
