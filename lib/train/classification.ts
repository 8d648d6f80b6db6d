import { inspect } from 'node:util'
import { ConvlaneError } from '../errors'
import { checkInteger, shapeText } from '../shape'
import { checkArray, type Labels, type Tensor } from '../tensor'
import { textTable } from '../text-table'
import { exceeds, firstLargest } from './largest'

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

/** Means over classes: each weighed alike, each by its number of samples, or of all decisions together. */
export type Average = 'macro' | 'weighted' | 'micro'

/** Precision, recall and F1. */
export type ClassShares = Pick<ClassResult, 'precision' | 'recall' | 'f1'>

/** What is measured of classes, beside numbers. Arrays print as tables. */
export interface ClassDetails {
  /** By class number; where metrics are about classes. */
  readonly perClass?: readonly ClassResult[]
  /** `confusionMatrix[class][prediction]`: how many samples; with the metric of that name. */
  readonly confusionMatrix?: readonly (readonly number[])[]
}

/** What a classifier's predictions come to. Prints as tables. */
export interface ClassReport {
  /** Share of the samples whose largest prediction is their class: the first one where several are alike; NaN is larger than every number. */
  readonly accuracy: number
  /** `confusion[class][prediction]`: how many samples. */
  readonly confusion: readonly (readonly number[])[]
  /** By class number. */
  readonly classes: readonly ClassResult[]
  /** Means over the classes, each weighed alike. */
  readonly macro: ClassShares
  /** Means over the classes, each weighed by its number of samples. */
  readonly weighted: ClassShares
}

/**
 * Confusion matrix, and precision, recall and F1 of each class: of what `predict` gives for any data, `[N, K]` (K at least 2), and its class numbers `[N]`.
 * @throws INVALID_SHAPE, INVALID_LABEL, INVALID_TENSOR, INVALID_DTYPE
 */
export function classReport(predictions: Tensor, labels: Labels): ClassReport {
  const { n, classes, values, numbers } = checkPair(predictions, labels, 'classReport')
  const sums = new Float64Array(classes * classes)
  for (let row = 0; row < n; row++) {
    const scores = values.subarray(row * classes, (row + 1) * classes)
    sums[numbers[row]! * classes + firstLargest(scores)]!++
  }
  const [confusion, results] = [matrixOf(sums), resultsOf(talliesOfMatrix(sums))]
  const report = {
    accuracy: confusion.reduce((sum, counts, k) => sum + counts[k]!, 0) / n,
    confusion,
    classes: results,
    macro: averageOf(results, 'macro'),
    weighted: averageOf(results, 'weighted'),
  }
  return printable(report, () => `${classTable(results)}\n\n${confusionTable(confusion)}`)
}

export const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** What is known of a class: samples of it, samples taken for it, samples both. */
export interface Tally {
  readonly support: number
  readonly taken: number
  readonly hits: number
}

/** Of a confusion matrix, flat. */
export function talliesOfMatrix(sums: ArrayLike<number>): Tally[] {
  const classes = Math.sqrt(sums.length)
  const numbers = Array.from({ length: classes }, (_, k) => k)
  const total = (at: (other: number) => number) => numbers.reduce((sum, other) => sum + sums[at(other)]!, 0)
  return numbers.map((k) => ({
    support: total((other) => k * classes + other),
    taken: total((other) => other * classes + k),
    hits: sums[k * classes + k]!,
  }))
}

/** Of `[3, K]` counts: samples of each class, taken for it, both. */
export function talliesOfCounts(sums: ArrayLike<number>): Tally[] {
  const classes = sums.length / 3
  return Array.from({ length: classes }, (_, k) => ({ support: sums[k]!, taken: sums[classes + k]!, hits: sums[2 * classes + k]! }))
}

const sharesOf = ({ support, taken, hits }: Tally): ClassShares => ({
  precision: share(hits, taken),
  recall: share(hits, support),
  f1: share(2 * hits, taken + support),
})

