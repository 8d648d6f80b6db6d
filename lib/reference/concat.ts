import { asMatrix, numberOf, operand, type ReferenceStep } from './step'

/** Puts x0, x1, … beside each other along the last axis. */
export function concat(step: ReferenceStep): void {
  const y = operand(step, 'y')
  const { rows, columns } = asMatrix(y)
  let start = 0
  for (let part = 0; part < numberOf(step, 'count'); part++) {
    const x = operand(step, `x${part}`)
    const width = asMatrix(x).columns
    for (let r = 0; r < rows; r++) for (let c = 0; c < width; c++) y.data[r * columns + start + c] = x.data[r * width + c]!
    start += width
  }
}
