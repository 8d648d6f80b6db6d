import { ConvlaneError } from '../errors'
import type { Model } from '../model/model'
import type { OpenedData } from './data'

/** Refuses models that do not put images into classes, so many at least. */
export function checkGivesClasses(model: Model, file: string, least = 1): void {
  const { inputs, layers } = model.summary()
  const output = layers.at(-1)?.outputShape ?? []
  if (inputs.length === 1 && output.length === 2 && output[1]! >= least) return
  throw new ConvlaneError('UNSUPPORTED', `${file}: expected a model of one input that gives classes [N, K]`)
}

/** Refuses models that do not put images of this data set into classes. */
export function checkClassifier(model: Model, file: string, data: OpenedData): void {
  checkGivesClasses(model, file)
  const { inputs, layers } = model.summary()
  const [input] = inputs
  const output = layers.at(-1)?.outputShape ?? []
  const expected = data.test.x.shape.slice(1)
  const received = input?.shape.slice(1) ?? []
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
