import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  batchNorm,
  conv2d,
  dense,
  type ErrorCode,
  exportTfjs,
  flatten,
  importTfjs,
  type Model,
  maxPool3d,
  relu,
  sequential,
  sgd,
  weightsSha256,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { errorOf, expectError, randomTensor, someLabels } from '../support/models'
import { models, refused, said, samplesFor, scattered } from './tfjsModels'

const jsonOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
const small = () =>
  scattered(
    sequential({ input: [4, 4, 2], seed: 1 }, conv2d(3, 3, { name: 'stem', activation: 'relu' }), flatten(), dense(2, { name: 'head' })),
  )

const { resnet18: _, resnet20: __, vgg: ___, nielsen: ____, ...others } = models
test.each(Object.entries(others))('%s: says the same after a round trip', async (_, make) => {
  const model = await scattered(make())
  const folder = temporaryFolder()
  await exportTfjs(model, folder)
  const back = await importTfjs<Model<never, unknown>>(join(folder, 'model.json'))
  const samples = samplesFor(model, 2)
  const [expected, found] = [await said(model, samples), await said(back, samples)]
  for (const [index, { shape, data }] of expected.entries()) {
    expect(found[index]!.shape).toEqual(shape)
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
    expect(data.reduce((most, value, i) => Math.max(most, Math.abs(value - found[index]!.data[i]!)), 0) / largest).toBeLessThan(1e-6)
  }
})

test.each(Object.entries(refused))('%s is refused, naming the layer', async (_, [make, message]) => {
  const folder = temporaryFolder()
  await expectError(() => exportTfjs(make(), folder), 'UNSUPPORTED', message)
  expect(readdirSync(folder)).toEqual([])
})

test('weights keep their bits; class names, scales of bytes and what is frozen are kept', async () => {
  const model = await small()
  model.classNames = ['cat', 'dog']
  model.freeze('stem')
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
  const data = {
    x: { shape: [2, 4, 4, 2], data: new Uint8Array(64).fill(9) },
    y: someLabels(2, 2),
    normalize: { scale: 0.5, offset: [1, 2] },
  }
  await model.fit(data, { epochs: 1 })
  const folder = join(temporaryFolder(), 'deep', 'web')
  await exportTfjs(model, folder)
  const back = await importTfjs(join(folder, 'model.json'))
  expect(await back.getWeights()).toEqual(await model.getWeights())
  expect(back.classNames).toEqual(['cat', 'dog'])
  expect(back.trainedWeights).toEqual(['head/kernel', 'head/bias'])
  expect((await back.predict(data.x)).data).toEqual((await model.predict(data.x)).data)
})

test('options of layers are kept', async () => {
  const rules = {
    kernelRegularizer: { l1: 0.1, l2: 0.2 },
    biasRegularizer: { l1: 0, l2: 1 },
    kernelConstraint: 'unitNorm',
    biasConstraint: 'nonNegative',
  } as const
  const model = sequential(
    { input: [6, 6, 2] },
    conv2d(4, [3, 2], { stride: [1, 2], padding: 'same', dilation: 1, ...rules }),
    batchNorm({ momentum: 0.8, epsilon: 0.01 }),
    flatten(),
    dense(3, { ...rules, kernelConstraint: { maxNorm: 2 }, trainable: false, activation: 'elu' }),
  )
  const folder = temporaryFolder()
  await exportTfjs(model, folder)
  const back = await importTfjs(join(folder, 'model.json'))
  const configs = (of: Model) => of.architecture.layers.map(({ layer, name }) => ({ name, trainable: layer.trainable, ...layer.config() }))
  expect(configs(back)).toEqual(configs(model))
})

test('weights of more than 4 MB lie in several shards', async () => {
  const folder = temporaryFolder()
  const model = sequential({ input: [1500] }, dense(1000))
  await exportTfjs(model, folder)
  const [{ paths }] = jsonOf(folder).weightsManifest
  expect(paths.map((path: string) => readFileSync(join(folder, path)).length)).toEqual([4 * 2 ** 20, 1501 * 4000 - 4 * 2 ** 20])
  const back = await importTfjs(join(folder, 'model.json'))
  expect(weightsSha256(await back.getWeights())).toBe(weightsSha256(await model.getWeights()))
})

