import { conv2d, dense, flatten, type Labels, type Model, maxPool2d, sequential, sgd, type Tensor } from 'convlane'
import { randomData } from './problem'

export type InputShape = readonly [number, number, number]

/** Networks of the suite, by id, compiled for training. */
export const nets: Readonly<Record<string, (input: InputShape, runtime?: 'native' | 'reference') => Model>> = {
  lenet: (input, runtime = 'native') =>
    sequential(
      { input, seed: 1, runtime },
      conv2d(32, 3, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      conv2d(64, 5, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      flatten(),
      dense(128, { activation: 'relu' }),
      dense(10),
    ).compile({ optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }), loss: 'softmaxCrossEntropy' }),
}

/** Why the library has no network for the other ids. */
export const absentNets: Readonly<Record<string, string>> = {
  vgg: 'it needs batch normalization',
  resnet18: 'it needs batch normalization',
}

/** Noise with class numbers 0 to 9: what a step takes does not depend on what is learnt. */
export function noise(count: number, input: InputShape): { x: Tensor; y: Labels } {
  const x = { shape: [count, ...input], data: randomData(count * input[0] * input[1] * input[2], 1) }
  return { x, y: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 10) } }
}
