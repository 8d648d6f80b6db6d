import { eachWindow } from './pool'
import { operand, optional, type ReferenceStep } from './step'

/** The largest value of each window; NaN wins, the first of equals counts, positions outside the image are left out. */
export function maxPool(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const positions = optional(step, 'positions')?.data
  const C = x.shape.at(-1)!
  eachWindow(step, x, y, ({ yAt, taps }) => {
    for (let c = 0; c < C; c++) {
      let best = Number.NEGATIVE_INFINITY
      let chosen = -1
      for (const { xAt, position } of taps) {
        const value = x.data[xAt + c]!
        if (chosen < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
          best = value
          chosen = position
        }
      }
      y.data[yAt + c] = best
      if (positions) positions[yAt + c] = chosen
    }
  })
}

/** Each dy goes to the position that was its window's maximum; what overlapping windows give is added. */
export function maxPoolBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const positions = operand(step, 'positions').data
  const dx = operand(step, 'dx')
  const C = dx.shape.at(-1)!
  const sums = new Float64Array(dx.data.length)
  eachWindow(step, dx, dy, ({ yAt, taps }) => {
    for (const { xAt, position } of taps)
      for (let c = 0; c < C; c++) if (positions[yAt + c] === position) sums[xAt + c]! += dy.data[yAt + c]!
  })
  dx.data.set(sums)
}
