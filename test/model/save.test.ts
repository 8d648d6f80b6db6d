import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adam,
  averagePool2d,
  type BuildContext,
  concat,
  conv2d,
  dense,
  dropout,
  flatten,
  input,
  Layer,
  type Loss,
  loadModel,
  maxPool2d,
  network,
  readSafetensors,
  registerLayer,
  relu,
  sequential,
  sgd,
  softmax,
  type TensorType,
  type Value,
  weightsSha256,
  writeSafetensors,
} from '../../lib/index'
import { meanSquaredError } from '../../lib/ops/meanSquaredError'
import { reshape } from '../../lib/ops/reshape'
import { scale } from '../../lib/ops/scale'
import { temporaryFolder } from '../support/folder'
import { errorOf, expectError, randomTensor, runtimes, someLabels } from '../support/models'

const small = (runtime: 'native' | 'reference') =>
  sequential(
    { input: [6, 6, 2], seed: 3, runtime },
    conv2d(3, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(4),
    softmax(),
  )
const samples = randomTensor([5, 6, 6, 2], 1)
const data = { x: samples, y: someLabels(5, 4) }

describe.each(runtimes)('save and load (%s)', (runtime) => {
  test('a loaded model is the same bits, and predicts them', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    const model = small(runtime).compile({
      optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
      loss: 'softmaxCrossEntropy',
      metrics: ['accuracy'],
    })
    await model.fit(data, { epochs: 3, batchSize: 2 })
    await model.save(file)
    const loaded = await loadModel(file, { runtime })
    const weights = await model.getWeights()
    expect(await loaded.getWeights()).toEqual(weights)
    expect(weightsSha256(await loaded.getWeights())).toBe(weightsSha256(weights))
    // The reference keeps weights in double precision while it trains: the file's are rounded.
    if (runtime === 'native') expect(await loaded.predict(samples)).toEqual(await model.predict(samples))
    expect(loaded.summary().layers).toEqual(model.summary().layers)
  })

  test('a loaded model is compiled as it was and goes on', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    const optimizer = adam({ learningRate: (step) => 0.01 / (1 + step), beta1: 0.8 })
    const model = small(runtime).compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    await model.save(file)
    const loaded = await loadModel(file, { runtime })
    expect(await loaded.evaluate(data)).toEqual(await model.evaluate(data))
    const [a, b] = [await model.trainOnBatch(data.x, data.y), await loaded.trainOnBatch(data.x, data.y)]
    expect(b).toEqual(a)
    expect(await loaded.getWeights()).toEqual(await model.getWeights())
  })
})

const reference = { runtime: 'reference' } as const

