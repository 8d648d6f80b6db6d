import { expect, test } from 'vitest'
import { batchNorm, batchNormBackward, batchNormInference, checkGradients, movingAverage } from '../../lib/ops'
import { fillValue } from '../../lib/ops/fill'
import { describeCases } from '../support/describeCases'

describeCases('batchNorm')
describeCases('batchNormInference')
describeCases('batchNormBackward')
describeCases('movingAverage')

test('a mean far from 0 costs no digits of the variance', () => {
  const rows = 5000
  const channels = 20
  const data = Float32Array.from({ length: rows * channels }, (_, i) => 1000 * ((i % channels) + 1) + Math.sin(i))
  const options = { epsilon: 0, runtime: 'reference' } as const
  const expected = batchNorm({ shape: [rows, channels], data }, options)
  const found = batchNorm({ shape: [rows, channels], data }, { ...options, runtime: 'native' })
  for (const [c, value] of expected.variance.data.entries()) expect(Math.abs(found.variance.data[c]! / value - 1)).toBeLessThan(1e-4)
  for (const [c, value] of expected.mean.data.entries()) expect(Math.abs(found.mean.data[c]! / value - 1)).toBeLessThan(3e-7)
})

const tensor = (shape: readonly number[], phase: number) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 + Math.sin(12.9898 * (i + 1) + phase)),
})

test('gradients follow in a graph, through the activation and in inference too', () => {
  const [x, gamma, beta] = [tensor([4, 2, 3], 1), tensor([3], 2), tensor([3], 3)]
  const [mean, variance] = [tensor([3], 4), { shape: [3], data: Float32Array.of(0.5, 1, 2) }]
  checkGradients((...[a, g, b]) => batchNorm(a!, { gamma: g!, beta: b!, activation: 'tanh' }).y, [x, gamma, beta])
  checkGradients((a) => batchNorm(a!).y, [x])
  const known = { mean: fillValue([3], 0.25), variance: fillValue([3], 2) }
  checkGradients((...[b, g, o]) => batchNormInference(b!, known.mean, known.variance, { gamma: g!, beta: o! }), [x, gamma, beta])
  checkGradients((b) => batchNormInference(b, known.mean, known.variance), [x])
  const { y, mean: found } = batchNorm(x, { gamma, beta })
  expect(batchNormInference(x, found, batchNorm(x).variance, { gamma, beta }).data).toEqual(y.data)
  expect(batchNormInference(x, mean, variance, { activation: 'relu' }).data.every((value) => value >= 0)).toBe(true)
})

test('backward by itself, and a moving average', () => {
  const [dy, x, gamma] = [tensor([5, 3], 1), tensor([5, 3], 2), tensor([3], 3)]
  const found = batchNormBackward(dy, x, { gamma })
  const expected = batchNormBackward(dy, x, { gamma, runtime: 'reference' })
  for (const name of ['dx', 'dgamma', 'dbeta'] as const)
    for (const [i, value] of expected[name].data.entries()) expect(found[name].data[i]).toBeCloseTo(value, 4)
  const [average, value] = [
    { shape: [1], data: Float32Array.of(8) },
    { shape: [1], data: Float32Array.of(4) },
  ]
  for (const runtime of ['native', 'reference'] as const)
    expect([...movingAverage(average, value, { momentum: 0.75, runtime }).data]).toEqual([7])
  expect(average.data[0]).toBe(8)
})
