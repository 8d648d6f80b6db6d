import { describe, expect, test } from 'vitest'
import type { Attributes } from '../../lib/ops/op'
import { activated, activationNames, activations } from '../support/activations'
import { compute, convolution, differences, type Input, sizeOf } from '../support/compute'

/** Numbers without a pattern in [−1, 1], no two alike and none near 0, the same on every run. */
function waves(shape: readonly number[], phase: number): { shape: readonly number[]; data: Float64Array } {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const value = Math.sin(12.9898 * (i + 1) + phase)
    return value + Math.sign(value) * 0.01
  })
  return { shape, data }
}

interface Pass {
  readonly name: string
  readonly op: string
  readonly inputs: Record<string, { shape: readonly number[]; data: Float64Array }>
  readonly outputs: Record<string, readonly number[]>
  readonly attributes?: Attributes
  /** The gradient of each input, given that of y and all that the forward op left. */
  readonly backward: Record<string, (dy: Input, left: Record<string, Input>) => Float64Array>
}

const conv = (name: string, x: number[], w: number[], y: number[], changes: Attributes = {}): Pass => {
  const ones = new Array(x.length - 2).fill(1)
  const plain = { stride: ones, padding: ones.map(() => [0, 0]), dilation: ones }
  const attributes = convolution({ ...plain, ...changes })
  const op = `conv${ones.length}d`
  return {
    name: `${op} ${name}`,
    op,
    inputs: { x: waves(x, 1), w: waves(w, 2), bias: waves([w.at(-1)!], 3) },
    outputs: { y },
    attributes,
    backward: {
      x: (dy, left) => compute(`${op}BackwardInput`, { dy, w: left.w! }, { dx: x }, attributes).dx!,
      w: (dy, left) => compute(`${op}BackwardWeights`, { dy, x: left.x! }, { dw: w }, attributes).dw!,
      bias: (dy) => compute('biasGradient', { dy }, { db: [w.at(-1)!] }).db!,
    },
  }
}

const transposed = (name: string, x: number[], w: number[], y: number[], changes: Attributes): Pass => {
  const ones = new Array(x.length - 2).fill(1)
  const attributes = convolution({ stride: ones, padding: ones.map(() => [0, 0]), dilation: ones, ...changes })
  const op = `conv${ones.length}d`
  return {
    name: `convTranspose${ones.length}d ${name}`,
    op: `convTranspose${ones.length}d`,
    inputs: { x: waves(x, 1), w: waves(w, 2), bias: waves([y.at(-1)!], 3) },
    outputs: { y },
    attributes,
    backward: {
      x: (dy, left) => compute(op, { x: dy, w: left.w! }, { y: x }, attributes).y!,
      w: (dy, left) => compute(`${op}BackwardWeights`, { dy: left.x!, x: dy }, { dw: w }, attributes).dw!,
      bias: (dy) => compute('biasGradient', { dy }, { db: [y.at(-1)!] }).db!,
    },
  }
}

const pool = (kind: 'max' | 'average', name: string, x: number[], y: number[], attributes: Attributes): Pass => {
  const op = `${kind}Pool2d`
  return {
    name: `${op} ${name}`,
    op,
    inputs: { x: waves(x, 4) },
    outputs: kind === 'max' ? { y, positions: y } : { y },
    attributes,
    backward: {
      x: (dy, { positions }) => compute(`${op}Backward`, { dy, ...(positions && { positions }) }, { dx: x }, attributes).dx!,
    },
  }
}

const activation = (op: string): Pass => {
  const { attributes = {}, from = 'y' } = activations[op] ?? {}
  return {
    name: op,
    op,
    inputs: { x: waves([3, 5], 5) },
    outputs: { y: [3, 5] },
    attributes,
    backward: { x: (dy, left) => compute(`${op}Backward`, { dy, [from]: left[from]! }, { dx: [3, 5] }, attributes).dx! },
  }
}

const fused = (name: string): Pass => {
  const gradient = (dy: Input, { y }: Record<string, Input>) =>
    compute(`${name}Backward`, { dy, y: y! }, { dx: [2, 6] }, activations[name]!.attributes).dx!
  return {
    name: `add with ${name}`,
    op: 'add',
    inputs: { a: waves([2, 6], 6), b: waves([2, 6], 7) },
    outputs: { y: [2, 6] },
    attributes: activated(name),
    backward: { a: gradient, b: gradient },
  }
}

const wide = {
  size: [3, 2],
  stride: [2, 1],
  padding: [
    [1, 0],
    [0, 1],
  ],
  dilation: [1, 2],
}
const product = (a: Input, b: Input, y: readonly number[], attributes: Attributes = {}) => compute('matmul', { a, b }, { y }, attributes).y!

