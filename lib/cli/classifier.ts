import { ConvlaneError } from '../errors'
import type { Model } from '../model/model'
import type { Tensor } from '../tensor'
import type { OpenedData } from './data'

/** Refuses models that do not put images of this data set into classes. */
export function checkClassifier(model: Model, file: string, data: OpenedData): void {
  const { inputs, layers } = model.summary()
  const [input, ...others] = inputs
  const output = layers.at(-1)?.outputShape ?? []
  const expected = data.test.x.shape.slice(1)
  const received = input?.shape.slice(1) ?? []
  if (others.length > 0 || output.length !== 2) {
    throw new ConvlaneError('UNSUPPORTED', `${file}: expected a model of one input that gives classes [N, K]`)
  }
  if (expected.join() !== received.join()) {
    throw new ConvlaneError('INVALID_SHAPE', `${file}: takes images of ${received.join(' x ')}, ${data.name} has ${expected.join(' x ')}`, {
      expected,
      received,
    })
  }
  const classes = data.test.classNames?.length ?? 0
  if (classes > output[1]!) {
    throw new ConvlaneError('INVALID_SHAPE', `${file}: tells ${output[1]} classes apart, ${data.name} has ${classes}`, {
      expected: classes,
      received: output[1],
    })
  }
}

/** What a classifier says, as probabilities by row, whether it ends in a softmax or gives logits. */
export function probabilities(model: Model, said: Tensor): number[][] {
  const last = model.summary().layers.at(-1)
  const isProbability = last?.type === 'softmax' || last?.activation === 'softmax'
  const [rows, classes] = said.shape as readonly [number, number]
  return Array.from({ length: rows }, (_, row) => {
    const scores = [...said.data.subarray(row * classes, (row + 1) * classes)]
    return isProbability ? scores : softmax(scores)
  })
}

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits)
  const powers = logits.map((logit) => Math.exp(logit - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}
