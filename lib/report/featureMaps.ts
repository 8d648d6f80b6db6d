import { checkOptions, invalid } from '../check'
import type { Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import type { Model } from '../model/model'
import type { Tensor } from '../tensor'
import { checkModel } from './checkModel'

/** What one layer makes of some samples. */
export interface FeatureMaps {
  /** Name of the layer; where it is used several times, there are as many of these. */
  readonly layer: string
  /** Kind of layer: `conv2d`. */
  readonly type: string
  /** What it gives: `[N, H, W, C]` where samples are images, a map for each of C channels. */
  readonly output: Tensor
}

/** Options of {@link featureMaps}. */
export interface FeatureMapsOptions {
  /** Names of the layers whose output is wanted. Default: all. */
  readonly layers?: readonly string[]
}

/**
 * What every layer makes of an image on its way through the model, in the order of the computation: from simple edges to object parts.
 * Layers do what they do in `predict`: dropout nothing, batch normalization by its running statistics.
 * @param image what `predict` takes, `[N, …]`; of a model with one input also one sample without its first axis: `[H, W, C]`
 * @throws INVALID_ARGUMENT for a layer that there is not; what `predict` throws
 */
export async function featureMaps<X>(
  model: Model<X, unknown>,
  image: X | Samples,
  options: FeatureMapsOptions = {},
): Promise<FeatureMaps[]> {
  checkOptions('featureMaps', options, ['layers'])
  checkModel(model, 'featureMaps')
  const { inputs, calls, layers } = model.architecture
  const { layers: wanted } = options
  if (wanted !== undefined && !Array.isArray(wanted)) throw invalid('featureMaps', 'layers', 'an array of names', wanted)
  const unknown = wanted?.find((name) => !layers.some((layer) => layer.name === name))
  if (unknown !== undefined) {
    const names = layers.map(({ name }) => name)
    throw new ConvlaneError('INVALID_ARGUMENT', `featureMaps: there is no layer "${unknown}", there are ${names.join(', ')}`, {
      expected: names,
      received: unknown,
    })
  }
  const one = image as Samples
  const isOne = inputs.length === 1 && Array.isArray(one?.shape) && one.shape.length === inputs[0]!.shape.length
  const outputs = await model.trace((isOne ? { shape: [1, ...one.shape], data: one.data } : image) as X, 'featureMaps')
  return calls.flatMap((call, index) => {
    const { name, layer } = layers[call.layer]!
    return wanted && !wanted.includes(name) ? [] : [{ layer: name, type: layer.type, output: outputs[index]! }]
  })
}
