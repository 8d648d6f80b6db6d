import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkInteger, checkNumber, checkRank } from '../shape'
import type { AnyTensor, Labels, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { checkLabelTypes, prepareLabels } from './labels'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const accuracyOp: OpDefinition = {
  name: 'accuracy',
  inputs: ['predictions', 'labels'],
  outputs: ['correct', 'counted'],
  optionalOutputs: ['counted'],
  infer([predictions, labels], { k = 1, ignoreLabel }, label) {
    checkLabelTypes(predictions!, labels!, label, 'predictions')
    checkInteger(k as number, label, 'k', 1, predictions!.shape[1]!)
    if (ignoreLabel !== undefined && labels!.dtype !== 'int32')
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ignoreLabel is for class numbers, labels are a distribution per row`)
    const one = { shape: [], dtype: 'float32' } as const
    return [one, one]
  },
}

export interface ClassOptions extends OpOptions {
  /** Rows with this class number are left out. Default: none. */
  readonly ignoreLabel?: number | undefined
  /** Where predictions have one column: above it they say class 1. Default 0.5. */
  readonly threshold?: number | undefined
}

export interface AccuracyOptions extends ClassOptions {
  /** How many of the largest predictions may be the label, 1 to K. Default 1. */
  readonly k?: number | undefined
}

/**
 * How many rows of `predictions [N, K]` have their first maximum where the label says: a class number `[N]`, or the first maximum of a row `[N, K]`; with
 * `k`, their label among the k largest (where some are alike, lower class numbers come first). NaN is larger than every number. For K = 1: above the threshold, where NaN is not, against label 1.
 * `counted` is how many rows are not ignored.
 *
 * Throws `INVALID_LABEL` for a class number out of range, `INVALID_SHAPE`, `INVALID_ARGUMENT`, and what a bad tensor throws.
 */
export function accuracy(predictions: Tensor, labels: Labels | Tensor, options?: AccuracyOptions): { correct: number; counted: number }
export function accuracy(predictions: Value, labels: Value, options?: AccuracyOptions): { correct: Value; counted: Value }
export function accuracy(predictions: Operand, labels: Operand, options: AccuracyOptions = {}) {
  const label = labelOf('accuracy', options?.name)
  checkOptions(options, ['k', 'ignoreLabel', 'threshold'], label)
  const { shape } = typeOf(predictions, label, 'predictions')
  checkRank(shape, ['N', 'K'], label, 'predictions')
  const given = prepareLabels(labels, Math.max(2, shape[1]!), label, options.ignoreLabel)
  const { k = 1 } = options
  const attributes = { ...(k !== 1 && { k }), ...classAttributes(options, label) }
  const [correct, counted] = call(accuracyOp, [predictions, given], attributes, options)
  const number = (result: Operand) => ('origin' in result ? result : (result as AnyTensor).data[0]!)
  return { correct: number(correct!), counted: number(counted!) }
}

/** The attributes that say what a row's class is, those left out that change nothing. Throws INVALID_ARGUMENT. */
export function classAttributes({ ignoreLabel, threshold = 0.5 }: ClassOptions, label: string) {
  if (ignoreLabel !== undefined) checkInteger(ignoreLabel, label, 'ignoreLabel', -(2 ** 31), 2 ** 31 - 1)
  checkNumber(threshold, label, 'threshold')
  return { ...(ignoreLabel !== undefined && { ignoreLabel }), ...(threshold !== 0.5 && { threshold }) }
}
