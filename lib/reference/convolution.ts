import { activationOf } from './activation'
import {
  numberOf,
  operand,
  optional,
  type ReferenceData,
  type ReferenceOperand,
  type ReferenceStep,
  type Walk,
  walkOf,
  windowSizes,
} from './step'

interface Sizes {
  readonly N: number
  /** Depth, height and width; 1 for an axis that there is not. */
  readonly image: readonly [number, number, number]
  readonly kernel: readonly [number, number, number]
  readonly result: readonly [number, number, number]
  readonly C: number
  readonly groupC: number
  readonly OC: number
  readonly groupOC: number
}

/**
 * Calls `visit(xAt, wAt, yAt)` for each tap of a cross-correlation, positions outside the image left out:
 * y[yAt] = Σ x[xAt + c] · w[wAt + c · OC] over the channels c of the group, in the order n, od, oh, ow, oc, kd, kh, kw.
 */
function eachTap(sizes: Sizes, walk: Walk, visit: (xAt: number, wAt: number, yAt: number) => void): void {
  const { N, image, kernel, result, C, groupC, OC, groupOC } = sizes
  const [D, H, W] = image
  const [KD, KH, KW] = kernel
  const [OD, OH, OW] = result
  for (let n = 0; n < N; n++)
    for (let od = 0; od < OD; od++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++)
          for (let oc = 0; oc < OC; oc++) {
            const yAt = (((n * OD + od) * OH + oh) * OW + ow) * OC + oc
            const firstC = Math.floor(oc / groupOC) * groupC
            for (let kd = 0; kd < KD; kd++) {
              const d = od * walk.strideD - walk.front + kd * walk.dilationD
              if (d < 0 || d >= D) continue
              for (let kh = 0; kh < KH; kh++) {
                const h = oh * walk.strideH - walk.top + kh * walk.dilationH
                if (h < 0 || h >= H) continue
                for (let kw = 0; kw < KW; kw++) {
                  const w = ow * walk.strideW - walk.left + kw * walk.dilationW
                  if (w < 0 || w >= W) continue
                  const xAt = (((n * D + d) * H + h) * W + w) * C + firstC
                  const wAt = ((kd * KH + kh) * KW + kw) * groupC * OC + oc
                  visit(xAt, wAt, yAt)
                }
              }
            }
          }
}

function sizesOf(step: ReferenceStep, x: ReferenceOperand, w: ReferenceOperand, y: ReferenceOperand): Sizes {
  const OC = w.shape.at(-1)!
  return {
    N: x.shape[0]!,
    image: windowSizes(x.shape.slice(1, -1)),
    kernel: windowSizes(w.shape.slice(0, -2)),
    result: windowSizes(y.shape.slice(1, -1)),
    C: x.shape.at(-1)!,
    groupC: w.shape.at(-2)!,
    OC,
    groupOC: OC / numberOf(step, 'groups'),
  }
}

/** Cross-correlation of every image with every filter of its group, plus a bias per filter. One to three axes. */
export function convolution(step: ReferenceStep): void {
  const [x, w, y] = [operand(step, 'x'), operand(step, 'w'), operand(step, 'y')]
  const bias = optional(step, 'bias')?.data
  const sizes = sizesOf(step, x, w, y)
  const { groupC, OC } = sizes
  const activate = activationOf(step)
  const sums = new Float64Array(y.data.length)
  eachTap(sizes, walkOf(step), (xAt, wAt, yAt) => {
    for (let c = 0; c < groupC; c++) sums[yAt]! += x.data[xAt + c]! * w.data[wAt + c * OC]!
  })
  for (let i = 0; i < sums.length; i++) y.data[i] = activate(sums[i]! + (bias ? bias[i % OC]! : 0))
}

/** What y gives back to x by way of w: Σ y[yAt] · w[wAt] over the products that x[xAt] takes part in. */
function backToInput(sizes: Sizes, walk: Walk, y: ReferenceData, w: ReferenceData, length: number): Float64Array {
  const { groupC, OC } = sizes
  const sums = new Float64Array(length)
  eachTap(sizes, walk, (xAt, wAt, yAt) => {
    for (let c = 0; c < groupC; c++) sums[xAt + c]! += y[yAt]! * w[wAt + c * OC]!
  })
  return sums
}

/** dx[xAt] = Σ dy[yAt] · w[wAt]. */
export function convolutionBackwardInput(step: ReferenceStep): void {
  const [dy, w, dx] = [operand(step, 'dy'), operand(step, 'w'), operand(step, 'dx')]
  dx.data.set(backToInput(sizesOf(step, dx, w, dy), walkOf(step), dy.data, w.data, dx.data.length))
}

/** y[xAt] = Σ x[yAt] · w[wAt] over the products of the convolution that leads from y to x, plus a bias per channel. */
export function transposedConvolution(step: ReferenceStep): void {
  const [x, w, y] = [operand(step, 'x'), operand(step, 'w'), operand(step, 'y')]
  const bias = optional(step, 'bias')?.data
  const sizes = sizesOf(step, y, w, x)
  const activate = activationOf(step)
  const sums = backToInput(sizes, walkOf(step), x.data, w.data, y.data.length)
  for (let i = 0; i < sums.length; i++) y.data[i] = activate(sums[i]! + (bias ? bias[i % sizes.C]! : 0))
}

/** dw[wAt] = Σ dy[yAt] · x[xAt] over the products that w[wAt] takes part in; db[oc] = Σ dy[…, oc]. */
export function convolutionBackwardWeights(step: ReferenceStep): void {
  const [dy, x, dw] = [operand(step, 'dy'), operand(step, 'x'), operand(step, 'dw')]
  const sizes = sizesOf(step, x, dw, dy)
  const { groupC, OC } = sizes
  const sums = new Float64Array(dw.data.length)
  eachTap(sizes, walkOf(step), (xAt, wAt, yAt) => {
    for (let c = 0; c < groupC; c++) sums[wAt + c * OC]! += dy.data[yAt]! * x.data[xAt + c]!
  })
  dw.data.set(sums)
  const db = optional(step, 'db')?.data
  if (!db) return
  db.fill(0)
  for (let at = 0; at < dy.data.length; at++) db[at % db.length]! += dy.data[at]!
}
