import { operand, type ReferenceOperand, type ReferenceStep, windowSizes } from './step'

/** Bin `o` of `out`, which share `size` pixels: from ⌊o · size / out⌋ to ⌈(o + 1) · size / out⌉, the end left out. */
const bin = (o: number, size: number, out: number): number[] => {
  const first = Math.floor((o * size) / out)
  return Array.from({ length: Math.ceil(((o + 1) * size) / out) - first }, (_, i) => first + i)
}

/** Calls `visit(xAt, yAt, pixels)` for each pixel of each bin of each image, at channel 0; `pixels` is how many the bin has. */
function eachPixel(image: ReferenceOperand, pooled: ReferenceOperand, visit: (xAt: number, yAt: number, pixels: number) => void): void {
  const N = image.shape[0]!
  const C = image.shape.at(-1)!
  const [D, H, W] = windowSizes(image.shape.slice(1, -1))
  const [OD, OH, OW] = windowSizes(pooled.shape.slice(1, -1))
  for (let n = 0; n < N; n++)
    for (let od = 0; od < OD; od++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          const yAt = (((n * OD + od) * OH + oh) * OW + ow) * C
          const [depths, heights, widths] = [bin(od, D, OD), bin(oh, H, OH), bin(ow, W, OW)]
          const pixels = depths.length * heights.length * widths.length
          for (const d of depths) for (const h of heights) for (const w of widths) visit((((n * D + d) * H + h) * W + w) * C, yAt, pixels)
        }
}

/** The mean of each bin. */
export function adaptiveAveragePool(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const y = operand(step, 'y')
  const C = x.shape.at(-1)!
  const means = new Float64Array(y.data.length)
  eachPixel(x, y, (xAt, yAt, pixels) => {
    for (let c = 0; c < C; c++) means[yAt + c]! += x.data[xAt + c]! / pixels
  })
  y.data.set(means)
}

/** Each dy is shared alike by the pixels of its bin. */
export function adaptiveAveragePoolBackward(step: ReferenceStep): void {
  const dy = operand(step, 'dy')
  const dx = operand(step, 'dx')
  const C = dx.shape.at(-1)!
  const sums = new Float64Array(dx.data.length)
  eachPixel(dx, dy, (xAt, yAt, pixels) => {
    for (let c = 0; c < C; c++) sums[xAt + c]! += dy.data[yAt + c]! / pixels
  })
  dx.data.set(sums)
}
