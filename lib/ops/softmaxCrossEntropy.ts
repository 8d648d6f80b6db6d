import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkInteger, checkNumber, checkRank } from '../shape'
import type { AnyTensor, Labels, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { checkLabelTypes, prepareLabels } from './labels'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { scaleBy } from './scale'

export const softmaxCrossEntropyOp: OpDefinition = {
  name: 'softmaxCrossEntropy',
  inputs: ['logits', 'labels', 'weights?'],
  outputs: ['loss', 'dlogits', 'weight'],
  optionalOutputs: ['dlogits', 'weight'],
  infer([logits, labels, weights], { classWeights, ignoreLabel }, label) {
    checkLabelTypes(logits!, labels!, label, 'logits')
    const [N, K] = logits!.shape
    if (weights && (weights.shape.length !== 1 || weights.shape[0] !== N)) {
      const message = `${label}: weights must have shape [${N ?? 'N'}], one for each row, received [${weights.shape.map((size) => size ?? 'N')}]`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: [N], received: weights.shape })
    }
    if (classWeights && (classWeights as number[]).length !== K) {
      const { length } = classWeights as number[]
      throw new ConvlaneError('INVALID_SHAPE', `${label}: classWeights must be ${K} numbers, one for each class, received ${length}`, {
        expected: K,
        received: length,
      })
    }
    if (ignoreLabel !== undefined && labels!.dtype !== 'int32')
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ignoreLabel is for class numbers, labels are a distribution per row`)
    const one = { shape: [], dtype: 'float32' } as const
    return [one, logits!, one]
  },
  gradient({ outputs }, [dloss, ddlogits, dweight], wanted) {
    if (wanted[1]) throw new ConvlaneError('UNSUPPORTED', 'softmaxCrossEntropy has no gradient by its labels')
    if (wanted[2]) throw new ConvlaneError('UNSUPPORTED', 'softmaxCrossEntropy has no gradient by its weights')
    if (ddlogits) throw new ConvlaneError('UNSUPPORTED', 'softmaxCrossEntropy: dlogits has no gradient')
    if (dweight) throw new ConvlaneError('UNSUPPORTED', 'softmaxCrossEntropy: weight has no gradient')
    return [scaleBy(outputs[1]!, dloss)]
  },
}

export interface SoftmaxCrossEntropyOptions extends OpOptions {
  /** Share of each label that is spread evenly over all classes, 0 to 1. Default 0. */
  readonly labelSmoothing?: number | undefined
  /** Rows with this class number give no loss and no gradient, and don't count in the mean: PyTorch's `ignore_index`. Any int32. Default: none. */
  readonly ignoreLabel?: number | undefined
  /** How much each class counts, by class number, at least 0. Default: 1 each. */
  readonly classWeights?: readonly number[] | undefined
}

/** Options of {@link softmaxCrossEntropy}. */
export interface WeightedOptions<T> {
  /** How much each row counts, `[N]`. A row of weight 0 gives nothing, whatever it holds. Default: 1 each. */
  readonly weights?: T | undefined
}

/** The attributes of the step, those left out that change nothing. Throws INVALID_ARGUMENT. */
export function entropyAttributes(
  { labelSmoothing = 0, ignoreLabel, classWeights }: SoftmaxCrossEntropyOptions,
  label: string,
): Attributes {
  checkNumber(labelSmoothing, label, 'labelSmoothing', { low: 0, high: 1 })
  if (ignoreLabel !== undefined) checkInteger(ignoreLabel, label, 'ignoreLabel', -(2 ** 31), 2 ** 31 - 1)
  if (classWeights !== undefined && !Array.isArray(classWeights)) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: classWeights must be an array of numbers`, { received: classWeights })
  }
  const weights = classWeights?.map((weight, k) => checkNumber(weight, label, `classWeights[${k}]`, { low: 0 }))
  return {
    ...(labelSmoothing > 0 && { labelSmoothing }),
    ...(ignoreLabel !== undefined && { ignoreLabel }),
    ...(weights && { classWeights: weights }),
  }
}

/**
 * The mean over rows of −Σ target · log softmax(logits), and its gradient by the logits: `logits [N, K]`, labels: class numbers `[N]`, or a distribution
 * per row `[N, K]`. The mean is a weighted one: the losses' sum, each times its row's weight and its class's, divided by the sum of these weights, which is
 * given as `weight` (0 gives a loss of 0). PyTorch's rule for class numbers, label smoothing included; Keras divides by the number of rows. A distribution
 * has the mean of its classes' weights, so that a one-hot row is its class number (PyTorch divides distributions by the number of rows).
 *
 * Throws `INVALID_LABEL` for a class number that isn't below K, `INVALID_SHAPE`, `INVALID_ARGUMENT`, and what a bad tensor throws.
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: Labels | Tensor,
  options?: SoftmaxCrossEntropyOptions & WeightedOptions<Tensor>,
): { loss: number; dlogits: Tensor; weight: number }
export function softmaxCrossEntropy(
  logits: Value,
  labels: Value,
  options?: SoftmaxCrossEntropyOptions & WeightedOptions<Value>,
): { loss: Value; dlogits: Value; weight: Value }
export function softmaxCrossEntropy(logits: Operand, labels: Operand, options: SoftmaxCrossEntropyOptions & WeightedOptions<Operand> = {}) {
  const label = labelOf('softmaxCrossEntropy', options?.name)
  checkOptions(options, ['labelSmoothing', 'ignoreLabel', 'classWeights', 'weights'], label)
  const attributes = entropyAttributes(options, label)
  const { shape } = typeOf(logits, label, 'logits')
  checkRank(shape, ['N', 'K'], label, 'logits')
  if (options.weights !== undefined) typeOf(options.weights, label, 'weights')
  const given = prepareLabels(labels, shape[1]!, label, options.ignoreLabel)
  const [loss, dlogits, weight] = call(softmaxCrossEntropyOp, [logits, given, options.weights], attributes, options)
  const number = (result: Operand) => ('origin' in result ? result : (result as AnyTensor).data[0]!)
  return { loss: number(loss!), dlogits: dlogits!, weight: number(weight!) }
}