describe('what a file keeps', () => {
  test('graphs with several ends, shared layers and scaling of bytes', async () => {
    const file = join(temporaryFolder(), 'graph.safetensors')
    const a = input([8, 8, 1], { normalize: { scale: 1 / 16, offset: -0.5 } })
    const b = input([8, 8, 1], { name: 'b' })
    const shared = conv2d(2, 3, { stride: [1, 2], padding: [[1, 0], [2, 1]], name: 'shared' }) // biome-ignore format: one padding
    const both = concat().apply(shared.apply(a), relu().apply(shared.apply(b)))
    const pooled = averagePool2d(2, { countPadding: true, padding: 1 }).apply(both)
    const outputs = [dense(3, { name: 'kind' }).apply(dropout(0.2).apply(flatten().apply(pooled))), pooled]
    const model = network({ inputs: [a, b], outputs, seed: 9, ...reference })
    await model.save(file)
    const loaded = await loadModel(file, reference)
    const x = [{ shape: [2, 8, 8, 1], data: Uint8Array.from({ length: 128 }, (_, i) => i % 17) }, randomTensor([2, 8, 8, 1], 4)]
    expect(await loaded.predict(x as never)).toEqual(await model.predict(x as never))
    expect(loaded.summary().toString()).toBe(model.summary().toString())
    const copy = join(temporaryFolder(), 'again.safetensors')
    await loaded.save(copy)
    expect(readFileSync(copy)).toEqual(readFileSync(file))
  })

  test('the scaling of bytes that the training data asked for', async () => {
    const file = join(temporaryFolder(), 'bytes.safetensors')
    const bytes = { shape: [4, 3], data: Uint8Array.from({ length: 12 }, (_, i) => i) }
    const model = sequential({ input: [3], ...reference }, dense(2)).compile({
      optimizer: sgd({ learningRate: 0 }),
      loss: 'softmaxCrossEntropy',
    })
    const plain = await model.predict(bytes)
    await model.fit({ x: bytes, y: someLabels(4, 2), normalize: { scale: 1 / 16, offset: 0 } })
    const scaled = await model.predict(bytes)
    expect(scaled.data[2]).toBeCloseTo((plain.data[2]! * 255) / 16, 4)
    await model.save(file)
    expect(await (await loadModel(file, reference)).predict(bytes)).toEqual(scaled)
  })

  test('functions of the user are not kept: compile again', async () => {
    const file = join(temporaryFolder(), 'own.safetensors')
    const model = sequential({ input: [2], ...reference }, dense(1))
    const loss: Loss = (predictions, targets) => meanSquaredError(predictions, targets).loss
    const own = { x: randomTensor([2, 2], 1), y: randomTensor([2, 1], 2) }
    for (const options of [{ loss }, { loss: 'meanSquaredError', metrics: [{ name: 'error', compute: loss }] }] as const) {
      model.compile({ optimizer: sgd({ learningRate: 1 }), ...options })
      await model.save(file)
      const loaded = await loadModel(file, reference)
      expect(await loaded.predict(own.x)).toEqual(await model.predict(own.x))
      await expectError(() => loaded.evaluate(own), 'NOT_COMPILED', 'evaluate: call compile')
    }
  })

  test('layers of the user, once registered', async () => {
    class Scaling extends Layer<'any', 'same', 'scaling'> {
      override readonly type = 'scaling'
      override readonly arity = 1
      constructor(name?: string) {
        super('scaling', name)
      }
      override config() {
        return {}
      }
      override parameters([x]: readonly TensorType[]) {
        return [{ name: 'gain', shape: x!.shape.slice(1) as number[], initializer: 'ones' as const }]
      }
      override build({ parameter }: BuildContext, [x]: readonly Value[]): Value {
        return scale(x!, reshape(parameter('gain'), [1]))
      }
    }
    const file = join(temporaryFolder(), 'scaling.safetensors')
    const model = sequential({ input: [1], ...reference }, new Scaling(), dense(1))
    await model.setWeights({ 'scaling/gain': { shape: [1], data: Float32Array.of(3) } })
    await model.save(file)
    await expectError(() => loadModel(file, reference), 'INVALID_FILE', 'no layer has the type "scaling"; there are add,')
    registerLayer('scaling', ({ name }) => new Scaling(name as string))
    const x = { shape: [2, 1], data: Float32Array.of(1, -2) }
    expect(await (await loadModel(file, reference)).predict(x)).toEqual(await model.predict(x))
    await expectError(() => registerLayer('scaling', () => new Scaling()), 'INVALID_ARGUMENT', 'there is a layer of type "scaling" already')
    await expectError(() => registerLayer('conv2d', () => new Scaling()), 'INVALID_ARGUMENT', 'there is a layer of type "conv2d" already')
  })
})

