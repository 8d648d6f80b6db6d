import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adam,
  batchNorm,
  conv2d,
  dense,
  digits,
  type ErrorCode,
  flatten,
  loadModel,
  maxPool2d,
  type SharedModel,
  sequential,
  sgd,
  sharedModel,
} from '../../lib/index'
import { loadNative } from '../../lib/native'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, someLabels } from '../support/models'
import { settledMemory } from '../support/nativeMemory'

const native = loadNative()
const data = { x: randomTensor([12, 6, 6, 1], 1), y: someLabels(12, 3) }
const build = () =>
  sequential(
    { input: [6, 6, 1], seed: 2 },
    conv2d(4, 3, { padding: 1 }),
    batchNorm({ activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(3),
  )
const compiled = () => build().compile({ optimizer: adam(), loss: 'softmaxCrossEntropy', ema: { decay: 0.5 } })

describe('a shared model', () => {
  test('predicts with the same bits by the same weights, of which there is one copy', async () => {
    const model = compiled()
    await model.fit(data, { epochs: 2 })
    model.classNames = ['a', 'b', 'c']
    const shared = structuredClone(await model.share())
    expect(await model.share()).toEqual(shared)
    const { stateBytes } = await settledMemory()
    const other = sharedModel(JSON.parse(JSON.stringify(shared)) as SharedModel)
    expect(other.classNames).toEqual(['a', 'b', 'c'])
    for (const weights of ['trained', 'average'] as const) {
      const expected = await model.predict(data.x, { weights })
      const { arenaBytes } = await settledMemory()
      expect(await other.predict(data.x, { weights })).toEqual(expected)
      expect(native.memory()).toMatchObject({ stateBytes, arenaBytes })
    }
    expect(other.memory().stateBytes).toBe(model.memory().stateBytes)
    expect(await other.getWeights()).toEqual(await model.getWeights())

    await Promise.all([model.fit(data, { epochs: 5 }), ...Array.from({ length: 20 }, () => other.predict(data.x))])
    const expected = await model.predict(data.x)
    model.dispose()
    expect(await other.predict(data.x)).toEqual(expected)
    const third = sharedModel(await other.share())
    other.dispose()
    expect(await third.predict(data.x)).toEqual(expected)
    third.dispose()
    expect(() => sharedModel(shared)).toThrow(
      expect.objectContaining({ code: 'DISPOSED', message: expect.stringMatching(/^sharedModel: /) }),
    )
  })

  test('can be saved, looked at and shared on; what trains or writes is UNSUPPORTED', async () => {
    const model = compiled()
    await model.trainOnBatch(data.x, data.y)
    const other = sharedModel(await model.share())
    const file = join(temporaryFolder(), 'shared.safetensors')
    await other.save(file, { weights: 'average' })
    expect(await (await loadModel(file)).getWeights()).toEqual(await model.getWeights({ weights: 'average' }))
    expect(String(other.summary())).toContain('conv2d')
    const calls: readonly (() => unknown)[] = [
      () => other.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' }),
      () => other.fit(data),
      () => other.evaluate(data),
      () => other.trainOnBatch(data.x, data.y),
      () => other.getGradients(data.x, data.y),
      () => other.setWeights({}),
      () => other.freeze('*'),
      () => other.unfreeze('*'),
    ]
    for (const call of calls) await expectError(async () => call(), 'UNSUPPORTED', 'only predicts')
    await model.trainOnBatch(data.x, data.y)
    other.dispose()
    await expectError(() => other.predict(data.x), 'DISPOSED', 'disposed')
    model.dispose()
  })

  test('stays with its weights: it is not compiled again, nor trained on bytes that others would scale otherwise', async () => {
    const { train } = await digits()
    const model = sequential({ input: [8, 8, 1] }, flatten(), dense(10))
    const options = { optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' } as const
    model.compile(options)
    const waiting = model.share()
    expect(() => model.compile(options)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    await waiting
    await expectError(() => model.fit(train), 'INVALID_ARGUMENT', 'normalize')
    model.dispose()
    const told = sequential({ input: [8, 8, 1], normalize: train.normalize! }, flatten(), dense(10)).compile(options)
    const other = sharedModel(await told.share())
    await told.fit(train)
    const x = { shape: [2, 8, 8, 1], data: train.x.data.slice(0, 128) }
    expect(await other.predict(x)).toEqual(await told.predict(x))
    told.dispose()
    other.dispose()
  })

  test('is UNSUPPORTED on the reference runtime, and what is no shared model is refused', async () => {
    await expectError(() => sequential({ input: [2], runtime: 'reference' }, dense(1)).share(), 'UNSUPPORTED', 'share: ')
    const model = build()
    const before = (await settledMemory()).stateBytes
    const shared = await model.share()
    const dense1 = JSON.parse((await sequential({ input: [2] }, dense(1)).share()).document)
    const wrong: readonly [unknown, ErrorCode][] = [
      [undefined, 'INVALID_ARGUMENT'],
      [null, 'INVALID_ARGUMENT'],
      ['x', 'INVALID_ARGUMENT'],
      [{}, 'INVALID_ARGUMENT'],
      [{ ...shared, more: 1 }, 'INVALID_ARGUMENT'],
      [{ ...shared, id: 7 }, 'INVALID_ARGUMENT'],
      [{ ...shared, id: 'x' }, 'INVALID_ARGUMENT'],
      [{ ...shared, id: 'a'.repeat(32) }, 'DISPOSED'],
      [{ ...shared, slots: 'm' }, 'INVALID_ARGUMENT'],
      [{ ...shared, slots: ['m'] }, 'INVALID_ARGUMENT'],
      [{ ...shared, winograd: 1 }, 'INVALID_ARGUMENT'],
      [{ ...shared, document: '{' }, 'INVALID_ARGUMENT'],
      [{ ...shared, document: 7 }, 'INVALID_ARGUMENT'],
      [{ ...shared, document: 'null' }, 'INVALID_ARGUMENT'],
      [{ ...shared, document: JSON.stringify(dense1) }, 'INVALID_ARGUMENT'],
    ]
    for (const [value, code] of wrong) await expectError(async () => sharedModel(value as SharedModel), code, 'sharedModel: ')
    model.dispose()
    expect(native.memory().stateBytes).toBeLessThan(before + 200)
    await expectError(() => model.share(), 'DISPOSED', 'disposed')
  })
})

const library = JSON.stringify(join(__dirname, '../../dist/index.js'))
const worker = `
const { parentPort, workerData } = require('node:worker_threads')
const { sharedModel } = require(${library})
const model = sharedModel(workerData)
parentPort.on('message', async (x) => parentPort.postMessage(await model.predict(x)))
`
const script = `
const { Worker } = require('node:worker_threads')
const { sequential, conv2d, dense, flatten, adam } = require(${library})
;(async () => {
  const random = (n) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * i))
  const model = sequential({ input: [6, 6, 1], seed: 2 }, conv2d(4, 3, { activation: 'relu' }), flatten(), dense(3))
  model.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
  const shared = await model.share()
  const workers = [0, 1, 2].map(() => new Worker(${JSON.stringify(worker)}, { eval: true, workerData: shared }))
  const ask = (worker, x) => new Promise((resolve, reject) => { worker.once('message', resolve).once('error', reject); worker.postMessage(x) })
  const x = { shape: [5, 6, 6, 1], data: random(180) }
  const same = async () => {
    const expected = JSON.stringify(await model.predict(x))
    return (await Promise.all(workers.map((worker) => ask(worker, x)))).every((y) => JSON.stringify(y) === expected)
  }
  const before = await same()
  const training = model.fit({ x: { shape: [60, 6, 6, 1], data: random(2160) }, y: { shape: [60], data: new Int32Array(60).map((_, i) => i % 3) } }, { epochs: 20, batchSize: 10 })
  const during = await Promise.all(workers.map((worker) => ask(worker, x)))
  await training
  const finite = during.every(({ data }) => data.every(Number.isFinite))
  const after = await same()
  const first = JSON.stringify(await model.predict(x))
  model.dispose() // the workers have the weights still
  const left = (await Promise.all(workers.map((worker) => ask(worker, x)))).every((y) => JSON.stringify(y) === first)
  await Promise.all(workers.map((worker) => worker.terminate()))
  console.log(before, finite, after, left)
})()`

test('workers predict what the thread that trains predicts, and go on when it has let go', { timeout: 150_000 }, async () => {
  const child = spawn(process.execPath, ['-e', script], { timeout: 120_000, killSignal: 'SIGKILL' })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      output += data
    })
  await new Promise((resolve) => child.once('close', resolve))
  expect(output).toBe('true true true true\n')
})
