import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, expect, test } from 'vitest'
import { exportTfjs, importTfjs, type Model, type Tensor } from '../../lib/index'
import { models, said, samplesFor, scattered } from '../convert/tfjsModels'
import { temporaryFolder } from '../support/folder'
import { randomTensor } from '../support/models'

beforeAll(async () => {
  tf.env().set('PROD', true)
  await tf.setBackend('cpu')
})

/** The model as a web page loads it, its files fetched from the folder. */
const load = (folder: string) =>
  layers.loadLayersModel(
    tf.io.http('http://folder/model.json', {
      fetchFunc: async (url: string) => new Response(await readFile(join(folder, url.slice('http://folder/'.length)))),
    } as tf.io.LoadOptions),
  )

/** As `model.save('downloads://model')` does in a page. */
async function save(model: layers.LayersModel, folder: string, options?: tf.io.SaveConfig): Promise<string> {
  const file = join(folder, 'model.json')
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const { weightData, weightSpecs, ...rest } = artifacts
      const weightsManifest = [{ paths: ['./model.weights.bin'], weights: weightSpecs }]
      await writeFile(join(folder, 'model.weights.bin'), Buffer.from(weightData as ArrayBuffer))
      await writeFile(file, JSON.stringify({ ...rest, weightsManifest }))
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } }
    }),
    options,
  )
  return file
}

function theirs(model: layers.LayersModel, samples: readonly Tensor[]): Tensor[] {
  const given = samples.map(({ shape, data }) => tf.tensor(data as Float32Array, [...shape]))
  const result = model.predict(given.length === 1 ? given[0]! : given)
  return (Array.isArray(result) ? result : [result]).map((one) => ({ shape: one.shape, data: one.dataSync() as Float32Array }))
}

function expectClose(found: readonly Tensor[], expected: readonly Tensor[]): void {
  expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => [...shape]))
  for (const [index, { data }] of expected.entries()) {
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
    const off = data.reduce((most, value, i) => Math.max(most, Math.abs(value - found[index]!.data[i]!)), 0)
    expect(off / largest, `output ${index}`).toBeLessThan(1e-4)
  }
}

/** What TensorFlow.js saves, but would not load itself: an option is left out, or has a name that it does not know. */
const forgetful = new Set(['separable, two windows for each channel', 'gelu by tanh'])

test.each(Object.entries(models))('%s: TensorFlow.js loads what is exported and predicts the same, and back', async (name, make) => {
  const model = await scattered(make())
  const folder = temporaryFolder()
  await exportTfjs(model, folder)
  const samples = samplesFor(model, 3)
  const expected = await said(model, samples)
  const loaded = await load(folder)
  expectClose(theirs(loaded, samples), expected)
  if (forgetful.has(name)) return
  const back = await importTfjs<Model<never, unknown>>(await save(loaded, temporaryFolder()))
  expectClose(await said(back, samples), expected)
})

type Layer = layers.layers.Layer
const l = layers.layers
const { l1l2, l2 } = layers.regularizers

/** Layers behind one another as TensorFlow.js joins them. */
function chain(inputShape: readonly number[], ...others: readonly Layer[]): layers.LayersModel {
  const start = layers.input({ shape: [...inputShape] })
  const end = others.reduce((x, layer) => layer.apply(x) as layers.SymbolicTensor, start)
  return layers.model({ inputs: start, outputs: end })
}

/** A body that is frozen, and a head: how models are taught anew there. */
function nested(): layers.LayersModel {
  const body = chain([6, 6, 2], l.conv2d({ name: 'conv', filters: 3, kernelSize: 3, trainable: false }), l.globalAveragePooling2d({}))
  return layers.sequential({
    layers: [body, layers.sequential({ layers: [l.dense({ units: 4, inputShape: [3], activation: 'relu' })] }), l.dense({ units: 2 })],
  })
}

function twins(): layers.LayersModel {
  const twin = chain([5], l.dense({ units: 3, activation: 'tanh' }))
  const [a, b] = [layers.input({ shape: [5] }), layers.input({ shape: [5] })]
  const [x, y] = [twin.apply(a) as layers.SymbolicTensor, twin.apply(b) as layers.SymbolicTensor]
  const outputs = [l.concatenate().apply([x, y]) as layers.SymbolicTensor, l.add().apply([x, y]) as layers.SymbolicTensor]
  return layers.model({ inputs: [a, b], outputs })
}

