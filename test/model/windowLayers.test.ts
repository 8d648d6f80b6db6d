import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adaptiveAveragePool1d,
  adaptiveAveragePool2d,
  adaptiveAveragePool3d,
  averagePool1d,
  averagePool3d,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dense,
  depthwiseConv1d,
  depthwiseConv2d,
  globalAveragePool1d,
  globalAveragePool3d,
  globalMaxPool2d,
  loadModel,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  type Model,
  maxPool1d,
  maxPool3d,
  separableConv1d,
  separableConv2d,
  sequential,
  sgd,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { type RuntimeName, randomTensor, someLabels } from '../support/models'

const options = (input: number[], runtime: RuntimeName) => ({ input, runtime, seed: 5 })
const models: Record<string, [input: number[], make: (runtime: RuntimeName) => Model]> = {
  sequences: [
    [16, 3],
    (runtime) =>
      sequential(
        options([16, 3], runtime),
        conv1d(4, 3, { padding: 'causal', dilation: 2, activation: 'relu' }),
        maxPool1d(2),
        convTranspose1d(4, 3, { stride: 2, padding: 'same', activation: 'tanh' }),
        conv1d(5, 3, { bias: 'position', activation: 'relu' }),
        averagePool1d(3, { stride: 2, padding: 1 }),
        globalAveragePool1d(),
        dense(3),
      ),
  ],
  images: [
    [8, 7, 2],
    (runtime) =>
      sequential(
        options([8, 7, 2], runtime),
        depthwiseConv2d(3, { depthMultiplier: 2, padding: 'same', activation: 'tanh' }),
        separableConv2d(4, 3, { activation: 'relu' }),
        convTranspose2d(3, 2, { stride: 2, activation: 'sigmoid' }),
        lpPool2d(2),
        conv2d(4, 2, { bias: 'position' }),
        adaptiveAveragePool2d([3, 2]),
        globalMaxPool2d(),
        dense(3),
      ),
  ],
  volumes: [
    [4, 5, 4, 2],
    (runtime) =>
      sequential(
        options([4, 5, 4, 2], runtime),
        conv3d(4, 3, { padding: 'same', activation: 'relu' }),
        maxPool3d([1, 2, 2], { ceil: true }),
        convTranspose3d(3, 2, { activation: 'relu' }),
        averagePool3d(2, { stride: 1 }),
        globalAveragePool3d(),
        dense(3),
      ),
  ],
}

const biased = { bias: 'position', activation: 'tanh' } as const
const others: typeof models = {
  'sequences, other layers': [
    [16, 3],
    (runtime) =>
      sequential(
        options([16, 3], runtime),
        depthwiseConv1d(3, { depthMultiplier: 2, padding: 'causal', ...biased }),
        separableConv1d(4, 3, { stride: 2, ...biased }),
        convTranspose1d(3, 3, { stride: 2, outputPadding: 1, ...biased }),
        lpPool1d(2, { p: 3 }),
        adaptiveAveragePool1d(3),
        globalAveragePool1d(),
        dense(3),
      ),
  ],
  'images, a bias for each position': [
    [6, 5, 2],
    (runtime) =>
      sequential(
        options([6, 5, 2], runtime),
        depthwiseConv2d(3, { depthMultiplier: 2, ...biased }),
        separableConv2d(4, 2, { padding: 'same', ...biased }),
        convTranspose2d(3, 2, { stride: 2, groups: 1, ...biased }),
        globalMaxPool2d(),
        dense(3),
      ),
  ],
  'volumes, other layers': [
    [4, 5, 4, 2],
    (runtime) =>
      sequential(
        options([4, 5, 4, 2], runtime),
        convTranspose3d(3, 2, { ...biased, padding: [1, 0, 0] }),
        lpPool3d([1, 2, 2]),
        adaptiveAveragePool3d([2, 2, 1]),
        globalAveragePool3d(),
        dense(3),
      ),
  ],
}

describe.each(Object.entries({ ...models, ...others }))('%s', (_, [input, make]) => {
  const data = { x: randomTensor([6, ...input], 1), y: someLabels(6, 3) }
  const trained = async (runtime: RuntimeName) => {
    const model = make(runtime).compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
    await model.fit(data, { epochs: 3, batchSize: 3 })
    return model
  }

  test('three epochs are those of the reference', async () => {
    const [native, reference] = [await trained('native'), await trained('reference')]
    const expected = await reference.getWeights()
    for (const [name, { data: values }] of Object.entries(await native.getWeights()))
      for (const [i, value] of values.entries()) expect(value, `${name}[${i}]`).toBeCloseTo(expected[name]!.data[i]!, 4)
  })

  test('a loaded model predicts the same bits', async () => {
    const model = await trained('native')
    const file = join(temporaryFolder(), 'model.safetensors')
    await model.save(file)
    const loaded = await loadModel(file)
    expect(await loaded.predict(data.x)).toEqual(await model.predict(data.x))
  })
})
