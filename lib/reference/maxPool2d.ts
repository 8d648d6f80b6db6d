import { numbersOf, operand, optional, type ReferenceStep, sizes4, walkOf } from './step'

/** The largest value of each window; NaN wins, the first of equals counts, positions outside the image are left out. */
export function maxPool2d(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const positions = optional(step, 'positions')?.data
  const [N, H, W, C] = sizes4(x)
  const [, OH, OW] = sizes4(y)
  const [KH, KW] = numbersOf(step, 'size') as [number, number]
  const walk = walkOf(step)
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++)
        for (let c = 0; c < C; c++) {
          let best = Number.NEGATIVE_INFINITY
          let position = -1
          for (let kh = 0; kh < KH; kh++)
            for (let kw = 0; kw < KW; kw++) {
              const h = oh * walk.strideH - walk.top + kh * walk.dilationH
              const w = ow * walk.strideW - walk.left + kw * walk.dilationW
              if (h < 0 || h >= H || w < 0 || w >= W) continue
              const value = x.data[((n * H + h) * W + w) * C + c]!
              if (position < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
                best = value
                position = kh * KW + kw
              }
            }
          const at = ((n * OH + oh) * OW + ow) * C + c
          y.data[at] = best
          if (positions) positions[at] = position
        }
}

/** Each dy goes to the position that was its window's maximum; what overlapping windows give is added. */
export function maxPool2dBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const positions = operand(step, 'positions').data
  const dx = operand(step, 'dx')
  const [N, H, W, C] = sizes4(dx)
  const [, OH, OW] = sizes4(dy)
  const [, KW] = numbersOf(step, 'size') as [number, number]
  const walk = walkOf(step)
  const sums = new Float64Array(dx.data.length)
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++)
        for (let c = 0; c < C; c++) {
          const at = ((n * OH + oh) * OW + ow) * C + c
          const h = oh * walk.strideH - walk.top + Math.floor(positions[at]! / KW) * walk.dilationH
          const w = ow * walk.strideW - walk.left + (positions[at]! % KW) * walk.dilationW
          sums[((n * H + h) * W + w) * C + c]! += dy.data[at]!
        }
  dx.data.set(sums)
}