const passes: Pass[] = [
  conv('plain', [2, 5, 4, 3], [3, 2, 3, 4], [2, 3, 3, 4]),
  conv('1×1', [1, 3, 3, 2], [1, 1, 2, 5], [1, 3, 3, 5]),
  conv('stride, padding and dilation per side', [2, 7, 6, 2], [3, 2, 2, 3], [2, 3, 6, 3], {
    stride: [2, 1],
    padding: [
      [1, 2],
      [0, 2],
    ],
    dilation: [2, 2],
  }),
  conv('groups', [1, 4, 4, 6], [2, 2, 2, 3], [1, 3, 3, 3], { groups: 3 }),
  conv('depthwise', [1, 4, 4, 3], [3, 3, 1, 6], [1, 2, 2, 6], { groups: 3 }),
  conv('dilation beyond the image', [1, 3, 3, 1], [2, 2, 1, 2], [1, 3, 3, 2], {
    dilation: [4, 4],
    padding: [
      [2, 2],
      [2, 2],
    ],
  }),
  conv('causal', [2, 6, 2], [3, 2, 3], [2, 6, 3], { padding: [[4, 0]], dilation: [2] }),
  conv('in groups, with stride', [1, 9, 4], [2, 2, 6], [1, 4, 6], { stride: [2], groups: 2 }),
  conv('plain', [1, 3, 3, 4, 2], [2, 2, 3, 2, 2], [1, 2, 2, 2, 2]),
  conv('stride, padding and dilation per side', [1, 4, 3, 5, 2], [2, 2, 2, 2, 3], [1, 2, 4, 2, 3], {
    stride: [2, 1, 3],
    padding: [
      [0, 1],
      [2, 0],
      [1, 0],
    ],
    dilation: [2, 1, 2],
  }),
  transposed('with stride and a pixel more', [2, 3, 2], [3, 4, 2], [2, 8, 4], { stride: [2], padding: [[0, 0]] }),
  transposed('in groups, dilated, padded', [1, 3, 2, 4], [2, 3, 3, 4], [1, 5, 5, 6], {
    stride: [2, 2],
    padding: [
      [1, 0],
      [1, 1],
    ],
    dilation: [2, 2],
    groups: 2,
  }),
  transposed('plain', [1, 2, 2, 1, 2], [2, 1, 3, 3, 2], [1, 3, 2, 3, 3], {}),
  pool('max', 'overlapping', [2, 5, 5, 2], [2, 4, 4, 2], {
    size: [2, 2],
    stride: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
  }),
  pool('max', 'padded, dilated', [1, 6, 5, 3], [1, 3, 4, 3], wide),
  pool('average', 'overlapping', [2, 5, 5, 2], [2, 4, 4, 2], {
    size: [2, 2],
    stride: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
    countPadding: false,
  }),
  pool('average', 'padded, dilated', [1, 6, 5, 3], [1, 3, 4, 3], { ...wide, countPadding: false }),
  pool('average', 'counting padding', [1, 6, 5, 3], [1, 3, 4, 3], { ...wide, countPadding: true }),
  ...[...activationNames, 'softmax', 'logSoftmax'].map(activation),
  ...activationNames.filter((name) => activations[name]!.from === 'y').map(fused),
  {
    name: 'dense',
    op: 'dense',
    inputs: { x: waves([3, 4], 8), w: waves([4, 5], 9), bias: waves([5], 10) },
    outputs: { y: [3, 5] },
    backward: {
      x: (dy, { w }) => product(dy, w!, [3, 4], { transposeB: true }),
      w: (dy, { x }) => product(x!, dy, [4, 5], { transposeA: true }),
      bias: (dy) => compute('biasGradient', { dy }, { db: [5] }).db!,
    },
  },
  {
    name: 'matmul',
    op: 'matmul',
    inputs: { a: waves([3, 4], 11), b: waves([4, 2], 12) },
    outputs: { y: [3, 2] },
    backward: {
      a: (dy, { b }) => product(dy, b!, [3, 4], { transposeB: true }),
      b: (dy, { a }) => product(a!, dy, [4, 2], { transposeA: true }),
    },
  },
  {
    name: 'matmul of transposes',
    op: 'matmul',
    inputs: { a: waves([4, 3], 13), b: waves([2, 4], 14) },
    outputs: { y: [3, 2] },
    attributes: { transposeA: true, transposeB: true },
    backward: {
      a: (dy, { b }) => product(b!, dy, [4, 3], { transposeA: true, transposeB: true }),
      b: (dy, { a }) => product(dy, a!, [2, 4], { transposeA: true, transposeB: true }),
    },
  },
  {
    name: 'multiply',
    op: 'multiply',
    inputs: { a: waves([7], 15), b: waves([7], 16) },
    outputs: { y: [7] },
    backward: {
      a: (dy, { b }) => compute('multiply', { a: dy, b: b! }, { y: [7] }).y!,
      b: (dy, { a }) => compute('multiply', { a: dy, b: a! }, { y: [7] }).y!,
    },
  },
  {
    name: 'scale',
    op: 'scale',
    inputs: { x: waves([6], 17), s: waves([], 18) },
    outputs: { y: [6] },
    attributes: { factor: -1.5 },
    backward: {
      x: (dy, { s }) => compute('scale', { x: dy, s: s! }, { y: [6] }, { factor: -1.5 }).y!,
      s: (dy, { x }) => product({ shape: [1, 6], data: x!.data }, { shape: [6, 1], data: dy.data }, [1, 1]).map((dot) => -1.5 * dot),
    },
  },
  {
    name: 'concat',
    op: 'concat',
    inputs: { x0: waves([2, 3], 19), x1: waves([2, 2], 20) },
    outputs: { y: [2, 5] },
    attributes: { count: 2 },
    backward: {
      x0: (dy) => compute('slice', { x: dy }, { y: [2, 3] }, { start: 0 }).y!,
      x1: (dy) => compute('slice', { x: dy }, { y: [2, 2] }, { start: 3 }).y!,
    },
  },
]

