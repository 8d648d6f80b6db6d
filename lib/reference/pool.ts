import { numbersOf, type ReferenceOperand, type ReferenceStep, type Walk, walkOf, windowSizes } from './step'

/** One position of one window that lies inside the image, of channel 0: elements xAt and yAt, and its number within the window. */
export interface Tap {
  readonly xAt: number
  readonly position: number
}

export interface PoolWindow {
  /** Element of the result, channel 0. */
  readonly yAt: number
  readonly taps: readonly Tap[]
  /** Positions inside the padded image: a window of the `ceil` size may reach beyond it. */
  readonly padded: number
}

/** Calls `visit` for each window of each image, row-major; one to three axes. */
export function eachWindow(
  step: ReferenceStep,
  image: ReferenceOperand,
  pooled: ReferenceOperand,
  visit: (window: PoolWindow) => void,
): void {
  const N = image.shape[0]!
  const C = image.shape.at(-1)!
  const [D, H, W] = windowSizes(image.shape.slice(1, -1))
  const [OD, OH, OW] = windowSizes(pooled.shape.slice(1, -1))
  const walk = walkOf(step)
  for (let n = 0; n < N; n++)
    for (let od = 0; od < OD; od++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          const taps: Tap[] = []
          let padded = 0
          eachPosition(step, walk, [od, oh, ow], (d, h, w, position) => {
            const isInside = d >= 0 && d < D && h >= 0 && h < H && w >= 0 && w < W
            if (isInside) taps.push({ xAt: (((n * D + d) * H + h) * W + w) * C, position })
            if (d < D + walk.back && h < H + walk.bottom && w < W + walk.right) padded++
          })
          visit({ yAt: (((n * OD + od) * OH + oh) * OW + ow) * C, taps, padded })
        }
}

/** Where each position of the window at (od, oh, ow) lies in the image or outside, in order. */
function eachPosition(
  step: ReferenceStep,
  walk: Walk,
  [od, oh, ow]: readonly [number, number, number],
  visit: (d: number, h: number, w: number, position: number) => void,
): void {
  const [KD, KH, KW] = windowSizes(numbersOf(step, 'size'))
  for (let kd = 0; kd < KD; kd++)
    for (let kh = 0; kh < KH; kh++)
      for (let kw = 0; kw < KW; kw++) {
        const d = od * walk.strideD - walk.front + kd * walk.dilationD
        const h = oh * walk.strideH - walk.top + kh * walk.dilationH
        const w = ow * walk.strideW - walk.left + kw * walk.dilationW
        visit(d, h, w, (kd * KH + kh) * KW + kw)
      }
}