const both = {
  kernelRegularizer: l1l2({ l1: 0.1, l2: 0.2 }),
  biasRegularizer: l2({ l2: 0.1 }),
  kernelConstraint: layers.constraints.nonNeg(),
}
const natives: Record<string, () => layers.LayersModel> = {
  'a Sequential': () =>
    layers.sequential({
      layers: [
        l.conv2d({ inputShape: [9, 8, 3], filters: 4, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu', ...both }),
        l.batchNormalization(),
        l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', depthwiseRegularizer: l2({ l2: 0.1 }) }),
        l.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same' }),
        l.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
        l.averagePooling2d({ poolSize: [2, 1] }),
        l.dropout({ rate: 0.3 }),
        l.flatten(),
        l.dense({ units: 6, useBias: false, activation: 'hardSigmoid' }),
        l.dense({ units: 3, activation: 'softmax' }),
      ],
    }),
  sequences: () =>
    chain(
      [10, 3],
      l.conv1d({ filters: 4, kernelSize: 3, padding: 'same', dilationRate: 2, activation: 'elu' }),
      l.spatialDropout1d({ rate: 0.2 }),
      l.maxPooling1d({ poolSize: 2 }),
      l.dense({ units: 4, activation: 'swish' }),
      l.simpleRNN({ units: 3, returnSequences: true, recurrentInitializer: 'glorotUniform' }),
      l.simpleRNN({ units: 2, activation: 'sigmoid', recurrentInitializer: 'glorotUniform' }),
    ),
  volumes: () =>
    chain(
      [4, 4, 5, 2],
      l.conv3d({ filters: 3, kernelSize: 2, activation: 'selu' }),
      l.maxPooling3d({ poolSize: 2, strides: 1 }),
      l.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 }),
      l.averagePooling3d({ poolSize: [2, 1, 2] }),
      l.dense({ units: 3, activation: 'softplus' }),
    ),
  'windows narrower than strides': () =>
    chain(
      [4, 3, 2],
      l.conv2dTranspose({ filters: 3, kernelSize: [1, 2], strides: 3 }),
      l.conv2dTranspose({ filters: 2, kernelSize: 1, strides: [1, 2], padding: 'same' }),
    ),
  images: () =>
    chain(
      [6, 5, 2],
      l.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
      l.cropping2D({
        cropping: [
          [0, 1],
          [1, 0],
        ],
      }),
      l.upSampling2d({ size: [2, 1] }),
      l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu6' }),
      l.layerNormalization(),
      l.leakyReLU({ alpha: 0.2 }),
      l.prelu({ sharedAxes: [1, 2] }),
      l.prelu(),
      l.elu(),
      l.reLU({ maxValue: 1.5 }),
      l.rescaling({ scale: 2, offset: -1 }),
      l.reshape({ targetShape: [-1, 6] }),
      l.permute({ dims: [2, 1] }),
      l.softmax({ axis: -1 }),
      l.globalMaxPooling1d(),
    ),
  'gelu by tanh': () => chain([5], l.activation({ activation: 'gelu_new' as never })),
  'a model within a model': nested,
  'a model called twice': twins,
}

test.each(Object.entries(natives))('%s made by TensorFlow.js', async (name, make) => {
  const model = make()
  const random = model.weights.map(({ shape, name }, index) => {
    const { data } = randomTensor(shape as number[], index + 1)
    return tf.tensor(name.includes('variance') ? data.map((value) => value + 1.5) : (data as Float32Array), shape as number[])
  })
  model.setWeights(random)
  const samples = model.inputs.map(({ shape }, index) => randomTensor([3, ...(shape.slice(1) as number[])], 50 + index))
  const expected = theirs(model, samples)
  const taken = await importTfjs<Model<never, unknown>>(await save(model, temporaryFolder()))
  expectClose(await said(taken, samples), expected)
  if (forgetful.has(name)) return
  const folder = temporaryFolder()
  await exportTfjs(taken, folder)
  expectClose(theirs(await load(folder), samples), expected)
})

test('a model that was trained there, with the weights of its optimizer', async () => {
  const model = chain([3], l.dense({ units: 2 }))
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  await model.fit(tf.ones([4, 3]), tf.ones([4, 2]), { epochs: 1, verbose: 0 })
  const samples = [randomTensor([2, 3], 1)]
  const taken = await importTfjs<Model<never, unknown>>(await save(model, temporaryFolder(), { includeOptimizer: true }))
  expectClose(await said(taken, samples), theirs(model, samples))
})

test.each(['uint8', 'uint16', 'float16'] as const)('weights quantized as %s are those that TensorFlow.js reads', async (dtype) => {
  const folder = temporaryFolder()
  await exportTfjs(await scattered(models.lenet!()), folder)
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'))
  const [group] = json.weightsManifest
  group.weights = group.weights.map((one: object, index: number) => ({
    ...one,
    quantization: { dtype, original_dtype: 'float32', scale: 0.001 * (index + 1), min: -0.1 },
  }))
  const elements = group.weights.reduce((sum: number, { shape }: { shape: number[] }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  // As float16: no exponent of all ones, which is what no weight is.
  const bytes = Uint8Array.from({ length: elements * (dtype === 'uint8' ? 1 : 2) }, (_, i) =>
    i % 2 === 1 && dtype === 'float16' ? (i * 31) & 0xbb : (i * 73) & 255,
  )
  group.paths = ['quantized.bin']
  await writeFile(join(folder, 'quantized.bin'), bytes)
  await writeFile(join(folder, 'model.json'), JSON.stringify(json))
  const model = await importTfjs(join(folder, 'model.json'))
  const weights = await model.getWeights()
  const expected = (await load(folder)).getWeights().map((one) => one.dataSync())
  for (const [index, { name }] of group.weights.entries()) expect(weights[name]!.data, name).toEqual(expected[index])
})
