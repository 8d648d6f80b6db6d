import { ConvlaneError } from '../errors'
import type { TensorType } from '../graph/value'
import { checkRank, sameShape, shapeText } from '../shape'
import type { AnyTensor } from '../tensor'
import { type Operand, typeOf } from './call'

/** The shape rule of labels: class numbers `[N]` or a distribution per row `[N, K]`. */
export function checkLabelTypes(predictions: TensorType, labels: TensorType, label: string, what: string): void {
  checkRank(predictions.shape, ['N', 'K'], label, what)
  const expected = labels.dtype === 'int32' ? predictions.shape.slice(0, 1) : predictions.shape
  if (sameShape(labels.shape, expected)) return
  const message = `${label}: labels must have shape ${shapeText(expected)} for ${what} ${shapeText(predictions.shape)}, received ${shapeText(labels.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected, received: labels.shape })
}

/**
 * Checks labels given by a user and makes class numbers int32. `classes` is how many there are; `ignored`: a number that may be any.
 * Throws `INVALID_LABEL` for a number that isn't below it, and what `typeOf` throws.
 */
export function prepareLabels(labels: Operand, classes: number, label: string, ignored?: number): Operand {
  if ('origin' in labels) {
    typeOf(labels, label, 'labels', ['int32', 'float32'])
    return labels
  }
  const { dtype, shape } = typeOf(labels, label, 'labels', ['int32', 'uint8', 'float32'])
  if (dtype === 'float32') return labels
  checkRank(shape, ['N'], label, 'labels of class numbers')
  const at = labels.data.findIndex((number) => number !== ignored && (number < 0 || number >= classes))
  if (at >= 0) {
    const message = `${label}: labels must be from 0 to ${classes - 1}, received ${labels.data[at]} at index ${at}`
    throw new ConvlaneError('INVALID_LABEL', message, { expected: classes, received: labels.data[at] })
  }
  const { data } = labels as AnyTensor
  return dtype === 'uint8' ? { shape: labels.shape as readonly number[], data: Int32Array.from(data) } : labels
}
