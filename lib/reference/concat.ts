import { numberOf, operand, type ReferenceStep } from './step'

/** Puts x0, x1, … beside each other along an axis, the last one unless said. */
export function concat(step: ReferenceStep): void {
  const y = operand(step, 'y')
  const axis = numberOf(step, 'axis', y.shape.length - 1)
  const widthOf = (shape: readonly number[]) => shape.slice(axis).reduce((product, size) => product * size, 1)
  const columns = widthOf(y.shape)
  const rows = y.data.length / columns
  let start = 0
  for (let part = 0; part < numberOf(step, 'count'); part++) {
    const x = operand(step, `x${part}`)
    const width = widthOf(x.shape)
    for (let r = 0; r < rows; r++) for (let c = 0; c < width; c++) y.data[r * columns + start + c] = x.data[r * width + c]!
    start += width
  }
}
