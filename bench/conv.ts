import type { Step } from '../binding'
import { Dot, floats, operand, type PreparedProblem, type Problem, randomData, samplePositions } from './problem'
import type { ConvShape } from './suite'

const SAMPLES = 64

interface Geometry extends ConvShape {
  readonly OH: number
  readonly OW: number
}

/** Convolution, its input gradient, and its filter and bias gradient. */
export function convProblems(shape: ConvShape): Problem[] {
  const { N, C, H, W, OC, KH, KW, stride, pad, groups } = shape
  const OH = Math.floor((H + 2 * pad - KH) / stride) + 1
  const OW = Math.floor((W + 2 * pad - KW) / stride) + 1
  const geometry = { ...shape, OH, OW }
  const flops = 2 * N * OC * OH * OW * (C / groups) * KH * KW
  const bytes = 4 * (N * H * W * C + KH * KW * (C / groups) * OC + N * OH * OW * OC)
  const numbers = [N, C, H, W, OC, KH, KW, stride, pad, groups].join(' ')
  const problem = (pass: string, prepare: (g: Geometry) => PreparedProblem): Problem => {
    return {
      kind: 'conv',
      item: shape.id,
      fmt: 'nhwc',
      pass,
      order: `conv ${pass} ${numbers}`,
      flops,
      bytes,
      prepare: () => prepare(geometry),
    }
  }
  return [problem('fwd', prepareForward), problem('bwd_d', prepareInput), problem('bwd_w', prepareWeights)]
}

function operandsOf(g: Geometry) {
  const x = [g.N, g.H, g.W, g.C]
  const w = [g.KH, g.KW, g.C / g.groups, g.OC]
  const y = [g.N, g.OH, g.OW, g.OC]
  return { x, w, y, size: (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1) }
}

function attributesOf(g: Geometry) {
  const { stride, pad, groups } = g
  return {
    stride: [stride, stride],
    padding: [
      [pad, pad],
      [pad, pad],
    ],
    dilation: [1, 1],
    groups,
    algorithm: 'auto',
  }
}

function prepareForward(g: Geometry): PreparedProblem {
  const { x, w, y, size } = operandsOf(g)
  const buffers = [randomData(size(x), 1), randomData(size(w), 2), randomData(g.OC, 3), floats(size(y))] as const
  const step: Step = {
    op: 'conv2d',
    x: operand(0, x),
    w: operand(1, w),
    bias: operand(2, [g.OC]),
    y: operand(3, y),
    activation: 'linear',
    ...attributesOf(g),
  }
  const samples = samplePositions(buffers[3].length, SAMPLES)
  const check = (slack: number) => {
    for (const at of samples) {
      const [n, oh, ow, oc] = unravel(at, y)
      const dot = new Dot()
      dot.add(buffers[2][oc]!, 1)
      const first = channelOf(g, oc)
      for (let kh = 0; kh < g.KH; kh++) {
        for (let kw = 0; kw < g.KW; kw++) {
          const row = pixel(g, n, oh * g.stride - g.pad + kh, ow * g.stride - g.pad + kw)
          if (row < 0) continue
          for (let c = 0; c < g.C / g.groups; c++) dot.add(buffers[0][row + first + c]!, buffers[1][filterAt(g, kh, kw, c, oc)]!)
        }
      }
      dot.expect(buffers[3][at]!, `${g.id} fwd at ${at}`, slack)
    }
  }
  return { calls: [{ step, buffers }], outputs: [buffers[3]], samples: [samples], check }
}

