import { logSumExp } from './softmax'
import { asMatrix, numberOf, numbersOf, operand, optional, type ReferenceStep } from './step'

/**
 * loss = Σ weight · (−Σ classWeight · target · log softmax(logits)) / Σ weight · (class weight of the label), and its gradient. Labels are class numbers, one per row (a
 * label outside the classes makes the loss and the row's gradient NaN), or a distribution per row. A row of weight 0 or of the ignored label gives nothing.
 */
export function softmaxCrossEntropy(step: ReferenceStep): void {
  const logits = operand(step, 'logits')
  const labels = operand(step, 'labels')
  const weights = optional(step, 'weights')?.data
  const dlogits = optional(step, 'dlogits')?.data
  const { rows, columns } = asMatrix(logits)
  const perRow = labels.shape.length === 1
  const smoothing = numberOf(step, 'labelSmoothing', 0)
  const ignored = step.attributes.ignoreLabel
  const classWeights = step.attributes.classWeights === undefined ? undefined : numbersOf(step, 'classWeights')
  const labelAt = (r: number, c: number): number => {
    if (!perRow) return labels.data[r * columns + c]!
    const label = labels.data[r]!
    return label >= 0 && label < columns ? Number(c === label) : Number.NaN
  }

  const rowWeights = Array.from({ length: rows }, (_, r) => (perRow && labels.data[r] === ignored ? 0 : (weights?.[r] ?? 1)))
  const divisors = rowWeights.map((weight, r) => {
    if (!classWeights) return weight
    const own = classWeights.reduce((sum, classWeight, c) => sum + classWeight * labelAt(r, c), 0)
    return weight * (Number.isNaN(own) ? 1 : own)
  })
  const divisor = divisors.reduce((sum, value) => sum + value, 0)

  let total = 0
  for (let r = 0; r < rows; r++) {
    const start = r * columns
    const target = (c: number): number => (classWeights?.[c] ?? 1) * ((1 - smoothing) * labelAt(r, c) + smoothing / columns)
    const { maximum, logSum } = logSumExp(logits.data, start, columns)
    let sum = 0
    let loss = 0
    for (let c = 0; c < columns; c++) {
      sum += target(c)
      if (target(c) !== 0) loss -= target(c) * (logits.data[start + c]! - maximum - logSum)
    }
    const isLeftOut = rowWeights[r] === 0
    if (!isLeftOut) total += rowWeights[r]! * loss
    if (!dlogits) continue
    for (let c = 0; c < columns; c++) {
      const gradient = Math.exp(logits.data[start + c]! - maximum - logSum) * sum - target(c)
      dlogits[start + c] = isLeftOut || divisor === 0 ? 0 : (gradient * rowWeights[r]!) / divisor
    }
  }
  operand(step, 'loss').data[0] = divisor === 0 ? 0 : total / divisor
  const weight = optional(step, 'weight')?.data
  if (weight) weight[0] = divisor
}
