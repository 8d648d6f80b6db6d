import { asMatrix, numberOf, operand, type ReferenceStep } from './step'

/** The channels of x from `start`, as many as y has. */
export function slice(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const start = numberOf(step, 'start')
  const { columns: from } = asMatrix(x)
  const { rows, columns } = asMatrix(y)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) y.data[r * columns + c] = x.data[r * from + start + c]!
}
