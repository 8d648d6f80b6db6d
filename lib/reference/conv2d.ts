import { activationOf } from './activation'
import { numberOf, operand, optional, type ReferenceStep, sizes4, type Walk, walkOf } from './step'

interface Sizes {
  readonly N: number
  readonly H: number
  readonly W: number
  readonly C: number
  readonly KH: number
  readonly KW: number
  readonly groupC: number
  readonly OH: number
  readonly OW: number
  readonly OC: number
  readonly groupOC: number
}

/**
 * Calls `visit(xAt, wAt, yAt)` for each product of a cross-correlation, positions outside the image left out:
 * y[yAt] = Σ x[xAt] · w[wAt], in the order n, oh, ow, oc, kh, kw, c.
 */
function eachProduct(sizes: Sizes, walk: Walk, visit: (xAt: number, wAt: number, yAt: number) => void): void {
  const { N, H, W, C, KH, KW, groupC, OH, OW, OC, groupOC } = sizes
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++)
        for (let oc = 0; oc < OC; oc++) {
          const yAt = ((n * OH + oh) * OW + ow) * OC + oc
          const firstC = Math.floor(oc / groupOC) * groupC
          for (let kh = 0; kh < KH; kh++) {
            const h = oh * walk.strideH - walk.top + kh * walk.dilationH
            if (h < 0 || h >= H) continue
            for (let kw = 0; kw < KW; kw++) {
              const w = ow * walk.strideW - walk.left + kw * walk.dilationW
              if (w < 0 || w >= W) continue
              for (let c = 0; c < groupC; c++) visit(((n * H + h) * W + w) * C + firstC + c, ((kh * KW + kw) * groupC + c) * OC + oc, yAt)
            }
          }
        }
}

function sizesOf(step: ReferenceStep, image: string, filters: string, result: string): Sizes {
  const [N, H, W, C] = sizes4(operand(step, image))
  const [KH, KW, groupC, OC] = sizes4(operand(step, filters))
  const [, OH, OW] = sizes4(operand(step, result))
  return { N, H, W, C, KH, KW, groupC, OH, OW, OC, groupOC: OC / numberOf(step, 'groups') }
}

/** Cross-correlation of every image with every filter of its group, plus a bias per filter. */
export function conv2d(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const w = operand(step, 'w').data
  const bias = optional(step, 'bias')?.data
  const y = operand(step, 'y').data
  const sizes = sizesOf(step, 'x', 'w', 'y')
  const activate = activationOf(step)
  const sums = new Float64Array(y.length)
  eachProduct(sizes, walkOf(step), (xAt, wAt, yAt) => {
    sums[yAt]! += x[xAt]! * w[wAt]!
  })
  for (let i = 0; i < y.length; i++) y[i] = activate(sums[i]! + (bias ? bias[i % sizes.OC]! : 0))
}

/** dx[xAt] = Σ dy[yAt] · w[wAt] over the products that x[xAt] takes part in. */
export function conv2dBackwardInput(step: ReferenceStep): void {
  const dy = operand(step, 'dy').data
  const w = operand(step, 'w').data
  const dx = operand(step, 'dx').data
  const sums = new Float64Array(dx.length)
  eachProduct(sizesOf(step, 'dx', 'w', 'dy'), walkOf(step), (xAt, wAt, yAt) => {
    sums[xAt]! += dy[yAt]! * w[wAt]!
  })
  dx.set(sums)
}

/** dw[wAt] = Σ dy[yAt] · x[xAt] over the products that w[wAt] takes part in. */
export function conv2dBackwardWeights(step: ReferenceStep): void {
  const dy = operand(step, 'dy').data
  const x = operand(step, 'x').data
  const dw = operand(step, 'dw').data
  const sums = new Float64Array(dw.length)
  eachProduct(sizesOf(step, 'x', 'dw', 'dy'), walkOf(step), (xAt, wAt, yAt) => {
    sums[wAt]! += dy[yAt]! * x[xAt]!
  })
  dw.set(sums)
}
