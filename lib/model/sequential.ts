import { checkOptions, invalid } from '../check'
import type { Normalize, Samples } from '../data/dataset'
import { Layer } from '../layers/layer'
import { checkInputOptions, checkSampleShape, Node } from '../layers/node'
import type { Chain, RankAfter, RankOfSample } from '../layers/rank'
import { architectureOf } from './architecture'
import { Model, type ModelOptions, type RankedTensor } from './model'

/** Options of {@link sequential}. */
export interface SequentialOptions<S extends readonly number[] = readonly number[]> extends ModelOptions {
  /** Sizes of one sample, without the batch: `[28, 28, 1]`. */
  readonly input: S
  /** What bytes become: value · scale + offset. Default: what the data of `fit` says, else scale 1/255, offset 0. */
  readonly normalize?: Normalize
}

/**
 * A model of layers one behind the other. Each layer is checked against the rank that arrives at it when the program is compiled, and against all sizes when
 * the model is built.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE, beginning with the name of the layer that does not fit
 */
export function sequential<const S extends readonly number[], const L extends readonly Layer[]>(
  options: SequentialOptions<S>,
  ...layers: Chain<RankOfSample<S>, L>
): Model<Samples, RankedTensor<RankAfter<RankOfSample<S>, L>>> {
  checkOptions('sequential', options, ['input', 'normalize', 'seed', 'runtime'])
  const { input, normalize, ...modelOptions } = options
  const shape = checkSampleShape(input, 'sequential')
  const first: Node = new Node([null, ...shape], undefined, checkInputOptions(normalize ? { normalize } : {}, shape.at(-1)!, 'sequential'))
  let last = first
  for (const layer of layers as readonly unknown[]) {
    if (!(layer instanceof Layer)) throw invalid('sequential', 'layers', 'layers', layer)
    last = layer.apply(last)
  }
  return new Model(architectureOf([first], [last]), modelOptions)
}
