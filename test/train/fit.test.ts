import { describe, expect, test } from 'vitest'
import {
  adam,
  type Callback,
  conv2d,
  dense,
  digits,
  dropout,
  type EpochEvent,
  flatten,
  maxPool2d,
  type StepEvent,
  sequential,
  setThreads,
  sgd,
  sliceDataset,
  threads,
  weightsSha256,
} from '../../lib/index'
import { errorOf, expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([10, 4], 1), y: someLabels(10, 3) }
const small = (runtime: RuntimeName, seed = 1) =>
  sequential({ input: [4], seed, runtime }, dense(6, { activation: 'tanh' }), dropout(0.25), dense(3)).compile({
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
const hash = async (model: ReturnType<typeof small>) => weightsSha256(await model.getWeights())

describe.each(runtimes)('fit (%s)', (runtime) => {
  test('reports steps and epochs', async () => {
    const steps: StepEvent[] = []
    const epochs: EpochEvent[] = []
    const validationData = { x: randomTensor([7, 4], 2), y: someLabels(7, 3) }
    const history = await small(runtime).fit(data, {
      epochs: 2,
      batchSize: 4,
      validationData,
      onStep: (event) => void steps.push(event),
      onEpoch: (event) => void epochs.push(event),
    })
    expect(history.epochs).toEqual(epochs)
    expect(history.stopped).toBeUndefined()
    expect(steps.map(({ epoch, step, steps }) => [epoch, step, steps])).toEqual([[1, 1, 3], [1, 2, 3], [1, 3, 3], [2, 1, 3], [2, 2, 3], [2, 3, 3]]) // biome-ignore format: one list
    for (const { imagesPerSecond, loss } of steps) expect([imagesPerSecond > 0, Number.isFinite(loss)]).toEqual([true, true])
    for (const [index, { epoch, loss, metrics, learningRate, seconds, imagesPerSecond, validation }] of epochs.entries()) {
      const [a, b, c] = steps.slice(3 * index).map((step) => step.loss)
      expect(epoch).toBe(index + 1)
      expect(loss).toBeCloseTo((4 * a! + 4 * b! + 2 * c!) / 10, 9)
      expect(metrics).toEqual(steps[3 * index + 2]!.metrics)
      expect((metrics.accuracy! * 10) % 1).toBeCloseTo(0, 9)
      expect(imagesPerSecond).toBeCloseTo(10 / seconds, 6)
      expect([learningRate, steps[3 * index]!.learningRate]).toEqual([0.1, 0.1])
      expect(Object.keys(validation!)).toEqual(['loss', 'accuracy'])
    }
  })

  test('the same seed gives the same bits; another order, another result', async () => {
    const trained = async (options: object, seed?: number) => {
      const model = small(runtime, seed)
      await model.fit(data, { epochs: 2, batchSize: 4, ...options })
      return hash(model)
    }
    const first = await trained({})
    expect(await trained({})).toBe(first)
    const others = await Promise.all([trained({ seed: 2 }), trained({ shuffle: false }), trained({ batchSize: 5 }), trained({}, 2)])
    expect(new Set([first, ...others]).size).toBe(5)
  })

  test('two fits of an epoch are one of two; compile starts anew', async () => {
    const [once, twice] = [small(runtime), small(runtime)]
    await once.fit(data, { epochs: 2, batchSize: 4 })
    await twice.fit(data, { batchSize: 4 })
    await twice.fit(data, { batchSize: 4 })
    expect(await hash(twice)).toBe(await hash(once))
  })

  test('compile keeps the weights and forgets slots, steps and epochs', async () => {
    const options = { optimizer: adam(), loss: 'softmaxCrossEntropy' } as const
    const [trained, fresh] = [small(runtime), small(runtime)]
    await trained.fit(data)
    await fresh.setWeights(await trained.getWeights())
    trained.compile(options)
    fresh.compile(options)
    await trained.setWeights(await fresh.getWeights())
    await trained.fit(data, { batchSize: 4 })
    await fresh.fit(data, { batchSize: 4 })
    expect(await hash(trained)).toBe(await hash(fresh))
  })

  test('a schedule is asked for each step, from 0, over calls of fit', async () => {
    const asked: number[] = []
    const learningRate = (step: number) => {
      asked.push(step)
      return step === 0 ? 0.5 : 0
    }
    const model = small(runtime).compile({ optimizer: sgd({ learningRate }), loss: 'softmaxCrossEntropy' })
    const start = await hash(model)
    await model.trainOnBatch(data.x, data.y)
    const after = await hash(model)
    expect(after).not.toBe(start)
    await model.fit(data, { batchSize: 5, epochs: 2 })
    expect(asked).toEqual([0, 1, 2, 3, 4])
    expect(await hash(model)).toBe(after)
  })

  test('steps and epochs tell the learning rate', async () => {
    const rates: number[] = []
    const model = small(runtime).compile({ optimizer: sgd({ learningRate: (step) => 0.5 / (step + 1) }), loss: 'softmaxCrossEntropy' })
    const { epochs } = await model.fit(data, { batchSize: 5, epochs: 2, onStep: ({ learningRate }) => void rates.push(learningRate) })
    expect(rates).toEqual([0.5, 0.5 / 2, 0.5 / 3, 0.5 / 4])
    expect(epochs.map(({ learningRate }) => learningRate)).toEqual([0.5 / 2, 0.5 / 4])
  })

  test('an abort ends it after the step under way', async () => {
    const [model, other] = [small(runtime), small(runtime)]
    const controller = new AbortController()
    let steps = 0
    const history = await model.fit(data, {
      epochs: 1000,
      batchSize: 2,
      signal: controller.signal,
      onStep: () => {
        if (++steps === 12) controller.abort()
      },
    })
    expect(history.stopped).toBe('aborted')
    expect(history.epochs).toHaveLength(2)
    expect(steps).toBeLessThanOrEqual(14)
    let replayed = 0
    const replay = new AbortController()
    await other.fit(data, { epochs: 1000, batchSize: 2, signal: replay.signal, onStep: () => void (++replayed === 12 && replay.abort()) })
    expect(await hash(other)).toBe(await hash(model))
    expect(await model.fit(data, { signal: controller.signal })).toEqual({ epochs: [], stopped: 'aborted' })
    await expectError(() => model.evaluate(data, { signal: controller.signal }), 'ABORTED', 'evaluate: stopped by its signal')
    expect((await model.fit(data)).epochs).toHaveLength(1)
  })

  test('callbacks are called in order and awaited', async () => {
    const calls: string[] = []
    const recorder = (name: string): Callback => ({
      onTrainBegin: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        calls.push(`${name} begin`)
      },
      onStep: ({ step }) => void calls.push(`${name} step ${step}`),
      onEpoch: ({ epoch }) => void calls.push(`${name} epoch ${epoch}`),
      onTrainEnd: ({ epochs }) => void calls.push(`${name} end ${epochs.length}`),
    })
    await small(runtime).fit(data, { batchSize: 10, callbacks: [recorder('a'), recorder('b')], onEpoch: () => void calls.push('own') })
    expect(calls).toEqual(['a begin', 'b begin', 'a step 1', 'b step 1', 'a epoch 1', 'b epoch 1', 'own', 'a end 1', 'b end 1'])
  })

  test.each(['onTrainBegin', 'onStep', 'onEpoch', 'onTrainEnd'] as const)(
    'an error in %s ends it, and the model stays usable',
    async (hook) => {
      const model = small(runtime)
      const fails = { [hook]: () => Promise.reject(new RangeError('mine')) }
      await expect(model.fit(data, { batchSize: 2, callbacks: [fails] })).rejects.toThrow(new RangeError('mine'))
      expect((await model.fit(data)).epochs).toHaveLength(1)
    },
  )

  test('a loss that is not finite ends it, saying where, and the model stays usable', async () => {
    const x = { ...data.x, data: data.x.data.slice() }
    x.data[4 * 7] = Number.NaN
    const model = small(runtime)
    const start = await model.getWeights()
    const error = await errorOf(() => model.fit({ x, y: data.y }, { batchSize: 2, shuffle: false }))
    expect([error.code, error.message]).toEqual(['NOT_FINITE', expect.stringContaining('the loss became NaN in epoch 1, step 4')])
    await model.setWeights(start)
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
    expect((await model.fit(data)).epochs[0]!.loss).toBeLessThan(3)
  })

  test('a batch larger than the data takes all of it', async () => {
    const steps: number[] = []
    await small(runtime).fit(data, { batchSize: 1000, onStep: ({ steps: count }) => void steps.push(count) })
    expect(steps).toEqual([1])
  })
})

describe.each(runtimes)('batches of an async iterable (%s)', (runtime) => {
  const part = (start: number, n: number) => ({
    x: { shape: [n, 4], data: data.x.data.subarray(4 * start, 4 * (start + n)) },
    y: { shape: [n] as const, data: data.y.data.subarray(start, start + n) },
  })
  const batches = { [Symbol.asyncIterator]: () => (async function* () { yield* [part(0, 3), part(3, 5), part(8, 2)] })() } // biome-ignore format: one line

  test('are taken as they come, and give what single steps give', async () => {
    const [model, other] = [small(runtime), small(runtime)]
    const history = await model.fit(batches, { epochs: 2, validationData: batches })
    const losses: number[] = []
    for (const [start, n] of [[0, 3], [3, 5], [8, 2], [0, 3], [3, 5], [8, 2]] as const) losses.push((await other.trainOnBatch(part(start, n).x, part(start, n).y)).loss) // biome-ignore format: one loop
    expect(await hash(model)).toBe(await hash(other))
    expect(history.epochs[0]!.loss).toBeCloseTo((3 * losses[0]! + 5 * losses[1]! + 2 * losses[2]!) / 10, 6)
    expect(history.epochs[1]!.validation!.loss).toBeCloseTo((await model.evaluate(data)).loss, 5)
  })

  test('are read at most two ahead of the step that was done', async () => {
    let [read, done, ahead] = [0, 0, 0]
    async function* counted() {
      for (let i = 0; i < 20; i++) {
        ahead = Math.max(ahead, ++read - done)
        yield part(0, 2)
      }
    }
    const slowly = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      done++
    }
    await small(runtime).fit(counted(), { onStep: slowly })
    expect([read, done]).toEqual([20, 20])
    expect(ahead).toBeLessThanOrEqual(2)
  })

  test('are given back when fit ends early', async () => {
    let closed = 0
    async function* endless() {
      try {
        for (;;) yield part(0, 2)
      } finally {
        closed++
      }
    }
    const controller = new AbortController()
    const history = await small(runtime).fit(endless(), {
      signal: controller.signal,
      onStep: ({ step }) => void (step === 3 && controller.abort()),
    })
    expect([history.stopped, closed]).toEqual(['aborted', 1])
    const failing = small(runtime).fit(endless(), { onStep: () => { throw new Error('mine') } }) // biome-ignore format: one call
    await expect(failing).rejects.toThrow('mine')
    expect(closed).toBe(2)
  })

  test('a signal ends fit while the next batch is awaited, and never comes', async () => {
    async function* stalling() {
      yield part(0, 2)
      await new Promise(() => {})
    }
    const controller = new AbortController()
    const history = await small(runtime).fit(stalling(), {
      signal: controller.signal,
      callbacks: [{ onTrainBegin: () => void setTimeout(() => controller.abort(), 20) }],
    })
    expect(history).toEqual({ epochs: [], stopped: 'aborted' })
  })

  test('a signal that never comes changes nothing', async () => {
    const [model, other] = [small(runtime), small(runtime)]
    const { signal } = new AbortController()
    await model.fit(batches, { signal, epochs: 2 })
    await other.fit(batches, { epochs: 2 })
    expect(await hash(model)).toBe(await hash(other))
    async function* broken() {
      yield part(0, 2)
      throw new Error('disk gone')
    }
    await expect(model.fit(broken(), { signal })).rejects.toThrow('disk gone')
  })

  test('an error of the iterable, a bad batch, a generator that is used up', async () => {
    const model = small(runtime)
    async function* broken() {
      yield part(0, 2)
      throw new Error('disk gone')
    }
    await expect(model.fit(broken())).rejects.toThrow('disk gone')
    async function* bad() {
      yield part(0, 2)
      yield { x: randomTensor([2, 5], 1), y: someLabels(2, 3) }
    }
    await expectError(() => model.fit(bad()), 'INVALID_SHAPE', 'fit: x must have shape [N, 4], received [2, 5]')
    async function* once() {
      yield part(0, 2)
    }
    await expectError(() => model.fit(once(), { epochs: 2 }), 'INVALID_ARGUMENT', 'a generator runs once')
    expect((await model.fit(batches)).epochs).toHaveLength(1)
  })
})

