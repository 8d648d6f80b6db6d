import { flagOf, numbersOf, operand, type ReferenceOperand, type ReferenceStep, sizes4, walkOf } from './step'

/**
 * Calls `visit(xAt, yAt, divisor)` for each position inside the image of each window. The divisor is the number of such positions, or, with
 * `countPadding`, of those inside the padded image (a window of the `ceil` size may reach beyond it).
 */
function eachTap(
  step: ReferenceStep,
  image: ReferenceOperand,
  pooled: ReferenceOperand,
  visit: (xAt: number, yAt: number, divisor: number) => void,
) {
  const [N, H, W, C] = sizes4(image)
  const [, OH, OW] = sizes4(pooled)
  const [KH, KW] = numbersOf(step, 'size') as [number, number]
  const walk = walkOf(step)
  const countPadding = flagOf(step, 'countPadding')
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++) {
        const inside: [h: number, w: number][] = []
        let divisor = 0
        for (let kh = 0; kh < KH; kh++)
          for (let kw = 0; kw < KW; kw++) {
            const h = oh * walk.strideH - walk.top + kh * walk.dilationH
            const w = ow * walk.strideW - walk.left + kw * walk.dilationW
            const isInside = h >= 0 && h < H && w >= 0 && w < W
            if (isInside) inside.push([h, w])
            if (isInside || (countPadding && h < H + walk.bottom && w < W + walk.right)) divisor++
          }
        for (const [h, w] of inside)
          for (let c = 0; c < C; c++) visit(((n * H + h) * W + w) * C + c, ((n * OH + oh) * OW + ow) * C + c, divisor)
      }
}

/** The mean of each window. */
export function averagePool2d(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const means = new Float64Array(y.data.length)
  eachTap(step, x, y, (xAt, yAt, divisor) => {
    means[yAt]! += x.data[xAt]! / divisor
  })
  y.data.set(means)
}

/** Each dy is shared alike by the positions of its window. */
export function averagePool2dBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const dx = operand(step, 'dx')
  const sums = new Float64Array(dx.data.length)
  eachTap(step, dx, dy, (xAt, yAt, divisor) => {
    sums[xAt]! += dy.data[yAt]! / divisor
  })
  dx.data.set(sums)
}
