import { asMatrix, operand, type ReferenceData, type ReferenceStep } from './step'

/** Maximum of a row and the logarithm of Σ exp(x − maximum): what softmax and its logarithm are made of. */
export function logSumExp(x: ReferenceData, start: number, columns: number): { maximum: number; logSum: number } {
  let maximum = Number.NEGATIVE_INFINITY
  for (let c = 0; c < columns; c++) maximum = Math.max(maximum, x[start + c]!)
  let sum = 0
  for (let c = 0; c < columns; c++) sum += Math.exp(x[start + c]! - maximum)
  return { maximum, logSum: Math.log(sum) }
}

/** exp(x) divided by its sum over the last axis. */
export function softmax(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y').data
  const { rows, columns } = asMatrix(x)
  for (let r = 0; r < rows; r++) {
    const { maximum, logSum } = logSumExp(x.data, r * columns, columns)
    for (let i = r * columns; i < (r + 1) * columns; i++) y[i] = Math.exp(x.data[i]! - maximum - logSum)
  }
}

/** dx = y · (dy − Σ dy · y), row by row. */
export function softmaxBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const y = operand(step, 'y').data
  const dx = operand(step, 'dx').data
  const { rows, columns } = asMatrix(dy)
  for (let r = 0; r < rows; r++) {
    let dot = 0
    for (let i = r * columns; i < (r + 1) * columns; i++) dot += dy.data[i]! * y[i]!
    for (let i = r * columns; i < (r + 1) * columns; i++) dx[i] = y[i]! * (dy.data[i]! - dot)
  }
}