test('an export replaces the one before and removes its shards, nothing else', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'group1-shard1of1.bin'), 'of another tool')
  await exportTfjs(await small(), folder)
  const before = readdirSync(folder)
  await exportTfjs(sequential({ input: [2] }, dense(1)), folder)
  const after = readdirSync(folder)
  expect([before.length, after.length]).toEqual([3, 3])
  expect(after).toContain('group1-shard1of1.bin')
  expect((await importTfjs(join(folder, 'model.json'))).summary().parameters).toBe(3)
})

test('an export that fails leaves the model before whole', async () => {
  const [folder, blocked] = [temporaryFolder(), temporaryFolder()]
  await exportTfjs(await small(), folder)
  const [model, before] = [sequential({ input: [2] }, dense(1)), jsonOf(folder)]
  await expectError(
    () => exportTfjs(sequential({ input: [2] }, dense(1), relu(), { ...dense(1), type: 'mine' } as never), folder),
    'INVALID_ARGUMENT',
    '',
  )
  mkdirSync(join(blocked, 'model.json'))
  await expectError(() => exportTfjs(model, blocked), 'FILE_ERROR', /model\.json: it is a directory/)
  writeFileSync(join(blocked, 'file'), '')
  await expectError(() => exportTfjs(model, join(blocked, 'file')), 'FILE_ERROR', 'cannot make')
  await expectError(() => exportTfjs(model, ''), 'INVALID_ARGUMENT', 'dir')
  await expectError(() => exportTfjs({} as never, folder), 'INVALID_ARGUMENT', 'a model')
  await expectError(() => exportTfjs(model, folder, { weights: 'average' }), 'INVALID_ARGUMENT', 'no averages')
  expect(jsonOf(folder)).toEqual(before)
})

/** A model.json of one dense layer, its weights quantized. */
function quantized(dtype: string, bytes: Uint8Array, more: object = {}): string {
  const folder = temporaryFolder()
  const layer = (class_name: string, config: object) => ({ class_name, config: { name: class_name.toLowerCase(), ...config } })
  const weights = [{ name: 'dense/kernel', shape: [2, 2], dtype: 'float32', quantization: { dtype, original_dtype: 'float32', ...more } }]
  writeFileSync(join(folder, 'w.bin'), bytes)
  writeFileSync(
    join(folder, 'model.json'),
    JSON.stringify({
      modelTopology: {
        model_config: layer('Sequential', { layers: [layer('Dense', { units: 2, use_bias: false, batch_input_shape: [null, 2] })] }),
      },
      weightsManifest: [{ paths: ['w.bin'], weights }],
    }),
  )
  return join(folder, 'model.json')
}

test('quantized weights become float32', async () => {
  const kernel = async (file: string) => [...(await (await importTfjs(file)).getWeights())['dense/kernel']!.data]
  expect(await kernel(quantized('uint8', Uint8Array.of(0, 1, 128, 255), { scale: 0.5, min: -2 }))).toEqual([-2, -1.5, 62, 125.5])
  const wide = new Uint8Array(Uint16Array.of(0, 1, 256, 65535).buffer)
  expect(await kernel(quantized('uint16', wide, { scale: 0.25, min: 1 }))).toEqual([1, 1.25, 65, 16384.75])
  const half = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff).buffer)
  expect(await kernel(quantized('float16', half))).toEqual([1, -2, 2 ** -24, 65504])
  await expectError(() => kernel(quantized('int4', half)), 'UNSUPPORTED', '"dense/kernel" is quantized as int4')
  await expectError(() => kernel(quantized('uint8', half, { scale: 1, min: 0 })), 'INVALID_FILE', 'says 4 bytes')
  await expectError(() => kernel(quantized('uint8', half.subarray(4), { scale: '1', min: 0 })), 'INVALID_FILE', 'scale and min')
  await expectError(() => kernel(quantized('uint8', half.subarray(4), { scale: 1 })), 'INVALID_FILE', 'scale and min')
})

