import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank } from '../shape'
import type { AnyTensor, Labels, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { checkLabelTypes, prepareLabels } from './labels'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { scaleBy } from './scale'

export const softmaxCrossEntropyOp: OpDefinition = {
  name: 'softmaxCrossEntropy',
  inputs: ['logits', 'labels'],
  outputs: ['loss', 'dlogits'],
  optionalOutputs: ['dlogits'],
  infer([logits, labels], _, label) {
    checkLabelTypes(logits!, labels!, label, 'logits')
    return [{ shape: [], dtype: 'float32' }, logits!]
  },
  gradient({ outputs }, [dloss, ddlogits], wanted) {
    if (wanted[1]) throw new ConvlaneError('UNSUPPORTED', 'softmaxCrossEntropy has no gradient by its labels')
    if (ddlogits) throw new ConvlaneError('UNSUPPORTED', 'softmaxCrossEntropy: dlogits has no gradient')
    return [scaleBy(outputs[1]!, dloss)]
  },
}

/**
 * The mean over rows of −Σ target · log softmax(logits), and its gradient by the logits: `logits [N, K]`, labels: class numbers `[N]`, or a distribution
 * per row `[N, K]`. Throws `INVALID_LABEL` for a class number that isn't below K, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Labels | Tensor, options?: OpOptions): { loss: number; dlogits: Tensor }
export function softmaxCrossEntropy(logits: Value, labels: Value, options?: OpOptions): { loss: Value; dlogits: Value }
export function softmaxCrossEntropy(logits: Operand, labels: Operand, options: OpOptions = {}) {
  const label = labelOf('softmaxCrossEntropy', options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(logits, label, 'logits')
  checkRank(shape, ['N', 'K'], label, 'logits')
  const [loss, dlogits] = call(softmaxCrossEntropyOp, [logits, prepareLabels(labels, shape[1]!, label)], {}, options)
  return { loss: 'origin' in loss! ? loss : (loss as AnyTensor).data[0]!, dlogits: dlogits! }
}
