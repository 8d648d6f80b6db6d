import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { readSafetensors } from '../io/safetensors'
import { checkpointKey, isWeight } from '../train/checkpoint'
import { metadataKey, readDocument } from './document'
import { Model, type ModelOptions } from './model'
import { checkWeights } from './weights'

/**
 * The model that `save` or a checkpoint of fit wrote, compiled as it was: `predict` gives the same bits, `fit` may go on (with optimizer slots at zero).
 * @param file safetensors with a model description in its metadata
 * @throws FILE_ERROR when it cannot be read; INVALID_FILE when it is damaged, or has no description; UNSUPPORTED for other element types than F32
 */
export async function loadModel<M extends Model<never, unknown> = Model>(
  file: string,
  options: Pick<ModelOptions, 'runtime'> = {},
): Promise<M> {
  if (typeof file !== 'string' || file === '') throw invalid('loadModel', 'file', 'a path', file)
  checkOptions('loadModel', options, ['runtime'])
  const { tensors: all, metadata } = await readSafetensors(file)
  const isCheckpoint = checkpointKey in metadata
  const tensors = isCheckpoint ? Object.fromEntries(Object.entries(all).filter(([name]) => isWeight(name))) : all
  const json = metadata[metadataKey]
  if (json === undefined) {
    const message = `${file}: holds weights but no model description: build the model, then setWeights`
    throw new ConvlaneError('INVALID_FILE', message, { expected: `metadata "${metadataKey}"` })
  }
  const { architecture, seed, algorithms, classNames, history, compile } = readDocument(json, file)
  try {
    const weights = checkWeights(architecture, tensors, 'weights')
    const missing = architecture.layers.flatMap(({ parameters }) => parameters).find(({ name }) => !weights.has(name))
    if (missing) throw new ConvlaneError('INVALID_FILE', `"${missing.name}" is missing`, { expected: missing.name })
    const model = new Model(architecture, { ...options, seed }, tensors)
    model.adopt(algorithms, history)
    model.classNames = classNames
    if (compile) model.compile(compile)
    return model as unknown as M
  } catch (cause) {
    if (!(cause instanceof ConvlaneError)) throw cause
    throw new ConvlaneError('INVALID_FILE', `${file}: damaged model: ${cause.message}`, { cause })
  }
}
