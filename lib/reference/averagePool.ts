import { eachWindow, type PoolWindow } from './pool'
import { flagOf, operand, type ReferenceStep } from './step'

const divisorOf = (step: ReferenceStep) => {
  const countPadding = flagOf(step, 'countPadding')
  return ({ taps, padded }: PoolWindow) => (countPadding ? padded : taps.length)
}

/** The mean of each window: over its positions inside the image, or, with `countPadding`, inside the padded image. */
export function averagePool(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const C = x.shape.at(-1)!
  const divisor = divisorOf(step)
  eachWindow(step, x, y, (window) => {
    for (let c = 0; c < C; c++) {
      let sum = 0
      for (const { xAt } of window.taps) sum += x.data[xAt + c]!
      y.data[window.yAt + c] = sum / divisor(window)
    }
  })
}

/** Each dy is shared alike by the positions of its window. */
export function averagePoolBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const dx = operand(step, 'dx')
  const C = dx.shape.at(-1)!
  const divisor = divisorOf(step)
  const sums = new Float64Array(dx.data.length)
  eachWindow(step, dx, dy, (window) => {
    for (const { xAt } of window.taps) for (let c = 0; c < C; c++) sums[xAt + c]! += dy.data[window.yAt + c]! / divisor(window)
  })
  dx.data.set(sums)
}