test('weights of an optimizer, which TensorFlow.js saves where it is asked to, are passed over', async () => {
  const [folder, model] = [temporaryFolder(), await small()]
  await exportTfjs(model, folder)
  const json = jsonOf(folder)
  const moments = ['m', 'v'].map((name) => ({ name: `head/bias/${name}`, shape: [2], dtype: 'float32', group: 'optimizer' }))
  const weights = [{ name: 'iter', shape: [], dtype: 'int32', group: 'optimizer' }, ...moments]
  writeFileSync(join(folder, 'more.bin'), new Uint8Array(20))
  json.weightsManifest.push({ paths: ['more.bin'], weights })
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json))
  expect(await (await importTfjs(join(folder, 'model.json'))).getWeights()).toEqual(await model.getWeights())
})

test('volumes, padded, whose windows are narrower than strides are one thing in Keras and another in TensorFlow.js', async () => {
  const folder = temporaryFolder()
  await exportTfjs(sequential({ input: [4, 4, 4, 1] }, maxPool3d(1, { stride: 2 })), folder)
  const json = jsonOf(folder)
  json.modelTopology.config.layers[1].config.padding = 'same'
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json))
  await expectError(() => importTfjs(join(folder, 'model.json')), 'UNSUPPORTED', /MaxPooling3D "maxPool3d": padding "same" with windows/)
})

/** The parts of a model.json that are damaged, by a name for each. */
function partsOf(json: ReturnType<typeof jsonOf>): Record<string, Record<string, unknown>> {
  const { modelTopology, weightsManifest, userDefinedMetadata } = json
  const [input, stem, , head] = modelTopology.config.layers
  const [group] = weightsManifest
  const configs = { input: input.config, conv: stem.config, dense: head.config }
  return { file: json, model: modelTopology, stem, head, ...configs, group, kernel: group.weights[0], own: userDefinedMetadata.convlane }
}

