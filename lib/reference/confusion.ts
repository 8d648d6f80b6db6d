import { firstMaximum } from './accuracy'
import { asMatrix, flagOf, numberOf, operand, optional, type ReferenceStep } from './step'

/** How many rows of each class were taken for each class; of each class, how many there are, how many were taken for it, and how many both. */
export function confusion(step: ReferenceStep): void {
  const predictions = operand(step, 'predictions')
  const labels = operand(step, 'labels')
  const matrix = optional(step, 'matrix')?.data
  const counts = optional(step, 'counts')?.data
  const threshold = numberOf(step, 'threshold', 0.5)
  const { rows, columns } = asMatrix(predictions)
  const perRow = labels.shape.length === 1
  const isEach = flagOf(step, 'multiLabel')
  const classes = columns === 1 && !isEach ? 2 : columns
  matrix?.fill(0)
  counts?.fill(0)
  const count = (label: number | undefined, taken: number | undefined) => {
    if (counts && label !== undefined) counts[label]!++
    if (counts && taken !== undefined) counts[classes + taken]!++
    if (counts && label !== undefined && label === taken) counts[2 * classes + label]!++
    if (matrix && label !== undefined && taken !== undefined) matrix[label * classes + taken]!++
  }
  for (let r = 0; r < rows; r++) {
    const start = r * columns
    if (isEach) {
      for (let c = 0; c < columns; c++)
        count(labels.data[start + c]! > 0.5 ? c : undefined, predictions.data[start + c]! > threshold ? c : undefined)
      continue
    }
    const single = columns === 1
    const label = perRow ? labels.data[r]! : single ? Number(labels.data[r]! > 0.5) : firstMaximum(labels.data, start, columns)
    if (label < 0 || label >= classes || (perRow && label === step.attributes.ignoreLabel)) continue
    count(label, single ? Number(predictions.data[r]! > threshold) : firstMaximum(predictions.data, start, columns))
  }
}
