import { logSumExp } from './softmax'
import { asMatrix, operand, type ReferenceStep } from './step'

/** x less the logarithm of Σ exp(x) over the last axis. */
export function logSoftmax(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y').data
  const { rows, columns } = asMatrix(x)
  for (let r = 0; r < rows; r++) {
    const { maximum, logSum } = logSumExp(x.data, r * columns, columns)
    for (let i = r * columns; i < (r + 1) * columns; i++) y[i] = x.data[i]! - maximum - logSum
  }
}

/** dx = dy − exp(y) · Σ dy, row by row. */
export function logSoftmaxBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const y = operand(step, 'y').data
  const dx = operand(step, 'dx').data
  const { rows, columns } = asMatrix(dy)
  for (let r = 0; r < rows; r++) {
    let total = 0
    for (let i = r * columns; i < (r + 1) * columns; i++) total += dy.data[i]!
    for (let i = r * columns; i < (r + 1) * columns; i++) dx[i] = dy.data[i]! - Math.exp(y[i]!) * total
  }
}
