import { expect, test } from 'vitest'
import * as ops from '../../lib/ops'
import { type Tensor, tensor } from '../../lib/tensor'
import { Random } from '../support/random'

const random = new Random(11)
const wholes = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.whole(-5, 5)),
    shape,
  )

/** Channel c of an image or of filters, whose last axes are [..., C, D], as a map. */
const channel = ({ data }: Tensor, [h, w]: readonly number[], count: number, c: number): Tensor =>
  tensor(
    Float32Array.from({ length: h! * w! }, (_, i) => data[i * count + c]!),
    [h!, w!],
  )
const padded = (x: Tensor, p: number): Tensor => {
  const [h, w] = x.shape as [number, number]
  const data = new Float32Array((h + 2 * p) * (w + 2 * p))
  for (let i = 0; i < h * w; i++) data[(Math.floor(i / w) + p) * (w + 2 * p) + (i % w) + p] = x.data[i]!
  return tensor(data, [h + 2 * p, w + 2 * p])
}
const cropped = (x: Tensor, p: number): number[] => {
  const [h, w] = x.shape as [number, number]
  return Array.from(x.data).filter((_, i) => {
    const [row, column] = [Math.floor(i / w), i % w]
    return row >= p && row < h - p && column >= p && column < w - p
  })
}

test.each([
  [1, 0],
  [2, 0],
  [3, 1],
  [2, 2],
])('the identity for two maps to three, stride %d, padding %d', (stride, padding) => {
  const [H, W, C, OC, K] = [6, 7, 2, 3, 3]
  const [x, w] = [wholes(1, H, W, C), wholes(K, K, C, OC)]
  const y = ops.conv2d(x, w, { stride, padding })
  const [, OH, OW] = y.shape as [number, number, number, number]
  const dy = wholes(1, OH, OW, OC)
  const { dx, dw, db } = ops.conv2dBackward(dy, x, w, { stride, padding })

  const full = [H + 2 * padding - K + 1, W + 2 * padding - K + 1] as const
  const up = (map: Tensor): Tensor => {
    const data = new Float32Array(full[0] * full[1])
    for (let i = 0; i < OH * OW; i++) data[Math.floor(i / OW) * stride * full[1] + (i % OW) * stride] = map.data[i]!
    return tensor(data, full)
  }
  const maps = Array.from({ length: OC }, (_, oc) => channel(dy, [OH, OW], OC, oc))
  for (let c = 0; c < C; c++) {
    const source = padded(channel(x, [H, W], C, c), padding)
    const sums = maps.map((map, oc) => {
      const filter = channel(w, [K, K], C * OC, c * OC + oc)
      expect(ops.correlate2d(source, up(map), 'valid')).toEqual(channel(dw, [K, K], C * OC, c * OC + oc))
      return cropped(ops.convolve2d(up(map), filter, 'full'), padding)
    })
    const total = sums[0]!.map((_, i) => sums.reduce((sum, one) => sum + one[i]!, 0))
    expect(total).toEqual(Array.from(channel(dx, [H, W], C, c).data))
  }
  const ones = tensor(new Float32Array(OH * OW).fill(1), [OH, OW])
  expect(maps.map((map) => ops.correlate2d(map, ones, 'valid').data[0])).toEqual(Array.from(db.data))
})
