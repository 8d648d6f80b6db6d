import { logSumExp } from './softmax'
import { asMatrix, operand, optional, type ReferenceStep } from './step'

/**
 * loss = mean over rows of −Σ target · log softmax(logits), and its gradient. Labels are class numbers, one per row (a label outside the classes
 * makes the loss and the row's gradient NaN), or a distribution per row.
 */
export function softmaxCrossEntropy(step: ReferenceStep): void {
  const logits = operand(step, 'logits')
  const labels = operand(step, 'labels')
  const loss = operand(step, 'loss').data
  const dlogits = optional(step, 'dlogits')?.data
  const { rows, columns } = asMatrix(logits)
  const perRow = labels.shape.length === 1
  let total = 0
  for (let r = 0; r < rows; r++) {
    const start = r * columns
    const label = perRow ? labels.data[r]! : -1
    const valid = !perRow || (label >= 0 && label < columns)
    const target = (c: number): number => (valid ? (perRow ? (c === label ? 1 : 0) : labels.data[start + c]!) : Number.NaN)
    const { maximum, logSum } = logSumExp(logits.data, start, columns)
    let weight = 0
    for (let c = 0; c < columns; c++) {
      weight += target(c)
      if (target(c) !== 0) total -= target(c) * (logits.data[start + c]! - maximum - logSum)
    }
    if (dlogits)
      for (let c = 0; c < columns; c++)
        dlogits[start + c] = (Math.exp(logits.data[start + c]! - maximum - logSum) * weight - target(c)) / rows
  }
  loss[0] = total / rows
}
