import { eachWindow } from './pool'
import { numberOf, operand, type ReferenceStep } from './step'

/** y = (Σ |x|ᵖ)^(1/p) over the positions of each window inside the image, whose largest |x| is taken out: powers of 64 leave even double's range. */
export function lpPool(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const p = numberOf(step, 'p')
  const C = x.shape.at(-1)!
  eachWindow(step, x, y, ({ yAt, taps }) => {
    for (let c = 0; c < C; c++) {
      const sizes = taps.map(({ xAt }) => Math.abs(x.data[xAt + c]!))
      const largest = Math.max(...sizes)
      const scale = largest > 0 && largest < Number.POSITIVE_INFINITY ? largest : 1
      let sum = 0
      for (const size of sizes) sum += (size / scale) ** p
      y.data[yAt + c] = scale * sum ** (1 / p)
    }
  })
}

/** dx = Σ dy · sign(x) · (|x| / y)^(p − 1) over the windows that hold x; windows whose y is 0 give nothing. */
export function lpPoolBackward(step: ReferenceStep): void {
  const [dy, x, y, dx] = [operand(step, 'dy'), operand(step, 'x'), operand(step, 'y'), operand(step, 'dx')]
  const p = numberOf(step, 'p')
  const C = dx.shape.at(-1)!
  const sums = new Float64Array(dx.data.length)
  eachWindow(step, dx, dy, ({ yAt, taps }) => {
    for (const { xAt } of taps)
      for (let c = 0; c < C; c++) {
        const [value, result] = [x.data[xAt + c]!, y.data[yAt + c]!]
        if (value !== 0 && result !== 0) sums[xAt + c]! += dy.data[yAt + c]! * Math.sign(value) * (Math.abs(value) / result) ** (p - 1)
      }
  })
  dx.data.set(sums)
}
