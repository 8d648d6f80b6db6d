import type { Step } from '../binding'
import { floats, integers, operand, type PreparedProblem, type Problem, randomData, samplePositions } from './problem'
import type { PoolShape } from './suite'

const SAMPLES = 256

/** Max pooling with the positions that training keeps, and its gradient. */
export function poolProblems(shape: PoolShape): Problem[] {
  const { N, C, H, W, K, stride, pad } = shape
  const OH = Math.floor((H + 2 * pad - K) / stride) + 1
  const OW = Math.floor((W + 2 * pad - K) / stride) + 1
  const bytes = 4 * (N * H * W * C + 2 * N * OH * OW * C)
  const numbers = [N, C, H, W, K, stride, pad].join(' ')
  const problem = (pass: string, prepare: typeof prepareForward): Problem => {
    const order = `pool ${pass} ${numbers}`
    return { kind: 'pool', item: shape.id, fmt: 'nhwc', pass, order, flops: 0, bytes, prepare: () => prepare(shape, OH, OW) }
  }
  return [problem('fwd', prepareForward), problem('bwd_d', prepareBackward)]
}

function attributesOf({ K, stride, pad }: PoolShape) {
  return {
    size: [K, K],
    stride: [stride, stride],
    padding: [
      [pad, pad],
      [pad, pad],
    ],
    dilation: [1, 1],
  }
}

/** The first maximum of a window: its value, and its place in the window and in x. */
function firstMaximum(s: PoolShape, x: Float32Array, n: number, oh: number, ow: number, c: number) {
  let best = { value: Number.NEGATIVE_INFINITY, position: -1, at: -1 }
  for (let position = 0; position < s.K * s.K; position++) {
    const h = oh * s.stride - s.pad + Math.floor(position / s.K)
    const w = ow * s.stride - s.pad + (position % s.K)
    if (h < 0 || h >= s.H || w < 0 || w >= s.W) continue
    const at = ((n * s.H + h) * s.W + w) * s.C + c
    if (best.at < 0 || x[at]! > best.value) best = { value: x[at]!, position, at }
  }
  return best
}

function unravel(at: number, OH: number, OW: number, C: number) {
  const column = Math.floor(at / C)
  const row = Math.floor(column / OW)
  return { n: Math.floor(row / OH), oh: row % OH, ow: column % OW, c: at % C }
}

function prepareForward(s: PoolShape, OH: number, OW: number): PreparedProblem {
  const yShape = [s.N, OH, OW, s.C]
  const outputs = s.N * OH * OW * s.C
  const buffers = [randomData(s.N * s.H * s.W * s.C, 1), floats(outputs), integers(outputs)] as const
  const x = operand(0, [s.N, s.H, s.W, s.C])
  const step: Step = { op: 'maxPool2d', x, y: operand(1, yShape), positions: operand(2, yShape, 'int32'), ...attributesOf(s) }
  const samples = samplePositions(outputs, SAMPLES)
  const check = () => {
    for (const at of samples) {
      const { n, oh, ow, c } = unravel(at, OH, OW, s.C)
      const expected = firstMaximum(s, buffers[0], n, oh, ow, c)
      if (buffers[1][at] !== expected.value || buffers[2][at] !== expected.position) {
        throw new Error(
          `${s.id} fwd at ${at}: expected ${expected.value} (${expected.position}), received ${buffers[1][at]} (${buffers[2][at]})`,
        )
      }
    }
  }
  return { calls: [{ step, buffers }], outputs: [buffers[1], buffers[2]], samples: [samples, samples], check }
}

function prepareBackward(s: PoolShape, OH: number, OW: number): PreparedProblem {
  const yShape = [s.N, OH, OW, s.C]
  const outputs = s.N * OH * OW * s.C
  const x = randomData(s.N * s.H * s.W * s.C, 1)
  const buffers = [randomData(outputs, 2), integers(outputs), floats(x.length)] as const
  const expected = new Float64Array(x.length)
  for (let at = 0; at < outputs; at++) {
    const { n, oh, ow, c } = unravel(at, OH, OW, s.C)
    const maximum = firstMaximum(s, x, n, oh, ow, c)
    buffers[1][at] = maximum.position
    expected[maximum.at]! += buffers[0][at]!
  }
  const dx = operand(2, [s.N, s.H, s.W, s.C])
  const step: Step = { op: 'maxPool2dBackward', dy: operand(0, yShape), positions: operand(1, yShape, 'int32'), dx, ...attributesOf(s) }
  const samples = samplePositions(x.length, SAMPLES)
  const check = () => {
    for (const at of samples) {
      if (!(Math.abs(buffers[2][at]! - expected[at]!) <= 2 ** -20 * s.K * s.K)) {
        throw new Error(`${s.id} bwd_d at ${at}: expected ${expected[at]}, received ${buffers[2][at]}`)
      }
    }
  }
  return { calls: [{ step, buffers }], outputs: [buffers[2]], samples: [samples], check }
}
