import { adam, conv2d, dense, flatten, sequential } from '../../lib/index'

/** A compiled model of images `[4, 4, 3]` in three classes, for what watches a training. */
export function smallClassifier() {
  return sequential({ input: [4, 4, 3], seed: 1 }, conv2d(5, 3), flatten(), dense(3)).compile({
    optimizer: adam({ learningRate: 0.01 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
}
