import { checkBoolean, checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { parseDocument } from './document'
import { Model } from './model'
import type { SharedModel } from './options'

/**
 * A model that another thread of this process shares, mostly in a worker: it predicts by the same weights, which are not copied, with what kernels keep of them, and
 * sees those of the last whole step while the other trains. It can `predict`, `getWeights`, `save`, `share`, `profile` and `summary`; what trains or writes is
 * UNSUPPORTED. `predict` gives the bits that the other model gives. The weights stay until all that have them are disposed of, garbage, or of threads that ended.
 * @param shared what {@link Model.share} gave, as it came through `workerData` or `postMessage`. Layers of your own: `registerLayer` in this thread first
 * @throws DISPOSED when no model of this process has these weights any more, or of another process; INVALID_ARGUMENT, INVALID_SHAPE when `shared` is anything else
 */
export function sharedModel<M extends Model<never, unknown> = Model>(shared: SharedModel): M {
  checkOptions('sharedModel', shared, ['id', 'document', 'slots', 'winograd'])
  const { id, document, slots, winograd } = shared
  if (typeof id !== 'string') throw invalid('sharedModel', 'id', 'a string', id)
  if (typeof document !== 'string') throw invalid('sharedModel', 'document', 'a string', document)
  if (!Array.isArray(slots) || !slots.every((slot) => typeof slot === 'string')) throw invalid('sharedModel', 'slots', 'strings', slots)
  try {
    const { architecture, seed, algorithms, classNames } = parseDocument(document)
    const state = { id, slots: [...slots], winograd: checkBoolean(winograd, 'sharedModel', 'winograd') }
    const model = new Model(architecture, { seed, runtime: 'native' }, undefined, state)
    model.adopt(algorithms, undefined)
    model.classNames = classNames
    return model as unknown as M
  } catch (cause) {
    if (!(cause instanceof ConvlaneError) || cause.message.startsWith('sharedModel: ')) throw cause
    throw new ConvlaneError(cause.code, `sharedModel: ${cause.message}`, { cause })
  }
}