function prepareInput(g: Geometry): PreparedProblem {
  const { x, w, y, size } = operandsOf(g)
  const buffers = [randomData(size(y), 1), randomData(size(w), 2), floats(size(x))] as const
  const step: Step = { op: 'conv2dBackwardInput', dy: operand(0, y), w: operand(1, w), dx: operand(2, x), ...attributesOf(g) }
  const samples = samplePositions(buffers[2].length, SAMPLES)
  const check = (slack: number) => {
    for (const at of samples) {
      const [n, h, wide, channel] = unravel(at, x)
      const perGroup = g.C / g.groups
      const group = Math.floor(channel / perGroup)
      const dot = new Dot()
      for (let kh = 0; kh < g.KH; kh++) {
        for (let kw = 0; kw < g.KW; kw++) {
          const oh = (h + g.pad - kh) / g.stride
          const ow = (wide + g.pad - kw) / g.stride
          if (!isIndex(oh, g.OH) || !isIndex(ow, g.OW)) continue
          for (let oc = (group * g.OC) / g.groups; oc < ((group + 1) * g.OC) / g.groups; oc++) {
            dot.add(buffers[0][((n * g.OH + oh) * g.OW + ow) * g.OC + oc]!, buffers[1][filterAt(g, kh, kw, channel % perGroup, oc)]!)
          }
        }
      }
      dot.expect(buffers[2][at]!, `${g.id} bwd_d at ${at}`, slack)
    }
  }
  return { calls: [{ step, buffers }], outputs: [buffers[2]], samples: [samples], check }
}

function prepareWeights(g: Geometry): PreparedProblem {
  const { x, w, y, size } = operandsOf(g)
  const [dy, xs, dw, db] = [randomData(size(y), 1), randomData(size(x), 2), floats(size(w)), floats(g.OC)]
  const step: Step = {
    op: 'conv2dBackwardWeights',
    dy: operand(0, y),
    x: operand(1, x),
    dw: operand(2, w),
    db: operand(3, [g.OC]),
    ...attributesOf(g),
  }
  const samples = [samplePositions(dw.length, SAMPLES), samplePositions(g.OC, 8)] as const
  const check = (slack: number) => {
    for (const at of samples[0]) {
      const [kh, kw, c, oc] = unravel(at, w)
      const dot = new Dot()
      eachOutput(g, (n, oh, ow, out) => {
        const row = pixel(g, n, oh * g.stride - g.pad + kh, ow * g.stride - g.pad + kw)
        if (row >= 0) dot.add(dy[out + oc]!, xs[row + channelOf(g, oc) + c]!)
      })
      dot.expect(dw[at]!, `${g.id} bwd_w at ${at}`, slack)
    }
    for (const oc of samples[1]) {
      const dot = new Dot()
      eachOutput(g, (_n, _oh, _ow, out) => dot.add(dy[out + oc]!, 1))
      dot.expect(db[oc]!, `${g.id} bwd_w, bias at ${oc}`)
    }
  }
  return { calls: [{ step, buffers: [dy, xs, dw, db] }], outputs: [dw, db], samples, check }
}

const isIndex = (value: number, size: number) => Number.isInteger(value) && value >= 0 && value < size

/** First input channel of the group of an output channel. */
const channelOf = (g: Geometry, oc: number) => Math.floor(oc / (g.OC / g.groups)) * (g.C / g.groups)

const filterAt = (g: Geometry, kh: number, kw: number, c: number, oc: number) => ((kh * g.KW + kw) * (g.C / g.groups) + c) * g.OC + oc

/** Where a pixel's channels begin in x, or -1 in the padding. */
function pixel(g: Geometry, n: number, h: number, w: number): number {
  return isIndex(h, g.H) && isIndex(w, g.W) ? ((n * g.H + h) * g.W + w) * g.C : -1
}

function eachOutput(g: Geometry, visit: (n: number, oh: number, ow: number, offset: number) => void): void {
  for (let n = 0; n < g.N; n++) {
    for (let oh = 0; oh < g.OH; oh++) {
      for (let ow = 0; ow < g.OW; ow++) visit(n, oh, ow, ((n * g.OH + oh) * g.OW + ow) * g.OC)
    }
  }
}

function unravel(at: number, [, b, c, d]: readonly number[]): [number, number, number, number] {
  const third = Math.floor(at / d!)
  const second = Math.floor(third / c!)
  return [Math.floor(second / b!), second % b!, third % c!, at % d!]
}
