import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  digits,
  type ImageShape,
  lenet,
  loadModel,
  type Model,
  mlp,
  mobilenetV2Small,
  nielsen,
  resnet18,
  resnet20,
  sgd,
  sliceDataset,
  type Tensor,
  vgg,
  type XY,
  type ZooOptions,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, someLabels } from '../support/models'

interface Case {
  readonly name: string
  readonly make: (options: ZooOptions) => Model
  /** Of the network as it is defined, for ten classes. */
  readonly defined: { readonly input: ImageShape; readonly parameters: number }
  /** What it is compared with the reference on: images, number of them, learning rate. Small, for the reference is slow. */
  readonly compared: {
    readonly input: ImageShape
    readonly images: number
    readonly rate: number
    readonly seed: number
    /** How many times as far as others it may be from the reference in its weights, a tenth as many times in its losses. Default 1. */
    readonly tolerance?: number
    readonly winograd?: boolean
  }
  /** How it learns 64 digits. */
  readonly learnt: { readonly rate: number; readonly epochs: number }
}

/** Convolution and dense layers have their weights counted by hand, the published networks in their papers. */
const cases: readonly Case[] = [
  {
    name: 'mlp',
    make: mlp,
    defined: { input: [28, 28, 1], parameters: 784 * 30 + 30 + 30 * 10 + 10 },
    compared: { input: [8, 8, 1], images: 12, rate: 0.1, seed: 2 },
    learnt: { rate: 0.5, epochs: 12 },
  },
  {
    name: 'lenet',
    make: lenet,
    defined: { input: [28, 28, 1], parameters: 320 + 51_264 + 3136 * 128 + 128 + 1290 },
    compared: { input: [8, 8, 2], images: 12, rate: 0.01, seed: 2 },
    learnt: { rate: 0.05, epochs: 20 },
  },
  {
    name: 'nielsen',
    make: nielsen,
    defined: { input: [28, 28, 1], parameters: 520 + 20_040 + 641_000 + 1_001_000 + 10_010 },
    compared: { input: [16, 16, 1], images: 12, rate: 0.01, seed: 2 },
    learnt: { rate: 0.05, epochs: 40 },
  },
  {
    name: 'vgg',
    make: vgg,
    defined: { input: [32, 32, 3], parameters: 1_148_874 },
    compared: { input: [4, 4, 2], images: 12, rate: 0.01, seed: 2 },
    learnt: { rate: 0.02, epochs: 8 },
  },
  {
    name: 'resnet18',
    make: resnet18,
    defined: { input: [32, 32, 3], parameters: 11_173_962 },
    // Its last maps are single pixels: normalization of 12 values would magnify what Winograd's tiles of the first maps round.
    compared: { input: [4, 4, 2], images: 12, rate: 0.0005, seed: 3, winograd: false },
    learnt: { rate: 0.02, epochs: 5 },
  },
  {
    name: 'resnet20',
    make: resnet20,
    defined: { input: [32, 32, 3], parameters: 269_722 },
    compared: { input: [4, 4, 3], images: 12, rate: 0.01, seed: 2 },
    learnt: { rate: 0.02, epochs: 8 },
  },
  {
    // Beside the reference it is narrower. So deep, and on so few values, it has one of relu6 now and then so near to 0 or 6 that rounding decides whether its
    // gradient passes, which changes all gradients below by some hundredths: on the reference alone too, when its images are changed by a millionth.
    name: 'mobilenetV2Small',
    make: mobilenetV2Small,
    defined: { input: [32, 32, 3], parameters: 305_770 },
    compared: { input: [16, 16, 3], images: 8, rate: 1e-4, seed: 3, tolerance: 100 },
    learnt: { rate: 0.02, epochs: 20 },
  },
]

test.each(cases)('$name has the parameters of its definition', ({ make, defined: { input, parameters } }) => {
  expect(make({ input, classes: 10 }).summary().parameters).toBe(parameters)
})

/** The largest distance between two states of a tensor. */
function distance(a: Tensor, b: Tensor): number {
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0)
}

