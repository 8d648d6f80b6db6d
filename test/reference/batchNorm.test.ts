import { describe, expect, test } from 'vitest'
import { compute, differences, type Input } from '../support/compute'

const x: Input = { shape: [2, 2, 2], data: [1, 10, 3, 10, 5, 40, 7, 20] }

describe('batch normalization by hand', () => {
  test('mean and variance of each channel, over the batch itself', () => {
    const { y, mean, variance } = compute(
      'batchNorm',
      { x },
      { y: [2, 2, 2], mean: [2], variance: [2] },
      { epsilon: 4, activation: 'linear' },
    )
    expect([...mean!]).toEqual([4, 20])
    expect([...variance!]).toEqual([5, 150])
    expect([...y!].filter((_, i) => i % 2 === 0)).toEqual([-1, -1 / 3, 1 / 3, 1])
    expect(y![1]).toBeCloseTo(-10 / Math.sqrt(154), 12)
  })

  test('gamma, beta and an activation', () => {
    const inputs = { x, gamma: { shape: [2], data: [3, 0] }, beta: { shape: [2], data: [1, -1] } }
    const { y } = compute('batchNorm', inputs, { y: [2, 2, 2], mean: [2], variance: [2] }, { epsilon: 4, activation: 'relu' })
    expect([...y!]).toEqual([0, 0, 0, 0, 2, 0, 4, 0])
  })

  test('what a residual connection brings, before the activation', () => {
    const inputs = { x, residual: { shape: [2, 2, 2], data: [0.5, 0, -1, 0, 2, 0, -2, 0] }, gamma: { shape: [2], data: [3, 0] } }
    const { y } = compute('batchNorm', inputs, { y: [2, 2, 2], mean: [2], variance: [2] }, { epsilon: 4, activation: 'relu' })
    expect([...y!].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0, 0, 0, 0, 3, 0, 1, 0])
  })

  test('one row: everything is beta', () => {
    const inputs = { x: { shape: [1, 2], data: [5, -3] }, beta: { shape: [2], data: [1, 2] } }
    const { y, variance } = compute('batchNorm', inputs, { y: [1, 2], mean: [2], variance: [2] }, { epsilon: 1e-3, activation: 'linear' })
    expect([...y!]).toEqual([1, 2])
    expect([...variance!]).toEqual([0, 0])
  })

  test('inference takes the mean and variance that it is given', () => {
    const inputs = { x, mean: { shape: [2], data: [1, 20] }, variance: { shape: [2], data: [3, 24] } }
    const { y } = compute('batchNormInference', inputs, { y: [2, 2, 2] }, { epsilon: 1, activation: 'linear' })
    expect([...y!]).toEqual([0, -2, 1, -2, 2, 4, 3, 0])
  })

  test('a moving average', () => {
    const { param } = compute(
      'movingAverage',
      { param: { shape: [2], data: [8, 0] }, value: { shape: [2], data: [0, 4] } },
      {},
      { momentum: 0.75 },
    )
    expect([...param!]).toEqual([6, 1])
  })
})

test.each(['linear', 'relu'])('the gradient by x, gamma and beta is that of finite differences, %s', (activation) => {
  const wave = (length: number, phase: number) => Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + phase))
  const shape = [3, 2, 4]
  const inputs = { x: { shape, data: wave(24, 1) }, gamma: { shape: [4], data: wave(4, 2) }, beta: { shape: [4], data: wave(4, 3) } }
  const dy = { shape, data: wave(24, 4) }
  const attributes = { epsilon: 0.01, activation }
  const forward = () => compute('batchNorm', inputs, { y: shape, mean: [4], variance: [4] }, attributes)
  const weighted = () => forward().y!.reduce((sum, y, i) => sum + y * dy.data[i]!, 0)
  const { mean, variance } = forward()
  const statistics = { mean: { shape: [4], data: mean! }, variance: { shape: [4], data: variance! } }
  const found = compute('batchNormBackward', { dy, ...inputs, ...statistics }, { dx: shape, dgamma: [4], dbeta: [4] }, attributes)
  for (const [name, gradient] of [['x', 'dx'], ['gamma', 'dgamma'], ['beta', 'dbeta']] as const) // biome-ignore format: a table
    for (const [i, value] of differences(weighted, inputs[name].data).entries())
      expect(Math.abs(found[gradient]![i]! - value), `${gradient}[${i}]`).toBeLessThan(1e-8)
})