test('a damaged model.json is refused, saying what is wrong', async () => {
  const folder = temporaryFolder()
  await exportTfjs(await small(), folder)
  mkdirSync(join(folder, 'folder'))
  writeFileSync(join(folder, 'short.bin'), 'too short')
  symlinkSync(join(folder, 'short.bin'), join(folder, 'inner.bin'))
  const outside = join(temporaryFolder(), 'secret.bin')
  writeFileSync(outside, 'secret')
  symlinkSync(outside, join(folder, 'link.bin'))
  const original = JSON.stringify(jsonOf(folder))
  const cases: readonly (readonly [what: string, part: string, key: string, value: unknown, code: ErrorCode, message: string | RegExp])[] =
    [
      ['another format', 'file', 'format', 'graph-model', 'UNSUPPORTED', 'a graph model'],
      ['no topology', 'file', 'modelTopology', undefined, 'INVALID_FILE', 'modelTopology must be an object'],
      ['an unknown kind of model', 'model', 'class_name', 'Lambda', 'UNSUPPORTED', 'the model is a Lambda'],
      ['an unknown layer', 'head', 'class_name', 'LSTM', 'UNSUPPORTED', 'LSTM "head": layers of class LSTM are not supported'],
      ['a class that every object has', 'head', 'class_name', 'constructor', 'UNSUPPORTED', 'layers of class constructor'],
      ['two layers of one name', 'head', 'name', 'stem', 'INVALID_FILE', 'two layers have the name "stem"'],
      ['an input that is no layer', 'head', 'inbound_nodes', [[['x', 0, 0, {}]]], 'INVALID_FILE', 'there is no such layer'],
      ['a cycle', 'stem', 'inbound_nodes', [[['head', 0, 0, {}]]], 'INVALID_FILE', 'depends on its own result'],
      ['no calls', 'stem', 'inbound_nodes', [], 'INVALID_FILE', 'has 0 calls'],
      ['calls of Keras 3', 'stem', 'inbound_nodes', [{ args: [] }], 'UNSUPPORTED', 'as Keras 3 does'],
      ['an unknown option', 'conv', 'sparkle', 3, 'UNSUPPORTED', 'Conv2D "stem": sparkle 3 is not supported'],
      ['channels first', 'conv', 'data_format', 'channels_first', 'UNSUPPORTED', 'Conv2D "stem": data_format'],
      ['an unknown activation', 'conv', 'activation', 'snake', 'UNSUPPORTED', 'Conv2D "stem": activation'],
      ['filters that are no number', 'conv', 'filters', '3', 'INVALID_FILE', 'conv2d "stem": filters'],
      ['a window larger than the image', 'conv', 'kernel_size', [9, 9], 'INVALID_FILE', 'kernel height 9'],
      ['no stride', 'conv', 'strides', [0, 1], 'INVALID_FILE', 'stride'],
      ['1e300 units', 'dense', 'units', 1e300, 'INVALID_FILE', 'head'],
      ['units for 4 TB', 'dense', 'units', 2 ** 35, 'INVALID_FILE', 'head'],
      ['an open size', 'input', 'batch_input_shape', [null, null, 4, 2], 'UNSUPPORTED', 'leaves sizes open'],
      ['an input of 4 PB', 'input', 'batch_input_shape', [null, 2 ** 25, 2 ** 25], 'INVALID_FILE', 'input'],
      ['a path out of the folder', 'group', 'paths', ['../../etc/passwd'], 'INVALID_FILE', 'no path within the folder'],
      ['an absolute path', 'group', 'paths', ['/etc/passwd'], 'INVALID_FILE', 'no path within the folder'],
      ['a path of Windows', 'group', 'paths', ['C:\\secret'], 'INVALID_FILE', 'no path within the folder'],
      ['an address', 'group', 'paths', ['http://host/w.bin'], 'INVALID_FILE', 'no path within the folder'],
      ['the folder itself', 'group', 'paths', ['.'], 'INVALID_FILE', 'no path within the folder'],
      ['a missing shard', 'group', 'paths', ['none.bin'], 'FILE_ERROR', 'none.bin: no such file'],
      ['a shard that is a folder', 'group', 'paths', ['folder'], 'INVALID_FILE', 'not a regular file'],
      ['a link out of the folder', 'group', 'paths', ['link.bin'], 'INVALID_FILE', 'link.bin, a link that leads out of the folder'],
      ['a link within it', 'group', 'paths', ['inner.bin'], 'INVALID_FILE', /inner\.bin have 9/],
      ['a shard twice', 'group', 'paths', ['short.bin', './short.bin'], 'INVALID_FILE', 'names short.bin twice'],
      ['a shard that is too short', 'group', 'paths', ['short.bin'], 'INVALID_FILE', /says \d+ bytes, .*short\.bin have 9/],
      ['a weight too large for any file', 'kernel', 'shape', [2 ** 40, 2 ** 40], 'INVALID_FILE', 'more than any file holds'],
      ['a weight larger than the shard', 'kernel', 'shape', [2 ** 30, 64], 'INVALID_FILE', /says \d+ bytes/],
      ['a negative size', 'kernel', 'shape', [-1], 'INVALID_FILE', 'whole numbers'],
      ['axes in another order', 'kernel', 'shape', [3, 2, 3, 3], 'INVALID_FILE', '"stem/kernel" must have shape [3, 3, 2, 3]'],
      ['integers', 'kernel', 'dtype', 'int32', 'UNSUPPORTED', 'element type int32, expected float32'],
      ['a name twice', 'kernel', 'name', 'stem/bias', 'INVALID_FILE', '"stem/bias" twice'],
      ['a name of no layer', 'kernel', 'name', 'x/kernel', 'INVALID_FILE', 'the weights lack stem/kernel'],
      ['scales of bytes that are none', 'own', 'normalize', { input: { scale: 'a' } }, 'INVALID_FILE', 'normalize'],
      ['class names that are none', 'own', 'classNames', [1, 2], 'INVALID_FILE', 'classNames'],
    ]
  for (const [what, part, key, value, code, message] of cases) {
    const json = JSON.parse(original)
    partsOf(json)[part]![key] = value
    writeFileSync(join(folder, 'model.json'), JSON.stringify(json))
    const error = await errorOf(() => importTfjs(join(folder, 'model.json')))
    expect(error.message, what).toMatch(message)
    expect(error.code, what).toBe(code)
  }
})