test.each(cases)('$name: the first three steps are those of the reference', { timeout: 240_000 }, async ({ name, make, compared }) => {
  const { input, images, rate, seed, tolerance = 1, winograd = true } = compared
  const [x, y] = [randomTensor([images, ...input], seed), someLabels(images, 3)]
  const train = async (runtime: RuntimeName) => {
    const model = make({ input, classes: 3, seed, runtime, ...(name === 'mobilenetV2Small' && { width: 0.1 }) })
    const before = await model.getWeights()
    model.compile({ optimizer: sgd({ learningRate: rate, momentum: 0.9 }), loss: 'softmaxCrossEntropy', winograd })
    const losses: number[] = []
    for (let step = 0; step < 3; step++) losses.push((await model.trainOnBatch(x, y)).loss!)
    return { losses, before, after: await model.getWeights() }
  }
  const [expected, found] = [await train('reference'), await train('native')]
  for (const [step, loss] of expected.losses.entries()) {
    expect(Math.abs(found.losses[step]! - loss), `loss of step ${step + 1}`).toBeLessThan(1e-4 * Math.max(1, tolerance / 10) * loss)
  }
  for (const [tensor, weights] of Object.entries(expected.after)) {
    // Against how far they have come; and where the gradient is zero by nature, that of what batch normalization takes away, there is only rounding.
    const moved = distance(weights, expected.before[tensor]!)
    expect(distance(found.after[tensor]!, weights), tensor).toBeLessThan(1e-3 * tolerance * moved + 1e-6)
  }
})

/** The first 64 digits, 8 × 8 as they are, or each pixel as a block of 2 × 2. */
async function someDigits(factor: 1 | 2): Promise<XY> {
  const { x, y, normalize } = sliceDataset((await digits()).train, 0, 64)
  const size = 8 * factor
  const at = (n: number, row: number, column: number) => 64 * n + 8 * Math.floor(row / factor) + Math.floor(column / factor)
  const data = Uint8Array.from(
    { length: 64 * size * size },
    (_, i) => x.data[at(Math.floor(i / size / size), Math.floor(i / size) % size, i % size)]!,
  )
  return { x: { shape: [64, size, size, 1], data }, y, ...(normalize && { normalize }) }
}

test.each(cases)('$name learns 64 images: the loss at least halves', { timeout: 240_000 }, async ({ name, make, learnt }) => {
  const data = await someDigits(name === 'nielsen' ? 2 : 1)
  const size = name === 'nielsen' ? 16 : 8
  const model = make({ input: [size, size, 1], classes: 10, seed: 1 })
  model.compile({ optimizer: sgd({ learningRate: learnt.rate, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })
  const { epochs } = await model.fit(data, { batchSize: 32, epochs: learnt.epochs })
  expect(epochs.at(-1)!.loss).toBeLessThan(0.5 * epochs[0]!.loss!)
})

test.each(cases)('$name is the same after save and load', async ({ name, make }) => {
  const size = name === 'nielsen' ? 16 : 8
  const model = make({ input: [size, size, 1], classes: 3, seed: 4 })
  const x = randomTensor([2, size, size, 1], 6)
  const file = join(temporaryFolder(), 'm')
  await model.save(file)
  expect(await (await loadModel(file)).predict(x)).toEqual(await model.predict(x))
})

test.each(cases)('$name refuses what it cannot take', async ({ name, make }) => {
  const input = [16, 16, 1] as const
  await expectError(() => make({ input, classes: 0 }), 'INVALID_ARGUMENT', `${name}: classes must be a positive integer, received 0`)
  await expectError(
    // @ts-expect-error channels are missing
    () => make({ input: [16, 16], classes: 2 }),
    'INVALID_SHAPE',
    `${name}: input must be three positive integers [H, W, C]`,
  )
  await expectError(() => make({ input, classes: 2, units: 3 } as never), 'INVALID_ARGUMENT', `${name}: unknown option "units"`)
})