describe('on the digits', () => {
  const lenet = (runtime: RuntimeName) =>
    sequential(
      { input: [8, 8, 1], seed: 1, runtime },
      conv2d(8, 3, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      conv2d(16, 5, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      flatten(),
      dense(32, { activation: 'relu' }),
      dense(10),
    )

  test.each([
    ['sgd', () => sgd({ learningRate: 0.05, momentum: 0.9 })],
    ['adam', () => adam({ learningRate: 0.002 })],
  ] as const)(
    '20 steps of 16, native against reference: losses within 1e-5, tensors within 1e-4 of their maximum (%s)',
    async (_name, optimizer) => {
      const { train } = await digits()
      const runs = []
      for (const runtime of runtimes) {
        const losses: number[] = []
        const model = lenet(runtime).compile({ optimizer: optimizer(), loss: 'softmaxCrossEntropy' })
        await model.fit(sliceDataset(train, 0, 320), { batchSize: 16, onStep: ({ loss }) => void losses.push(loss) })
        runs.push({ losses, weights: await model.getWeights() })
      }
      const [reference, native] = runs as [(typeof runs)[0], (typeof runs)[0]]
      expect(native.losses).toHaveLength(20)
      native.losses.forEach((loss, step) => {
        expect(Math.abs(loss - reference.losses[step]!), `loss of step ${step + 1}`).toBeLessThan(1e-5)
      })
      for (const [name, { data: expected }] of Object.entries(reference.weights)) {
        const actual = native.weights[name]!.data
        const largest = Math.max(...expected.map(Math.abs))
        const difference = Math.max(...expected.map((value, index) => Math.abs(value - actual[index]!)))
        expect(difference / largest, name).toBeLessThan(1e-4)
      }
    },
  )

  test('learns 64 samples by heart', async () => {
    const { train } = await digits()
    const few = sliceDataset(train, 0, 64)
    const model = lenet('native').compile({ optimizer: adam({ learningRate: 0.005 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    await model.fit(few, { epochs: 60, batchSize: 16 })
    const { loss, accuracy } = await model.evaluate(few)
    expect(accuracy).toBe(1)
    expect(loss).toBeLessThan(0.01)
  })

  test('is the same bits with 1 and 2 threads', async () => {
    const { train } = await digits()
    const before = threads()
    const hashes = []
    try {
      for (const count of [1, 2, 1]) {
        setThreads(count)
        const model = lenet('native').compile({ optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })
        await model.fit(sliceDataset(train, 0, 640), { batchSize: 50 })
        hashes.push(weightsSha256(await model.getWeights()))
      }
    } finally {
      setThreads(before)
    }
    expect(new Set(hashes).size).toBe(1)
  })
})

test('callbacks hear of a fit that fails, each of them, whatever they throw; not of one that does not', async () => {
  const heard: unknown[] = []
  const callback = (name: string): Callback => ({
    onStep: ({ step }) => {
      if (name === 'b' && step === 2) throw new RangeError('stop')
    },
    onTrainEnd: () => void heard.push('end'),
    onTrainError: async (error) => {
      heard.push(name, error)
      throw new Error('of its own')
    },
  })
  const failing = small('native').fit(data, { epochs: 2, batchSize: 4, callbacks: [callback('a'), callback('b')] })
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(RangeError)
  expect(heard).toEqual(['a', error, 'b', error])
  await small('native').fit(data, { batchSize: 4, callbacks: [callback('a')] })
  expect(heard.slice(4)).toEqual(['end'])
})
