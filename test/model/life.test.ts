import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adam, conv2d, dense, flatten, maxPool2d, readSafetensors, relu, sequential, sgd, softmax, type Tensor } from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([12, 6, 6, 1], 1), y: someLabels(12, 3) }
const untrained = (runtime: RuntimeName) =>
  sequential({ input: [6, 6, 1], seed: 2, runtime }, conv2d(2, 3, { activation: 'relu' }), maxPool2d(2), flatten(), dense(3))
const small = (runtime: RuntimeName) =>
  untrained(runtime).compile({ optimizer: sgd({ learningRate: 0.1, momentum: 0.5 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
const later = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

describe.each(runtimes)('a model in use (%s)', (runtime) => {
  test('predict gives the same for any number of samples, in any company', async () => {
    const model = untrained(runtime)
    const many = randomTensor([600, 6, 6, 1], 5)
    const [all, some, one] = await Promise.all(
      [300, 17, 1].map((n) => model.predict({ shape: [n, 6, 6, 1], data: many.data.subarray(0, n * 36) })),
    )
    const [rest] = await Promise.all([model.predict(many)])
    expect(rest.shape).toEqual([600, 3])
    for (const part of [all!, some!, one!]) {
      expect(part.data.length).toBe(part.shape[0] * 3)
      part.data.forEach((value, index) => {
        expect(value).toBeCloseTo(rest.data[index]!, 5)
      })
    }
  })

  test('a hundred predicts at once each get their own answer', async () => {
    const model = untrained(runtime)
    const inputs = Array.from({ length: 100 }, (_, seed) => randomTensor([1 + (seed % 3), 6, 6, 1], seed))
    const together = await Promise.all(inputs.map((x) => model.predict(x)))
    for (const [index, x] of inputs.entries()) expect(await model.predict(x)).toEqual(together[index])
  })

  test('predict has copied its samples when it returns', async () => {
    const model = untrained(runtime)
    const x = randomTensor([1, 6, 6, 1], 3)
    const expected = await model.predict(x)
    const under: Promise<Tensor>[] = []
    for (let i = 0; i < 5; i++) {
      const copy = { shape: x.shape, data: x.data.slice() }
      under.push(model.predict(copy))
      copy.data.fill(Number.NaN)
    }
    for (const result of under) expect(await result).toEqual(expected)
    const fresh = untrained(runtime)
    const copy = { shape: x.shape, data: x.data.slice() }
    const first = fresh.predict(copy)
    structuredClone(copy.data.buffer, { transfer: [copy.data.buffer] })
    expect(await first).toEqual(expected)
  })

  test.each([1, 2])(
    'trainOnBatch and getGradients have copied their batch when they return, %i batches to an update',
    async (accumulate) => {
      const train = async (reuse: boolean) => {
        const model = untrained(runtime)
        model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy', accumulate })
        const [x, y] = [randomTensor([4, 6, 6, 1], 1), randomTensor([4, 3], 2)]
        const steps = Array.from({ length: 6 }, async (_, step) => {
          const batch = [x, y].map((tensor) => (reuse ? tensor : { ...tensor, data: tensor.data.slice() })) as [Tensor, Tensor]
          for (const { data } of batch) data.fill(step / 6)
          return model.trainOnBatch(...batch)
        })
        const gradients = model.getGradients({ ...x, data: x.data.fill(0.5) }, { ...y, data: y.data.fill(0.5) })
        for (const { data } of [x, y]) data.fill(Number.NaN)
        return [...(await Promise.all(steps)), await gradients, await model.getWeights()]
      }
      // The gradients are of whatever weights there are when their turn comes.
      const [reused, fresh] = [await train(true), await train(false)]
      expect(reused.filter((_, index) => index !== 6)).toEqual(fresh.filter((_, index) => index !== 6))
      expect(JSON.stringify(reused[6])).not.toContain('null')
    },
  )

  test.each([1, 2])('an iterable may fill one batch anew again and again, %i batches to an update', async (accumulate) => {
    const results = async (reuse: boolean) => {
      const model = untrained(runtime)
      model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy', accumulate })
      const [x, y] = [randomTensor([4, 6, 6, 1], 1), randomTensor([4, 3], 2)]
      const batches = {
        async *[Symbol.asyncIterator]() {
          for (let step = 0; step < 6; step++) {
            for (const { data } of [x, y]) data.fill(step / 6)
            yield reuse ? { x, y } : structuredClone({ x, y })
          }
        },
      }
      const { epochs } = await model.fit(batches)
      return [epochs[0]!.loss, await model.evaluate(batches), await model.getWeights()]
    }
    expect(await results(true)).toEqual(await results(false))
  })

  test('an answer that no memory holds is refused before anything is computed', async () => {
    const wide = sequential({ input: [1], runtime }, dense(2 ** 21))
    await expectError(() => wide.predict({ shape: [4096, 1], data: new Float32Array(4096) }), 'OUT_OF_MEMORY', 'predict: ')
  })

  test('data that is detached while it is evaluated is told of', async () => {
    const model = small(runtime)
    const x = { ...data.x, data: data.x.data.slice() }
    const evaluation = model.evaluate({ x, y: data.y }, { batchSize: 2 })
    structuredClone(x.data.buffer, { transfer: [x.data.buffer] })
    await expectError(() => evaluation, 'INVALID_TENSOR', /detached/)
  })

  test('bytes are scaled as asked, and 1/255 where nobody asks', async () => {
    const bytes = { shape: [2, 2, 1, 2], data: Uint8Array.of(0, 255, 128, 7, 1, 2, 3, 4) }
    const linear = (normalize?: { scale: number | number[]; offset: number | number[] }) =>
      sequential({ input: [2, 1, 2], runtime, ...(normalize && { normalize }) }, relu())
    const { data: unit } = await linear().predict(bytes)
    unit.forEach((value, index) => {
      expect(value).toBeCloseTo(bytes.data[index]! / 255, 7)
    })
    const scaled = await linear({ scale: [0.5, 2], offset: [1, 0] }).predict(bytes)
    expect([...scaled.data]).toEqual([1, 510, 65, 14, 1.5, 4, 2.5, 8])
    const floats = { shape: bytes.shape, data: Float32Array.from(bytes.data) }
    expect(await linear({ scale: 3, offset: 1 }).predict(floats)).toEqual(floats)
  })

  test('evaluate weighs a smaller last batch as it should', async () => {
    const model = small(runtime)
    const whole = await model.evaluate(data)
    for (const batchSize of [1, 5, 7, 12, 100]) {
      const { loss, accuracy } = await model.evaluate(data, { batchSize })
      expect(loss).toBeCloseTo(whole.loss, 5)
      expect(accuracy).toBe(whole.accuracy)
    }
    const predictions = await model.predict(data.x)
    const right = [...data.y.data].filter((label, n) => {
      const row = [...predictions.data.subarray(n * 3, n * 3 + 3)]
      return row.indexOf(Math.max(...row)) === label
    })
    expect(whole.accuracy).toBeCloseTo(right.length / 12, 12)
  })

  test('with a softmax at the end the loss is that of its logits, and predict gives probabilities', async () => {
    const options = { optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' } as const
    const layers = () => [conv2d(2, 3), flatten()] as const
    const logits = sequential({ input: [6, 6, 1], seed: 4, runtime }, ...layers(), dense(3)).compile(options)
    const probabilities = [
      sequential({ input: [6, 6, 1], seed: 4, runtime }, ...layers(), dense(3), softmax()).compile(options),
      sequential({ input: [6, 6, 1], seed: 4, runtime }, ...layers(), dense(3, { activation: 'softmax' })).compile(options),
    ]
    const expected = await logits.evaluate(data)
    const said = await logits.predict(data.x)
    for (const model of probabilities) {
      expect(await model.evaluate(data)).toEqual(expected)
      const { data: row } = await model.predict(data.x)
      const exps = [0, 1, 2].map((k) => Math.exp(said.data[k]!))
      expect(row[1]).toBeCloseTo(exps[1]! / (exps[0]! + exps[1]! + exps[2]!), 5)
      await model.fit(data)
    }
    await logits.fit(data)
    expect(await probabilities[0]!.getWeights()).toEqual(await logits.getWeights())
  })

  test('predict, evaluate, getWeights and save in the middle of fit see the weights of a whole step', async () => {
    const bits = (weights: Record<string, Tensor>) => Object.values(weights).map((tensor) => [...tensor.data].join())
    const states: string[] = []
    const stepped = small(runtime)
    const batches = [0, 4, 8].map((n) => ({
      x: { shape: [4, 6, 6, 1], data: data.x.data.subarray(n * 36, (n + 4) * 36) },
      y: { shape: [4] as const, data: data.y.data.subarray(n, n + 4) },
    }))
    for (let epoch = 0; epoch < 30; epoch++) {
      for (const { x, y } of batches) {
        states.push(bits(await stepped.getWeights()).join())
        await stepped.trainOnBatch(x, y)
      }
    }
    states.push(bits(await stepped.getWeights()).join())
    const known = new Map(states.map((state, step) => [state, step]))
    expect(known.size).toBe(91)

    const model = small(runtime)
    const file = join(temporaryFolder(), 'model.safetensors')
    const seen: number[] = []
    let training = true
    const watch = (async () => {
      while (training) {
        const [{ data: row }, weights] = await Promise.all([
          model.predict(data.x),
          model.getWeights(),
          model.evaluate(data),
          model.save(file),
        ])
        expect(row.every(Number.isFinite)).toBe(true)
        for (const state of [weights, (await readSafetensors(file)).tensors]) seen.push(known.get(bits(state).join()) ?? -1)
      }
    })()
    // A machine that is busy elsewhere may look at the weights too slowly: some steps wait for it.
    let steps = 0
    const onStep = async () => {
      steps++
      do await later(0)
      while (seen.length < Math.floor(steps / 15))
    }
    await model.fit(data, { epochs: 30, batchSize: 4, shuffle: false, onStep })
    training = false
    await watch
    expect(seen.length).toBeGreaterThan(4)
    expect(seen).not.toContain(-1)
    expect(new Set(seen).size).toBeGreaterThan(1)
    expect(bits(await model.getWeights()).join()).toBe(states.at(-1))
  })

  test('one fit at a time, and nothing that changes the model beside it', async () => {
    const model = small(runtime)
    const fit = model.fit(data, { epochs: 5, batchSize: 4 })
    const busy = 'fit is under way on this model'
    await expectError(() => model.fit(data), 'BUSY', `fit: ${busy}`)
    await expectError(() => model.trainOnBatch(data.x, data.y), 'BUSY', `trainOnBatch: ${busy}`)
    await expectError(() => model.setWeights({}), 'BUSY', `setWeights: ${busy}`)
    await expectError(() => model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' }), 'BUSY', `compile: ${busy}`)
    expect((await fit).epochs).toHaveLength(5)
    const evaluation = model.evaluate(data)
    await expectError(
      () => model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' }),
      'BUSY',
      'compile: evaluate is under way',
    )
    await evaluation
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' })
  })

  test('compile and fit let the predicts before them finish', async () => {
    const model = small(runtime)
    const many = randomTensor([600, 6, 6, 1], 5)
    const expected = await model.predict(many)
    const before = [model.predict(many), ...Array.from({ length: 8 }, () => model.predict(data.x))]
    model.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
    const [history, ...predictions] = await Promise.all([model.fit(data, { batchSize: 4 }), ...before])
    expect(history.epochs).toHaveLength(1)
    for (const { shape, data: row } of predictions) expect([shape[1], row.every(Number.isFinite)]).toEqual([3, true])
    expect(await model.predict(many)).not.toEqual(expected)
  })

  test('weights go in and out as copies', async () => {
    const model = untrained(runtime)
    const before = await model.getWeights()
    before['dense/bias']!.data.fill(7)
    expect([...(await model.getWeights())['dense/bias']!.data]).toEqual([0, 0, 0])
    const given = { 'dense/bias': { shape: [3], data: Float32Array.of(1, 2, 3) } }
    const written = model.setWeights(given)
    given['dense/bias'].data.fill(9)
    await written
    const { 'dense/bias': bias, ...others } = await model.getWeights()
    expect([...bias!.data]).toEqual([1, 2, 3])
    const { 'dense/bias': _, ...unchanged } = before
    expect(others).toEqual(unchanged)
  })

  test('weights that are set by two calls at once are all set; nothing trains between', async () => {
    const model = small(runtime)
    await model.predict(data.x)
    const of = (name: string, shape: number[], value: number) => ({
      [name]: { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value) },
    })
    const bias = of('dense/bias', [3], 4)
    const kernel = of('conv2d/kernel', [3, 3, 1, 2], 5)
    const under = [model.setWeights(bias), model.setWeights(kernel)]
    const busy = 'setWeights is under way on this model'
    await expectError(() => model.fit(data), 'BUSY', `fit: ${busy}`)
    await expectError(() => model.trainOnBatch(data.x, data.y), 'BUSY', `trainOnBatch: ${busy}`)
    await expectError(() => model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' }), 'BUSY', `compile: ${busy}`)
    await Promise.all(under)
    expect(await model.getWeights()).toMatchObject({ ...bias, ...kernel })
    await model.trainOnBatch(data.x, data.y)
  })

  test('memory grows with what is used, and goes with the model', async () => {
    const model = small(runtime)
    expect(model.memory()).toEqual({ arenaBytes: 0, stateBytes: 0, stagingBytes: 0 })
    await model.predict({ shape: [1, 6, 6, 1], data: new Float32Array(36) })
    const first = model.memory()
    // Parameters of 18, 2, 24 and 3 numbers, each begun at a multiple of 16, and as many velocities.
    expect(first.stateBytes).toBe(4 * 2 * (32 + 16 + 32 + 16))
    await model.fit(data)
    const trained = model.memory()
    expect(trained.arenaBytes).toBeGreaterThan(first.arenaBytes)
    await model.fit(data, { epochs: 20 })
    expect(model.memory()).toEqual(trained)
    model.dispose()
    expect(model.memory()).toEqual({ arenaBytes: 0, stateBytes: 0, stagingBytes: 0 })
  })

  test('after dispose everything says so', async () => {
    const model = small(runtime)
    await model.predict(data.x)
    model.dispose()
    model[Symbol.dispose]()
    const calls: (() => unknown)[] = [
      () => model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' }),
      () => model.fit(data),
      () => model.evaluate(data),
      () => model.predict(data.x),
      () => model.trainOnBatch(data.x, data.y),
      () => model.getWeights(),
      () => model.setWeights({}),
      () => model.save('never-written'),
      () => model.summary(),
      () => model.profile(),
    ]
    for (const call of calls) await expectError(call, 'DISPOSED', 'the model has been disposed')
  })

  test('dispose during fit ends it; work under way is finished first', async () => {
    const model = small(runtime)
    let steps = 0
    const fit = model.fit(data, { epochs: 1e6, batchSize: 4, onStep: () => void (++steps === 5 && model.dispose()) })
    await expectError(() => fit, 'DISPOSED', /disposed/)
    const other = small(runtime)
    const prediction = other.predict(data.x)
    await later(0)
    other.dispose()
    await prediction.then(
      ({ data: row }) => expect(row.every(Number.isFinite)).toBe(true),
      (error) => expectError(() => Promise.reject(error), 'DISPOSED', /disposed/),
    )
  })
})
