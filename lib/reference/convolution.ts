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
 * Calls `visit(xAt, wAt, yAt)` for each tap of a cross-correlation and each group, positions outside the image left out:
 * y[yAt + oc] = Σ x[xAt + c] · w[wAt + c · OC + oc] over the channels c and filters oc of the group, in the order n, od, oh, ow, group, kd, kh, kw.
 */
function eachTap(sizes: Sizes, walk: Walk, visit: (xAt: number, wAt: number, yAt: number) => void): void {
  const { N, image, kernel, result, C, groupC, OC, groupOC } = sizes
  const [D, H, W] = image
  const [KD, KH, KW] = kernel
  const [OD, OH, OW] = result
  const groups = OC / groupOC
  for (let n = 0; n < N; n++)
    for (let od = 0; od < OD; od++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++)
          for (let group = 0; group < groups; group++) {
            const yAt = (((n * OD + od) * OH + oh) * OW + ow) * OC + group * groupOC
            for (let kd = 0; kd < KD; kd++) {
              const d = od * walk.strideD - walk.front + kd * walk.dilationD
              if (d < 0 || d >= D) continue
              for (let kh = 0; kh < KH; kh++) {
                const h = oh * walk.strideH - walk.top + kh * walk.dilationH
                if (h < 0 || h >= H) continue
                for (let kw = 0; kw < KW; kw++) {
                  const w = ow * walk.strideW - walk.left + kw * walk.dilationW
                  if (w < 0 || w >= W) continue
                  const xAt = (((n * D + d) * H + h) * W + w) * C + group * groupC
                  const wAt = ((kd * KH + kh) * KW + kw) * groupC * OC + group * groupOC
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
  const { groupC, groupOC, OC } = sizes
  const activate = activationOf(step)
  const [from, by, sums] = [x.data, w.data, new Float64Array(y.data.length)]
  eachTap(sizes, walkOf(step), (xAt, wAt, yAt) => {
    for (let c = 0; c < groupC; c++) {
      const [value, row] = [from[xAt + c]!, wAt + c * OC]
      for (let oc = 0; oc < groupOC; oc++) sums[yAt + oc]! += value * by[row + oc]!
    }
  })
  for (let i = 0; i < sums.length; i++) y.data[i] = activate(sums[i]! + (bias ? bias[i % OC]! : 0))
}

/** What y gives back to x by way of w: Σ y · w over the products that an element of x takes part in. */
function backToInput(sizes: Sizes, walk: Walk, y: ReferenceData, w: ReferenceData, length: number): Float64Array {
  const { groupC, groupOC, OC } = sizes
  const sums = new Float64Array(length)
  eachTap(sizes, walk, (xAt, wAt, yAt) => {
    for (let c = 0; c < groupC; c++) {
      const row = wAt + c * OC
      let sum = 0
      for (let oc = 0; oc < groupOC; oc++) sum += y[yAt + oc]! * w[row + oc]!
      sums[xAt + c]! += sum
    }
  })
  return sums
}

/** dx = Σ dy · w. */
export function convolutionBackwardInput(step: ReferenceStep): void {
  const [dy, w, dx] = [operand(step, 'dy'), operand(step, 'w'), operand(step, 'dx')]
  dx.data.set(backToInput(sizesOf(step, dx, w, dy), walkOf(step), dy.data, w.data, dx.data.length))
}

/** y = Σ x · w over the products of the convolution that leads from y to x, plus a bias per channel. */
export function transposedConvolution(step: ReferenceStep): void {
  const [x, w, y] = [operand(step, 'x'), operand(step, 'w'), operand(step, 'y')]
  const bias = optional(step, 'bias')?.data
  const sizes = sizesOf(step, y, w, x)
  const activate = activationOf(step)
  const sums = backToInput(sizes, walkOf(step), x.data, w.data, y.data.length)
  for (let i = 0; i < sums.length; i++) y.data[i] = activate(sums[i]! + (bias ? bias[i % sizes.C]! : 0))
}

/** dw = Σ dy · x over the products that an element of w takes part in; db[oc] = Σ dy[…, oc]. */
export function convolutionBackwardWeights(step: ReferenceStep): void {
  const [dy, x, dw] = [operand(step, 'dy'), operand(step, 'x'), operand(step, 'dw')]
  const sizes = sizesOf(step, x, dw, dy)
  const { groupC, groupOC, OC } = sizes
  const [from, by, sums] = [x.data, dy.data, new Float64Array(dw.data.length)]
  eachTap(sizes, walkOf(step), (xAt, wAt, yAt) => {
    for (let c = 0; c < groupC; c++) {
      const [value, row] = [from[xAt + c]!, wAt + c * OC]
      for (let oc = 0; oc < groupOC; oc++) sums[row + oc]! += value * by[yAt + oc]!
    }
  })
  dw.data.set(sums)
  const db = optional(step, 'db')?.data
  if (!db) return
  db.fill(0)
  for (let at = 0; at < dy.data.length; at++) db[at % db.length]! += dy.data[at]!
}
