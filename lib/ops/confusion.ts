import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank } from '../shape'
import type { Labels, Tensor } from '../tensor'
import { type ClassOptions, classAttributes } from './accuracy'
import { call, type Operand, typeOf } from './call'
import { checkLabelTypes, prepareLabels } from './labels'
import type { OpDefinition } from './op'
import { checkOptions } from './options'

export const confusionOp: OpDefinition = {
  name: 'confusion',
  inputs: ['predictions', 'labels'],
  outputs: ['matrix', 'counts'],
  optionalOutputs: ['matrix', 'counts'],
  infer([predictions, labels], { multiLabel = false, ignoreLabel }, label) {
    checkLabelTypes(predictions!, labels!, label, 'predictions')
    if (labels!.dtype !== 'float32' && multiLabel) {
      const expected = predictions!.shape
      throw new ConvlaneError('INVALID_SHAPE', `${label}: multiLabel needs labels [N, K], 0 or 1 each, received class numbers`, {
        expected,
      })
    }
    if (labels!.dtype === 'float32' && ignoreLabel !== undefined)
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ignoreLabel is for class numbers, labels are a distribution per row`)
    const columns = predictions!.shape[1]!
    const classes = columns === 1 && !multiLabel ? 2 : columns
    return [
      { shape: [classes, classes], dtype: 'float32' },
      { shape: [3, classes], dtype: 'float32' },
    ]
  },
}

export interface ConfusionOptions extends ClassOptions {
  /** Each column is a question of its own, answered yes above the threshold: labels are `[N, K]`, 0 or 1 each. There is no matrix then. Default false. */
  readonly multiLabel?: boolean | undefined
}

/**
 * Counts how rows of `predictions [N, K]` were classified: labels are class numbers `[N]` or rows `[N, K]` whose first maximum counts, predictions as for
 * {@link accuracy}. `matrix[label][prediction] [K, K]`: how many rows (absent where `multiLabel`); `counts [3, K]`: of each class, how many rows are of it,
 * were taken for it, and both. For K = 1 there are two classes. Counts are whole numbers.
 *
 * Throws `INVALID_LABEL` for a class number out of range, `INVALID_SHAPE`, `INVALID_ARGUMENT`, and what a bad tensor throws.
 */
export function confusion(predictions: Tensor, labels: Labels | Tensor, options?: ConfusionOptions): { matrix?: Tensor; counts: Tensor }
export function confusion(predictions: Value, labels: Value, options?: ConfusionOptions): { matrix?: Value; counts: Value }
export function confusion(predictions: Operand, labels: Operand, options: ConfusionOptions = {}) {
  const label = labelOf('confusion', options?.name)
  checkOptions(options, ['ignoreLabel', 'threshold', 'multiLabel'], label)
  const { shape } = typeOf(predictions, label, 'predictions')
  checkRank(shape, ['N', 'K'], label, 'predictions')
  const given = prepareLabels(labels, Math.max(2, shape[1]!), label, options.ignoreLabel)
  const { multiLabel = false } = options
  if (typeof multiLabel !== 'boolean')
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: multiLabel must be true or false`, { received: multiLabel })
  const attributes = { ...(multiLabel && { multiLabel }), ...classAttributes(options, label) }
  const results = call(confusionOp, [predictions, given], attributes, options, { wanted: multiLabel ? [1] : [0, 1] })
  const counts = results.at(-1)!
  return multiLabel ? { counts } : { matrix: results[0]!, counts }
}