describe('damaged descriptions', () => {
  type Json = Record<string, never> & { layers: { type: string; config: Record<string, unknown> }[]; calls: { inputs: unknown[] }[] }
  const cases: [what: string, damage: (document: Json) => unknown, message: string][] = [
    ['no object', () => [], 'options must be an object'],
    ['a later version', (d) => ({ ...d, version: 2 }), 'version must be 1'],
    ['an unknown part', (d) => ({ ...d, extra: 1 }), 'unknown option "extra"'],
    ['a seed that is none', (d) => ({ ...d, seed: -1 }), 'seed must be'],
    ['an input of impossible shape', (d) => ({ ...d, inputs: [{ name: 'input', shape: [0] }] }), 'the input shape must be'],
    ['no layers', (d) => ({ ...d, layers: {} }), 'layers must be an array'],
    ['an unknown layer', (d) => ({ ...d, layers: d.layers.map((layer) => ({ ...layer, type: 'evil' })) }), 'no layer has the type "evil"'],
    ['a type that is no text', (d) => ({ ...d, layers: [{ ...d.layers[0], type: ['conv2d'] }] }), 'no layer has the type'],
    [
      'filters that are text',
      (d) => ({ ...d, layers: [{ ...d.layers[0]!, config: { ...d.layers[0]!.config, filters: '3' } }] }),
      'filters must be',
    ],
    [
      'an unknown option',
      (d) => ({ ...d, layers: [{ ...d.layers[0]!, config: { ...d.layers[0]!.config, more: 1 } }] }),
      'unknown option "more"',
    ],
    [
      'a call that reads ahead',
      (d) => ({ ...d, calls: [{ layer: 0, inputs: [1] }, ...d.calls.slice(1)] }),
      'index must be that of a place before the call',
    ],
    ['a layer that there is not', (d) => ({ ...d, calls: [{ layer: 99, inputs: [0] }] }), 'index must be that of a layer'],
    ['an output that there is not', (d) => ({ ...d, outputs: [99] }), 'index must be that of a place'],
    [
      'other weights',
      (d) => ({ ...d, layers: d.layers.map((layer, i) => (i === 0 ? { ...layer, config: { ...layer.config, filters: 4 } } : layer)) }),
      '"conv2d/kernel" must have shape',
    ],
    [
      'another optimizer',
      (d) => ({ ...d, compile: { optimizer: { type: 'lion', options: {} }, loss: [], lossWeights: [], metrics: [] } }),
      "'sgd' or 'adam'",
    ],
    [
      'another loss',
      (d) => ({ ...d, compile: { optimizer: { type: 'adam', options: {} }, loss: ['l1'], lossWeights: [1], metrics: [] } }),
      'loss must be',
    ],
    [
      'a loss that is none',
      (d) => ({ ...d, compile: { optimizer: { type: 'adam', options: {} }, loss: [null as never], lossWeights: [1], metrics: [] } }),
      'compile: loss: options must be an object',
    ],
    [
      'a metric that is none',
      (d) => ({ ...d, compile: { optimizer: { type: 'adam', options: {} }, loss: [], lossWeights: [], metrics: [null as never] } }),
      'compile: metrics: options must be an object',
    ],
  ]
  test.each(cases)('%s', async (_what, damage, message) => {
    const file = join(temporaryFolder(), 'model.safetensors')
    await small('reference').save(file)
    const { tensors, metadata } = await readSafetensors(file)
    await writeSafetensors(file, tensors, { convlane: JSON.stringify(damage(JSON.parse(metadata.convlane!))) })
    await expectError(() => loadModel(file, reference), 'INVALID_FILE', message)
    expect((await errorOf(() => loadModel(file, reference))).message.startsWith(`${file}: damaged model`)).toBe(true)
  })

  test('text that is no JSON', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    await writeSafetensors(file, { a: { shape: [1], data: Float32Array.of(1) } }, { convlane: '{"version": 1' })
    await expectError(() => loadModel(file, reference), 'INVALID_FILE', `${file}: damaged model description`)
  })

  test('weights alone', async () => {
    const file = join(temporaryFolder(), 'weights.safetensors')
    await writeSafetensors(file, { a: { shape: [1], data: Float32Array.of(1) } })
    await expectError(() => loadModel(file, reference), 'INVALID_FILE', 'holds weights but no model description')
  })

  test('weights missing, and weights too many', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    await small('reference').save(file)
    const { tensors, metadata } = await readSafetensors(file)
    const { 'dense/bias': bias, ...rest } = tensors
    await writeSafetensors(file, rest, metadata)
    await expectError(() => loadModel(file, reference), 'INVALID_FILE', '"dense/bias" is missing')
    await writeSafetensors(file, { ...tensors, extra: bias! }, metadata)
    await expectError(() => loadModel(file, reference), 'INVALID_FILE', 'the model has no weight "extra"')
  })
})

describe('files', () => {
  test('one that is not there, one that is no safetensors, a path that is none', async () => {
    const folder = temporaryFolder()
    await expectError(() => loadModel(join(folder, 'none')), 'FILE_ERROR', 'no such file')
    writeFileSync(join(folder, 'text'), 'hello, this is no model')
    await expectError(() => loadModel(join(folder, 'text')), 'INVALID_FILE', 'not a safetensors file')
    await expectError(() => loadModel(undefined as never), 'INVALID_ARGUMENT', 'loadModel: file must be a path')
    await expectError(() => small('reference').save(''), 'INVALID_ARGUMENT', 'save: file must be a path')
  })

  test('a save that fails leaves what was there', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'model.safetensors')
    mkdirSync(file)
    await expectError(() => small('reference').save(file), 'FILE_ERROR', 'cannot write')
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
  })
})
