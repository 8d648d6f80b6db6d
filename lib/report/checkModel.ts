import { invalid } from '../check'
import { Model } from '../model/model'

/** Throws INVALID_ARGUMENT for what is no model. */
export function checkModel(model: unknown, label: string): void {
  if (!(model instanceof Model)) throw invalid(label, 'model', 'a model', model)
}
