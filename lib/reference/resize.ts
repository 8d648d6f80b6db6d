import { ConvlaneError } from '../errors'
import { operand, type ReferenceOperand, type ReferenceStep, windowSizes } from './step'

type Tap = readonly [pixel: number, weight: number]

/** What pixel `o` of `out` reads of `size` pixels, by half-pixel centres; weights of 0 are left out. */
function taps(o: number, size: number, out: number, interpolation: unknown): Tap[] {
  if (interpolation === 'nearest') return [[Math.floor(((2 * o + 1) * size) / (2 * out)), 1]]
  if (interpolation !== 'linear') throw new ConvlaneError('INVALID_STEP', `the interpolation is ${interpolation}`)
  const place = Math.min(Math.max(((o + 0.5) * size) / out - 0.5, 0), size - 1)
  const below = Math.floor(place)
  const share = place - below
  const both: Tap[] = [
    [below, 1 - share],
    [below + 1, share],
  ]
  return both.filter(([pixel, weight]) => weight !== 0 && pixel < size)
}

/** Calls `visit(xAt, yAt, weight)` for each pixel that each pixel of the result reads, at channel 0. */
function eachTap(
  step: ReferenceStep,
  image: ReferenceOperand,
  resized: ReferenceOperand,
  visit: (xAt: number, yAt: number, weight: number) => void,
) {
  const { interpolation } = step.attributes
  const N = image.shape[0]!
  const C = image.shape.at(-1)!
  const [D, H, W] = windowSizes(image.shape.slice(1, -1))
  const [OD, OH, OW] = windowSizes(resized.shape.slice(1, -1))
  for (let n = 0; n < N; n++)
    for (let od = 0; od < OD; od++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          const yAt = (((n * OD + od) * OH + oh) * OW + ow) * C
          for (const [d, ofD] of taps(od, D, OD, interpolation))
            for (const [h, ofH] of taps(oh, H, OH, interpolation))
              for (const [w, ofW] of taps(ow, W, OW, interpolation)) visit((((n * D + d) * H + h) * W + w) * C, yAt, ofD * ofH * ofW)
        }
}

/** y = Σ weight · x over the pixels around each place. */
export function resize(step: ReferenceStep): void {
  const [x, y] = [operand(step, 'x'), operand(step, 'y')]
  const C = x.shape.at(-1)!
  const sums = new Float64Array(y.data.length)
  eachTap(step, x, y, (xAt, yAt, weight) => {
    for (let c = 0; c < C; c++) sums[yAt + c]! += weight * x.data[xAt + c]!
  })
  y.data.set(sums)
}

/** dx = Σ weight · dy over the pixels that read x. */
export function resizeBackward(step: ReferenceStep): void {
  const [dy, dx] = [operand(step, 'dy'), operand(step, 'dx')]
  const C = dx.shape.at(-1)!
  const sums = new Float64Array(dx.data.length)
  eachTap(step, dx, dy, (xAt, yAt, weight) => {
    for (let c = 0; c < C; c++) sums[xAt + c]! += weight * dy.data[yAt + c]!
  })
  dx.data.set(sums)
}
