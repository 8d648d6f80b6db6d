import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  add,
  concat,
  conv1d,
  conv2d,
  conv3d,
  crop1d,
  crop2d,
  crop3d,
  dense,
  dropout,
  flatten,
  input,
  linear,
  loadModel,
  type Model,
  maxout,
  multiply,
  network,
  permute,
  prelu,
  reshape,
  resize1d,
  resize2d,
  resize3d,
  rnn,
  sequential,
  sgd,
  spatialDropout,
  upsample1d,
  upsample2d,
  upsample3d,
  zeroPad1d,
  zeroPad2d,
  zeroPad3d,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { type RuntimeName, randomTensor, someLabels } from '../support/models'

const options = (input: number[], runtime: RuntimeName) => ({ input, runtime, seed: 5 })
const models: Record<string, [input: number[], make: (runtime: RuntimeName) => Model]> = {
  sequences: [
    [6, 3],
    (runtime) =>
      sequential(
        options([6, 3], runtime),
        zeroPad1d([2, 1]),
        conv1d(6, 2),
        maxout(2),
        upsample1d(2, { interpolation: 'linear' }),
        resize1d(7),
        crop1d(1),
        prelu({ sharedAxes: [1] }),
        permute([2, 1]),
        rnn(4, { all: true, activation: 'sigmoid' }),
        rnn(4, { outputs: 5, activation: 'relu' }),
        dense(3),
      ),
  ],
  images: [
    [5, 4, 2],
    (runtime) =>
      sequential(
        options([5, 4, 2], runtime),
        zeroPad2d([[1, 0], [0, 2]]), // biome-ignore format: one line
        upsample2d(2, { interpolation: 'bilinear' }),
        conv2d(4, 3, { stride: 2 }),
        linear(),
        upsample2d([1, 2]),
        crop2d([1, 0]),
        resize2d([4, 3], { interpolation: 'nearest' }),
        spatialDropout(0.25),
        prelu({ sharedAxes: [] }),
        reshape([12, 4]),
        flatten(),
        dropout(0.25),
        dense(3),
      ),
  ],
  volumes: [
    [3, 2, 3, 1],
    (runtime) =>
      sequential(
        options([3, 2, 3, 1], runtime),
        zeroPad3d([0, 1, 0]),
        upsample3d([1, 1, 2], { interpolation: 'trilinear' }),
        conv3d(4, 2),
        crop3d([0, 1, 1]),
        resize3d(2),
        upsample3d([1, 2, 1]),
        maxout(2),
        flatten(),
        dense(3),
      ),
  ],
  joins: [
    [4, 3, 2],
    (runtime) => {
      const x = input([4, 3, 2])
      const a = conv2d(2, 3, { padding: 'same', activation: 'tanh' }).apply(x)
      const b = concat().apply(add().apply(x, a), multiply().apply(x, a, a))
      return network({ inputs: x, outputs: dense(3).apply(flatten().apply(b)), runtime, seed: 5 })
    },
  ],
}

describe.each(Object.entries(models))('%s', (_, [shape, make]) => {
  const data = { x: randomTensor([6, ...shape], 1), y: someLabels(6, 3) }
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

  test('a loaded model has the same layers and predicts the same bits', async () => {
    const model = await trained('native')
    const file = join(temporaryFolder(), 'model.safetensors')
    await model.save(file)
    const loaded = await loadModel(file)
    expect(await loaded.predict(data.x)).toEqual(await model.predict(data.x))
    expect(loaded.summary().layers).toEqual(model.summary().layers)
  })
})
