import { expect, test } from 'vitest'
import { batchNorm, conv2d, convTranspose2d, depthwiseConv2d, flatten, sequential, sgd } from '../../lib/index'
import type { Tensor } from '../../lib/tensor'
import { type RuntimeName, randomTensor } from '../support/models'
import { firstDifference } from '../support/tolerance'

/** Filters that kernels read transformed, packed, and as they are; of the state, and of the prelude. */
const model = (runtime: RuntimeName) =>
  sequential(
    { input: [9, 9, 6], seed: 4, runtime },
    conv2d(20, 3, { padding: 'same', algorithm: 'winograd4', activation: 'relu' }),
    conv2d(40, 3, { padding: 'same', algorithm: 'winograd2', bias: false }),
    batchNorm(),
    conv2d(90, 3, { stride: 2, algorithm: 'indirect' }),
    convTranspose2d(33, 3, { groups: 3, algorithm: 'indirect' }),
    depthwiseConv2d(3),
    conv2d(5, 1, { algorithm: 'im2col' }),
    flatten(),
  ).compile({ optimizer: sgd({ learningRate: 0.001 }), loss: 'meanSquaredError' })

function expectClose(received: Tensor, expected: Tensor): void {
  const largest = Math.max(...expected.data.map(Math.abs))
  expect(received.shape).toEqual(expected.shape)
  expect(firstDifference(received.data, expected.data, 1e-4 * largest)).toBe(undefined)
}

test('weights that kernels read packed or transformed are made again when they change', async () => {
  const [native, reference] = [model('native'), model('reference')]
  const batches = [1, 3, 17].map((n, index) => randomTensor([n, 9, 9, 6], index))
  const agree = async () => {
    for (const x of batches) expectClose(await native.predict(x), await reference.predict(x))
  }
  await agree()
  expect(native.memory().arenaBytes).toBeGreaterThan(0)
  const [x, y] = [randomTensor([8, 9, 9, 6], 9), randomTensor([8, 4 * 4 * 5], 10)]
  for (let step = 0; step < 2; step++) {
    await Promise.all([native.trainOnBatch(x, y), reference.trainOnBatch(x, y)])
    await agree()
  }
  const weights = await reference.getWeights()
  const changed = Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [name, { shape, data: data.map((value) => value / 2) }]),
  )
  await Promise.all([native.setWeights(changed), reference.setWeights(changed)])
  await agree()
  expectClose(
    { shape: [1], data: Float32Array.of((await native.evaluate({ x, y })).loss) },
    {
      shape: [1],
      data: Float32Array.of((await reference.evaluate({ x, y })).loss),
    },
  )
})

test('predictions of many callers beside training are of one version of the weights each', async () => {
  const native = model('native')
  const x = randomTensor([1, 9, 9, 6], 1)
  const [images, targets] = [randomTensor([8, 9, 9, 6], 9), randomTensor([8, 4 * 4 * 5], 10)]
  const seen: Tensor[] = []
  const training = (async () => {
    for (let step = 0; step < 8; step++) await native.trainOnBatch(images, targets)
  })()
  let done = false
  training.then(() => {
    done = true
  })
  while (!done) seen.push(...(await Promise.all([native.predict(x), native.predict(x)])))
  await training

  const again = model('native')
  const versions = [await again.predict(x)]
  for (let step = 0; step < 8; step++) {
    await again.trainOnBatch(images, targets)
    versions.push(await again.predict(x))
  }
  for (const { data } of seen)
    expect(versions.map((version) => Buffer.compare(Buffer.from(version.data.buffer), Buffer.from(data.buffer)))).toContain(0)
})
