import { afterAll, expect, test } from 'vitest'
import {
  adam,
  conv2d,
  dense,
  digits,
  flatten,
  maxPool2d,
  sequential,
  setThreads,
  sliceDataset,
  threads,
  weightsSha256,
} from '../../lib/index'

/** Twelve steps of a small network on real images: what a training run consists of, short enough for an emulator. */
async function train(runtime: 'native' | 'reference') {
  const data = sliceDataset((await digits()).train, 0, 96)
  const layers = [
    conv2d(6, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    conv2d(10, 3, { stride: 2, padding: 1, activation: 'tanh' }),
    flatten(),
    dense(10),
  ] as const
  const model = sequential({ input: [8, 8, 1], seed: 4, runtime }, ...layers)
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'softmaxCrossEntropy' })
  const losses: number[] = []
  await model.fit(data, { batchSize: 16, epochs: 2, onStep: ({ loss }) => void losses.push(loss) })
  const weights = await model.getWeights()
  model[Symbol.dispose]()
  return { losses, weights, hash: weightsSha256(weights) }
}

const before = threads()
afterAll(() => setThreads(before))

test('a short training learns, as the reference does, with the same bits at any number of threads', async () => {
  const reference = await train('reference')
  const runs = []
  for (const count of [1, 2, 3]) {
    setThreads(count)
    runs.push(await train('native'))
  }
  for (const { hash, losses, weights } of runs) {
    expect(hash).toBe(runs[0]!.hash)
    expect(losses).toHaveLength(12)
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!)
    for (const [step, loss] of losses.entries())
      expect(Math.abs(loss - reference.losses[step]!), `loss of step ${step + 1}`).toBeLessThan(1e-5)
    for (const [name, { data }] of Object.entries(weights)) {
      const expected = reference.weights[name]!.data
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      for (const [i, value] of data.entries()) expect(Math.abs(value - expected[i]!), `${name}[${i}]`).toBeLessThan(1e-4 * largest)
    }
  }
})