export function resultsOf(tallies: readonly Tally[]): readonly ClassResult[] {
  const results = tallies.map((tally): ClassResult => ({ support: tally.support, ...sharesOf(tally) }))
  return printable(results, () => classTable(results))
}

/** Rows of a flat confusion matrix. */
export function matrixOf(sums: ArrayLike<number>): readonly (readonly number[])[] {
  const classes = Math.sqrt(sums.length)
  const values = Array.from(sums)
  const rows = Array.from({ length: classes }, (_, k) => values.slice(k * classes, (k + 1) * classes))
  return printable(rows, () => confusionTable(rows))
}

/** All decisions together. */
export function microAverage(tallies: readonly Tally[]): ClassShares {
  const sum = (name: keyof Tally) => tallies.reduce((total, tally) => total + tally[name], 0)
  return sharesOf({ support: sum('support'), taken: sum('taken'), hits: sum('hits') })
}

/** The mean over classes. */
export function averageOf(results: readonly ClassResult[], average: 'macro' | 'weighted'): ClassShares {
  const sum = (of: (result: ClassResult) => number) =>
    results.reduce((total, result) => total + of(result) * (average === 'macro' ? 1 : result.support), 0)
  const whole = sum(() => 1)
  const mean = (name: keyof ClassShares) =>
    share(
      sum((result) => result[name]),
      whole,
    )
  return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') }
}

const digits = (value: number) => value.toFixed(4)

/** As text, by names or class numbers. */
export function classTable(results: readonly ClassResult[], names?: readonly string[]): string {
  const row = (name: string, { precision, recall, f1 }: ClassShares, support: string) => [
    name,
    digits(precision),
    digits(recall),
    digits(f1),
    support,
  ]
  const rows = results.map((result, k) => row(names?.[k] ?? String(k), result, result.support.toLocaleString('en')))
  const averages = (['macro', 'weighted'] as const).map((name) => row(`${name} mean`, averageOf(results, name), ''))
  return textTable(['class', 'precision', 'recall', 'F1', 'samples'], [...rows, ...averages], [1, 2, 3, 4])
}

/** As text: a row for each class, a column for what it was taken for. */
export function confusionTable(matrix: readonly (readonly number[])[], names?: readonly string[]): string {
  const titles = matrix.map((_, k) => names?.[k] ?? String(k))
  const rows = matrix.map((counts, k) => [titles[k]!, ...counts.map((count) => (count === 0 ? '·' : count.toLocaleString('en')))])
  return textTable(
    ['is \\ taken for', ...titles],
    rows,
    titles.map((_, k) => k + 1),
  )
}

/** The same object, printed by `console.log` as this text. */
function printable<T extends object>(value: T, text: () => string): T {
  return Object.defineProperty(value, inspect.custom, { value: text })
}

/** Gives what comes from a file its looks again. */
export function withLooks<T extends ClassDetails>(details: T): T {
  const { perClass, confusionMatrix } = details
  if (perClass) printable(perClass, () => classTable(perClass))
  if (confusionMatrix) printable(confusionMatrix, () => confusionTable(confusionMatrix))
  return details
}

/**
 * Share of the samples whose class is among the k largest predictions. Where predictions are alike, the lower class number comes first; NaN is larger than every number.
 * @throws INVALID_ARGUMENT for a k that is not from 1 to K; as {@link classReport}
 */
export function topKAccuracy(predictions: Tensor, labels: Labels, k: number): number {
  const { n, classes, values, numbers } = checkPair(predictions, labels, 'topKAccuracy')
  checkInteger(k, 'topKAccuracy', 'k', 1, classes)
  let hits = 0
  for (let row = 0; row < n; row++) {
    const own = numbers[row]!
    const score = values[row * classes + own]!
    let before = 0
    for (let other = 0; other < classes; other++) {
      const value = values[row * classes + other]!
      if (exceeds(value, score) || (other < own && !exceeds(score, value))) before++
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
