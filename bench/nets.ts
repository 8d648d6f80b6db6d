import { conv2d, dense, flatten, type Labels, type Model, maxPool2d, sequential, sgd, type Tensor } from 'convlane'
import { resnet18 } from '#lib/zoo/resnet18'
import { vgg } from '#lib/zoo/vgg'
import { randomData } from './problem'

export type InputShape = readonly [number, number, number]

const objective = (learningRate: number) => ({ optimizer: sgd({ learningRate, momentum: 0.9 }), loss: 'softmaxCrossEntropy' }) as const

/** Networks of the suite, by id, compiled for training. */
export const nets: Readonly<Record<string, (input: InputShape, runtime?: 'native' | 'reference', learningRate?: number) => Model>> = {
  lenet: (input, runtime = 'native', learningRate = 0.01) =>
    sequential(
      { input, seed: 1, runtime },
      conv2d(32, 3, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      conv2d(64, 5, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      flatten(),
      dense(128, { activation: 'relu' }),
      dense(10),
    ).compile(objective(learningRate)),
  vgg: (input, runtime = 'native', learningRate = 0.01) =>
    vgg({ input, classes: 10, seed: 1, runtime }).compile(objective(learningRate)) as Model,
  resnet18: (input, runtime = 'native', learningRate = 0.01) =>
    resnet18({ input, classes: 10, seed: 1, runtime }).compile(objective(learningRate)) as Model,
}

/** Noise with class numbers 0 to 9: what a step takes does not depend on what is learnt. */
export function noise(count: number, input: InputShape): { x: Tensor; y: Labels } {
  const x = { shape: [count, ...input], data: randomData(count * input[0] * input[1] * input[2], 1) }
  return { x, y: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 10) } }
}
