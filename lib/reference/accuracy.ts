import { asMatrix, operand, type ReferenceData, type ReferenceStep } from './step'

function firstMaximum(values: ReferenceData, start: number, columns: number): number {
  let best = 0
  for (let c = 1; c < columns; c++) if (values[start + c]! > values[start + best]!) best = c
  return best
}

/** How many rows have their first maximum where the label says; with one column, on which side of ½ it lies. */
export function accuracy(step: ReferenceStep): void {
  const predictions = operand(step, 'predictions')
  const labels = operand(step, 'labels')
  const correct = operand(step, 'correct').data
  const { rows, columns } = asMatrix(predictions)
  const perRow = labels.shape.length === 1
  let count = 0
  for (let r = 0; r < rows; r++)
    if (columns === 1) {
      if (predictions.data[r]! > 0.5 === labels.data[r]! > 0.5) count++
    } else {
      const label = perRow ? labels.data[r]! : firstMaximum(labels.data, r * columns, columns)
      if (firstMaximum(predictions.data, r * columns, columns) === label) count++
    }
  correct[0] = count
}
