import { asMatrix, numberOf, operand, optional, type ReferenceData, type ReferenceStep } from './step'

/** Whether one score comes before another: the larger one, and NaN before every number. */
const exceeds = (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b))

export function firstMaximum(values: ReferenceData, start: number, columns: number): number {
  let best = 0
  for (let c = 1; c < columns; c++) if (exceeds(values[start + c]!, values[start + best]!)) best = c
  return best
}

/** How many rows have their label among the k largest predictions; with one column, on which side of the threshold it lies. Ignored rows are left out. */
export function accuracy(step: ReferenceStep): void {
  const predictions = operand(step, 'predictions')
  const labels = operand(step, 'labels')
  const k = numberOf(step, 'k', 1)
  const threshold = numberOf(step, 'threshold', 0.5)
  const { rows, columns } = asMatrix(predictions)
  const perRow = labels.shape.length === 1
  let correct = 0
  let counted = 0
  for (let r = 0; r < rows; r++) {
    const start = r * columns
    if (perRow && labels.data[r] === step.attributes.ignoreLabel) continue
    counted++
    if (columns === 1) {
      const expected = perRow ? labels.data[r]! > 0 : labels.data[r]! > 0.5
      if (predictions.data[r]! > threshold === expected) correct++
      continue
    }
    const label = perRow ? labels.data[r]! : firstMaximum(labels.data, start, columns)
    if (k === 1) {
      if (firstMaximum(predictions.data, start, columns) === label) correct++
      continue
    }
    const own = predictions.data[start + label]
    if (own === undefined || label < 0 || label >= columns) continue
    let before = 0
    for (let c = 0; c < columns; c++) {
      const other = predictions.data[start + c]!
      if (exceeds(other, own) || (c < label && !exceeds(own, other))) before++
    }
    if (before < k) correct++
  }
  operand(step, 'correct').data[0] = correct
  const written = optional(step, 'counted')?.data
  if (written) written[0] = counted
}
