import { asMatrix, operand, type ReferenceStep } from './step'

/** db[c] = Σ dy[…, c]. */
export function biasGradient(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const db = operand(step, 'db').data
  const { rows, columns } = asMatrix(dy)
  for (let c = 0; c < columns; c++) {
    let sum = 0
    for (let r = 0; r < rows; r++) sum += dy.data[r * columns + c]!
    db[c] = sum
  }
}
