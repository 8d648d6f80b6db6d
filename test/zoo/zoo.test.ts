import { expect, test } from 'vitest'
import { digits, type Labels, sgd, sliceDataset, type Tensor } from '../../lib/index'
import { resnet18 } from '../../lib/zoo/resnet18'
import { vgg } from '../../lib/zoo/vgg'
import { randomTensor, someLabels } from '../support/models'

const nets = [
  { name: 'vgg', make: vgg, parameters: 1_148_874 },
  { name: 'resnet18', make: resnet18, parameters: 11_173_962 },
] as const

test.each(nets)('$name has the parameters of its description', ({ make, parameters }) => {
  expect(make({ input: [32, 32, 3], classes: 10 }).summary().parameters).toBe(parameters)
})

test.each(nets)('$name: the first three steps are those of the reference', { timeout: 240_000 }, async ({ make }) => {
  const [x, y] = [randomTensor([12, 4, 4, 2], 5), someLabels(12, 3)]
  const train = async (runtime: 'native' | 'reference') => {
    const model = make({ input: [4, 4, 2], classes: 3, seed: 2, runtime })
    model.compile({ optimizer: sgd({ learningRate: 0.0005, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })
    const losses: number[] = []
    for (let step = 0; step < 3; step++) losses.push((await model.trainOnBatch(x, y)).loss!)
    model.dispose()
    return losses
  }
  const [expected, found] = [await train('reference'), await train('native')]
  for (const [step, loss] of expected.entries()) expect(Math.abs(found[step]! - loss), `loss of step ${step + 1}`).toBeLessThan(1e-4 * loss)
})

test.each(nets)('$name learns 64 images: the loss at least halves', { timeout: 240_000 }, async ({ make }) => {
  const { x, y } = sliceDataset((await digits()).train, 0, 64) as unknown as { x: Tensor; y: Labels }
  const model = make({ input: [8, 8, 1], classes: 10, seed: 1 })
  model.compile({ optimizer: sgd({ learningRate: 0.02, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })
  const { epochs } = await model.fit({ x, y }, { batchSize: 32, epochs: 8 })
  expect(epochs.at(-1)!.loss).toBeLessThan(0.5 * epochs[0]!.loss!)
})