test('what is no model.json, and wrong options', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'model.json')
  await expectError(() => importTfjs(file), 'FILE_ERROR', 'no such file')
  await expectError(() => importTfjs(folder), 'INVALID_FILE', 'not a regular file')
  for (const text of ['', 'PNG', '[]', '{"a":1,"a":2}', '{"modelTopology":']) {
    writeFileSync(file, text)
    await expectError(() => importTfjs(file), 'INVALID_FILE', file)
  }
  writeFileSync(file, Uint8Array.of(0x7b, 0xff, 0xfe))
  await expectError(() => importTfjs(file), 'INVALID_FILE', 'not UTF-8')
  await expectError(() => importTfjs(7 as never), 'INVALID_ARGUMENT', 'file')
  await expectError(() => importTfjs(file, { size: 3 } as never), 'INVALID_ARGUMENT', 'size')
  await expectError(() => importTfjs(file, { input: 'big' as never }), 'INVALID_ARGUMENT', 'input')
})

test('sizes that the file leaves open are said by the caller', async () => {
  const folder = temporaryFolder()
  const model = sequential({ input: [5, 6, 1], seed: 2 }, conv2d(2, 3))
  await exportTfjs(model, folder)
  const json = jsonOf(folder)
  json.modelTopology.config.layers[0].config.batch_input_shape = [null, null, null, 1]
  const file = join(folder, 'model.json')
  writeFileSync(file, JSON.stringify(json))
  const x = randomTensor([1, 5, 6, 1], 1)
  for (const input of [[5, 6, 1], { input: [5, 6, 1] }])
    expect((await (await importTfjs(file, { input })).predict(x)).data).toEqual((await model.predict(x)).data)
  await expectError(() => importTfjs(file, { input: { other: [5, 6, 1] } }), 'UNSUPPORTED', 'input "input": leaves sizes open')
  await expectError(() => importTfjs(file, { input: { input: [5, 6, 1], other: [5] } }), 'INVALID_ARGUMENT', 'other')
})

/** A model of two inputs that are the same, of which each level calls the one below twice. */
const doubled = (depth: number): object => ({
  class_name: 'Functional',
  name: `level${depth}`,
  config: {
    name: `level${depth}`,
    layers: [
      { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: [null, 1] }, inbound_nodes: [] },
      depth > 0
        ? { ...doubled(depth - 1), inbound_nodes: [[['in', 0, 0, {}]], [[`level${depth - 1}`, 0, 0, {}]]] }
        : { class_name: 'ReLU', config: { name: 'relu' }, inbound_nodes: [[['in', 0, 0]], [['relu', 0, 0]]] },
    ],
    input_layers: [['in', 0, 0]],
    output_layers: [[depth > 0 ? `level${depth - 1}` : 'relu', 1, 0]],
  },
})

test('models within models', async () => {
  const file = join(temporaryFolder(), 'model.json')
  const write = (depth: number) => writeFileSync(file, JSON.stringify({ modelTopology: doubled(depth), weightsManifest: [] }))
  write(3)
  expect((await (await importTfjs(file)).predict({ shape: [2, 1], data: Float32Array.of(-1, 2) })).data).toEqual(Float32Array.of(0, 2))
  write(40)
  await expectError(() => importTfjs(file), 'INVALID_FILE', 'more than 100000 calls of layers')
})
