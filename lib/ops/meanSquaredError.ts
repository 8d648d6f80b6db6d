import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { AnyTensor, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { scaleBy } from './scale'

export const meanSquaredErrorOp: OpDefinition = {
  name: 'meanSquaredError',
  inputs: ['predictions', 'targets'],
  outputs: ['loss', 'dpredictions'],
  optionalOutputs: ['dpredictions'],
  infer([predictions, targets], _, label) {
    checkSameShape(predictions!, targets!, label, ['predictions', 'targets'])
    return [{ shape: [], dtype: 'float32' }, predictions!]
  },
  gradient({ outputs }, [dloss, ddpredictions], wanted) {
    if (ddpredictions) throw new ConvlaneError('UNSUPPORTED', 'meanSquaredError: dpredictions has no gradient')
    return [wanted[0] ? scaleBy(outputs[1]!, dloss) : undefined, wanted[1] ? scaleBy(outputs[1]!, dloss, -1) : undefined]
  },
}

/** The mean over all elements of (predictions − targets)², and its gradient by the predictions. Any shape. Throws `INVALID_SHAPE` when the shapes differ. */
export function meanSquaredError(predictions: Tensor, targets: Tensor, options?: OpOptions): { loss: number; dpredictions: Tensor }
export function meanSquaredError(predictions: Value, targets: Value, options?: OpOptions): { loss: Value; dpredictions: Value }
export function meanSquaredError(predictions: Operand, targets: Operand, options: OpOptions = {}) {
  const label = labelOf('meanSquaredError', options?.name)
  checkOptions(options, [], label)
  typeOf(predictions, label, 'predictions')
  typeOf(targets, label, 'targets')
  const [loss, dpredictions] = call(meanSquaredErrorOp, [predictions, targets], {}, options)
  return { loss: 'origin' in loss! ? loss : (loss as AnyTensor).data[0]!, dpredictions: dpredictions! }
}
