import { expect, test } from 'vitest'
import { compute, convolution, differences, type Input } from '../support/compute'

/** Numbers without a pattern in [−1, 1], the same on every run. */
const waves = (count: number, phase: number) => Float64Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + phase))

/**
 * The smallest whole network: 5×5 → conv 2×2 and one bias → relu → max-pool 2×2 → dense 3, sigmoid → dense 2, sigmoid; cost (z0 − y0)² + (z1 − y1)².
 */
const parameters = { w: waves(4, 1), b: Float64Array.of(0.3), w1: waves(12, 2), b1: waves(3, 3), w2: waves(6, 4), b2: waves(2, 5) }
const x: Input = { shape: [1, 5, 5, 1], data: waves(25, 6) }
const targets: Input = { shape: [1, 2], data: [0.2, 0.9] }
const pool = {
  size: [2, 2],
  stride: [2, 2],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
}

function forward() {
  const { w, b, w1, b1, w2, b2 } = parameters
  const filters: Input = { shape: [2, 2, 1, 1], data: w }
  const y = compute('conv2d', { x, w: filters, bias: { shape: [1], data: b } }, { y: [1, 4, 4, 1] }, convolution({ activation: 'relu' })).y!
  const pooled = compute('maxPool2d', { x: { shape: [1, 4, 4, 1], data: y } }, { y: [1, 2, 2, 1], positions: [1, 2, 2, 1] }, pool)
  const flat: Input = { shape: [1, 4], data: pooled.y! }
  const first: Input = { shape: [4, 3], data: w1 }
  const h = compute('dense', { x: flat, w: first, bias: { shape: [3], data: b1 } }, { y: [1, 3] }, { activation: 'sigmoid' }).y!
  const second: Input = { shape: [3, 2], data: w2 }
  const z = compute(
    'dense',
    { x: { shape: [1, 3], data: h }, w: second, bias: { shape: [2], data: b2 } },
    { y: [1, 2] },
    { activation: 'sigmoid' },
  ).y!
  const cost = compute('meanSquaredError', { predictions: { shape: [1, 2], data: z }, targets }, { loss: [], dpredictions: [1, 2] })
  // The mean over two elements, so twice that is the cost.
  return { y, positions: pooled.positions!, flat, first, h, second, z, cost: 2 * cost.loss![0]!, dz: cost.dpredictions!.map((d) => 2 * d) }
}

function denseBackward(op: { dy: Float64Array; y: Float64Array; x: Input; w: Input }) {
  const columns = op.w.shape[1]!
  const dy: Input = { shape: [1, columns], data: op.dy }
  const { dx: d } = compute('sigmoidBackward', { dy, y: { shape: [1, columns], data: op.y } }, { dx: [1, columns] })
  const before: Input = { shape: [1, columns], data: d! }
  return {
    dx: compute('matmul', { a: before, b: op.w }, { y: op.x.shape }, { transposeB: true }).y!,
    dw: compute('matmul', { a: op.x, b: before }, { y: op.w.shape }, { transposeA: true }).y!,
    db: compute('biasGradient', { dy: before }, { db: [columns] }).db!,
  }
}

function gradients(): Record<keyof typeof parameters, Float64Array> {
  const run = forward()
  const second = denseBackward({ dy: run.dz, y: run.z, x: { shape: [1, 3], data: run.h }, w: run.second })
  const first = denseBackward({ dy: second.dx, y: run.h, x: run.flat, w: run.first })
  const pooled = { dy: { shape: [1, 2, 2, 1], data: first.dx }, positions: { shape: [1, 2, 2, 1], data: run.positions } }
  const unpooled = compute('maxPool2dBackward', pooled, { dx: [1, 4, 4, 1] }, pool).dx!
  const y: Input = { shape: [1, 4, 4, 1], data: run.y }
  const dy: Input = {
    shape: [1, 4, 4, 1],
    data: compute('reluBackward', { dy: { shape: y.shape, data: unpooled }, y }, { dx: y.shape }).dx!,
  }
  return {
    w: compute('conv2dBackwardWeights', { dy, x }, { dw: [2, 2, 1, 1] }, convolution()).dw!,
    b: compute('biasGradient', { dy }, { db: [1] }).db!,
    w1: first.dw,
    b1: first.db,
    w2: second.dw,
    b2: second.db,
  }
}

test('the 28 gradients of the smallest whole network are those of finite differences', () => {
  const analytic = gradients()
  let count = 0
  for (const name of Object.keys(parameters) as (keyof typeof parameters)[]) {
    const numeric = differences(() => forward().cost, parameters[name])
    for (const [i, value] of numeric.entries()) {
      expect(Math.abs(analytic[name][i]! - value), `${name}[${i}]`).toBeLessThan(1e-9)
      count++
    }
    expect(Math.max(...numeric.map(Math.abs)), name).toBeGreaterThan(1e-3)
  }
  expect(count).toBe(28)
})