describe('the gradient of each op and input is that of finite differences', () => {
  for (const { name, op, inputs, outputs, attributes, backward } of passes)
    for (const input of Object.keys(inputs))
      test(`${name}: ${input}`, () => {
        const dy = waves(outputs.y!, 0.5)
        const weighted = () => compute(op, inputs, outputs, attributes).y!.reduce((sum, y, i) => sum + y * dy.data[i]!, 0)
        const shapes: Record<string, readonly number[]> = {
          ...outputs,
          ...Object.fromEntries(Object.entries(inputs).map(([key, { shape }]) => [key, shape])),
        }
        const left = Object.entries(compute(op, inputs, outputs, attributes)).map(([key, data]) => [key, { shape: shapes[key]!, data }])
        const analytic = backward[input]!(dy, Object.fromEntries(left))
        const numeric = differences(weighted, inputs[input]!.data)
        expect(analytic.length).toBe(numeric.length)
        for (const [i, value] of numeric.entries()) expect(Math.abs(analytic[i]! - value), `${input}[${i}]`).toBeLessThan(1e-8)
      })
})

describe('losses', () => {
  const cases: [name: string, op: string, predictions: string, gradient: string, shape: number[], targets: Record<string, Input>][] = [
    ['class numbers', 'softmaxCrossEntropy', 'logits', 'dlogits', [3, 4], { labels: { shape: [3], data: [1, 3, 0] } }],
    [
      'distributions',
      'softmaxCrossEntropy',
      'logits',
      'dlogits',
      [2, 3],
      { labels: { shape: [2, 3], data: [0.5, 0.25, 0.25, 0.1, 0.2, 0.9] } },
    ],
    ['squares', 'meanSquaredError', 'predictions', 'dpredictions', [3, 4], { targets: waves([3, 4], 21) }],
  ]
  for (const [name, op, predictions, gradient, shape, targets] of cases)
    test(`${op} with ${name}`, () => {
      const input = waves(shape, 22)
      const run = () => compute(op, { [predictions]: input, ...targets }, { loss: [], [gradient]: shape })
      const analytic = run()[gradient]!
      const numeric = differences(() => run().loss![0]!, input.data)
      for (const [i, value] of numeric.entries()) expect(Math.abs(analytic[i]! - value), `[${i}]`).toBeLessThan(1e-9)
    })
})

test('dropout: its backward pass is the same op on dy', () => {
  const scalars = { seed: 3, step: 1 }
  const attributes = { rate: 0.4, stream: 2 }
  const x = waves([20], 23)
  const dy = waves([20], 24)
  const run = (input: Input) => compute('dropout', { x: input }, { y: [20] }, attributes, scalars).y!
  const numeric = differences(() => run(x).reduce((sum, y, i) => sum + y * dy.data[i]!, 0), x.data)
  for (const [i, value] of run(dy).entries()) expect(Math.abs(numeric[i]! - value), `[${i}]`).toBeLessThan(1e-9)
})
