import { ConvlaneError } from '../errors'
import { checkInteger, shapeText } from '../shape'
import { checkArray, type Labels, type Tensor } from '../tensor'

/** How one class was told. A share of nothing is 0, as in scikit-learn. */
export interface ClassResult {
  /** Samples that are of the class. */
  readonly support: number
  /** Share of those taken for the class that are. */
  readonly precision: number
  /** Share of those that are of the class that were taken for it. */
  readonly recall: number
  /** Harmonic mean of both. */
  readonly f1: number
}

/** What a classifier's predictions come to. */
export interface ClassReport {
  /** Share of the samples whose largest prediction is their class: the first one where several are alike. */
  readonly accuracy: number
  /** `confusion[class][prediction]`: how many samples. */
  readonly confusion: readonly (readonly number[])[]
  /** By class number. */
  readonly classes: readonly ClassResult[]
  /** Means over the classes, each weighed alike. */
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number }
}

/**
 * Confusion matrix, and precision, recall and F1 of each class: of what `predict` gives for any data, `[N, K]` (K at least 2), and its class numbers `[N]`.
 * @throws INVALID_SHAPE, INVALID_LABEL, INVALID_TENSOR, INVALID_DTYPE
 */
export function classReport(predictions: Tensor, labels: Labels): ClassReport {
  const { n, classes, values, numbers } = checkPair(predictions, labels, 'classReport')
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let row = 0; row < n; row++) {
    const scores = values.subarray(row * classes, (row + 1) * classes)
    let best = 0
    for (let k = 1; k < classes; k++) if (scores[k]! > scores[best]!) best = k
    confusion[numbers[row]!]![best]!++
  }
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  const results = confusion.map((counts, k): ClassResult => {
    const hits = counts[k]!
    const support = counts.reduce((sum, count) => sum + count, 0)
    const taken = confusion.reduce((sum, other) => sum + other[k]!, 0)
    return { support, precision: share(hits, taken), recall: share(hits, support), f1: share(2 * hits, taken + support) }
  })
  const mean = (name: 'precision' | 'recall' | 'f1') => results.reduce((sum, result) => sum + result[name], 0) / classes
  return {
    accuracy: confusion.reduce((sum, counts, k) => sum + counts[k]!, 0) / n,
    confusion,
    classes: results,
    macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') },
  }
}

/**
 * Share of the samples whose class is among the k largest predictions. Where predictions are alike, the lower class number comes first; NaN comes last.
 * @throws INVALID_ARGUMENT for a k that is not from 1 to K; as {@link classReport}
 */
export function topKAccuracy(predictions: Tensor, labels: Labels, k: number): number {
  const { n, classes, values, numbers } = checkPair(predictions, labels, 'topKAccuracy')
  checkInteger(k, 'topKAccuracy', 'k', 1, classes)
  let hits = 0
  for (let row = 0; row < n; row++) {
    const own = numbers[row]!
    const score = values[row * classes + own]!
    let before = Number.isNaN(score) ? classes : 0
    for (let other = 0; other < classes; other++) {
      const value = values[row * classes + other]!
      if (value > score || (value === score && other < own)) before++
    }
    if (before < k) hits++
  }
  return hits / n
}

function checkPair(predictions: Tensor, labels: Labels, label: string) {
  const { shape, data: values } = checkArray(predictions, label, 'predictions', ['Float32Array'])
  const [n = 0, classes = 0] = shape
  if (shape.length !== 2 || classes < 2) {
    throw new ConvlaneError(
      'INVALID_SHAPE',
      `${label}: predictions must have shape [N, K] with K at least 2, received ${shapeText(shape)}`,
      {
        received: shape,
      },
    )
  }
  const { shape: rows, data: numbers } = checkArray(labels, label, 'labels', ['Int32Array', 'Uint8Array'])
  if (rows.length !== 1 || rows[0] !== n) {
    const message = `${label}: labels must have shape ${shapeText([n])}, received ${shapeText(rows)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: [n], received: rows })
  }
  const wrong = numbers.findIndex((value) => value < 0 || value >= classes)
  if (wrong >= 0) {
    const message = `${label}: labels must be from 0 to ${classes - 1}, received ${numbers[wrong]} at index ${wrong}`
    throw new ConvlaneError('INVALID_LABEL', message, { expected: classes, received: numbers[wrong] })
  }
  return { n, classes, values, numbers }
}
