import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank } from '../shape'
import type { AnyTensor, Labels, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { checkLabelTypes, prepareLabels } from './labels'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const accuracyOp: OpDefinition = {
  name: 'accuracy',
  inputs: ['predictions', 'labels'],
  outputs: ['correct'],
  infer([predictions, labels], _, label) {
    checkLabelTypes(predictions!, labels!, label, 'predictions')
    return [{ shape: [], dtype: 'float32' }]
  },
}

/**
 * How many rows of `predictions [N, K]` have their first maximum where the label says: a class number `[N]`, or the first maximum of a row `[N, K]`. For
 * K = 1: above 0.5 against label 1. Throws `INVALID_LABEL` for a class number out of range, `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function accuracy(predictions: Tensor, labels: Labels | Tensor, options?: OpOptions): { correct: number }
export function accuracy(predictions: Value, labels: Value, options?: OpOptions): { correct: Value }
export function accuracy(predictions: Operand, labels: Operand, options: OpOptions = {}) {
  const label = labelOf('accuracy', options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(predictions, label, 'predictions')
  checkRank(shape, ['N', 'K'], label, 'predictions')
  const [correct] = call(accuracyOp, [predictions, prepareLabels(labels, Math.max(2, shape[1]!), label)], {}, options)
  return { correct: 'origin' in correct! ? correct : (correct as AnyTensor).data[0]! }
}
