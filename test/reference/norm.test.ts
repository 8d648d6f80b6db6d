import { describe, expect, test } from 'vitest'
import { compute, differences, type Input } from '../support/compute'

const x: Input = { shape: [2, 4], data: [1, 3, 5, 7, 10, 10, 40, 20] }

describe('normalization of samples by hand', () => {
  test('a row less its mean, by its deviation', () => {
    const { y, mean, variance } = compute(
      'layerNorm',
      { x },
      { y: [2, 4], mean: [2], variance: [2] },
      { axes: 1, epsilon: 4, activation: 'linear' },
    )
    expect([...mean!]).toEqual([4, 20])
    expect([...variance!]).toEqual([5, 150])
    expect([...y!.slice(0, 4)]).toEqual([-1, -1 / 3, 1 / 3, 1])
    expect(y![4]).toBeCloseTo(-10 / Math.sqrt(154), 12)
  })

  test('gamma and beta of each column, an activation, two axes in one row', () => {
    const inputs = {
      x: { shape: [1, 2, 2], data: [1, 3, 5, 7] },
      gamma: { shape: [2, 2], data: [3, 3, 6, 0] },
      beta: { shape: [2, 2], data: [1, 1, 1, -1] },
    }
    const { y } = compute('layerNorm', inputs, { y: [1, 2, 2] }, { axes: 2, epsilon: 4, activation: 'relu' })
    expect([...y!]).toEqual([0, 0, 3, 0])
  })

  test('by the root of the mean square', () => {
    const inputs = { x: { shape: [2, 2], data: [1, 7, 0, 0] }, gamma: { shape: [2], data: [11, 22] } }
    const { y, meanSquare } = compute('rmsNorm', inputs, { y: [2, 2], meanSquare: [2] }, { axes: 1, epsilon: 96, activation: 'linear' })
    expect([...meanSquare!]).toEqual([25, 0])
    expect([...y!]).toEqual([1, 14, 0, 0])
  })

  test('groups of channels over all positions of a sample', () => {
    const inputs = {
      x: { shape: [1, 2, 4], data: [1, 3, 10, 10, 5, 7, 40, 20] },
      gamma: { shape: [4], data: [3, 3, 1, 0] },
      beta: { shape: [4], data: [0, 1, 0, 5] },
    }
    const { y, mean, variance } = compute(
      'groupNorm',
      inputs,
      { y: [1, 2, 4], mean: [1, 2], variance: [1, 2] },
      { groups: 2, epsilon: 4, activation: 'linear' },
    )
    expect([...mean!]).toEqual([4, 20])
    expect([...variance!]).toEqual([5, 150])
    for (const [i, value] of [-3, 0, -10 / Math.sqrt(154), 5, 1, 4, 20 / Math.sqrt(154), 5].entries()) expect(y![i]).toBeCloseTo(value, 12)
  })
})

const wave = (length: number, phase: number) => Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + phase))

interface Pass {
  readonly op: string
  readonly attributes: Record<string, number>
  /** Of gamma and beta. */
  readonly shape: readonly number[]
  readonly statistics: Record<string, readonly number[]>
  readonly parameters: readonly string[]
}

const passes: Pass[] = [
  { op: 'layerNorm', attributes: { axes: 1 }, shape: [6], statistics: { mean: [3, 2], variance: [3, 2] }, parameters: ['gamma', 'beta'] },
  { op: 'layerNorm', attributes: { axes: 2 }, shape: [2, 6], statistics: { mean: [3], variance: [3] }, parameters: ['gamma', 'beta'] },
  { op: 'rmsNorm', attributes: { axes: 1 }, shape: [6], statistics: { meanSquare: [3, 2] }, parameters: ['gamma'] },
  { op: 'groupNorm', attributes: { groups: 3 }, shape: [6], statistics: { mean: [3, 3], variance: [3, 3] }, parameters: ['gamma', 'beta'] },
  { op: 'groupNorm', attributes: { groups: 6 }, shape: [6], statistics: { mean: [3, 6], variance: [3, 6] }, parameters: ['gamma', 'beta'] },
]

describe('the gradient by x, gamma and beta is that of finite differences', () => {
  for (const { op, attributes, shape, statistics, parameters } of passes)
    test(`${op} ${JSON.stringify(attributes)}`, () => {
      const size = shape.reduce((product, n) => product * n, 1)
      const whole = [3, 2, 6]
      const inputs: Record<string, { shape: readonly number[]; data: Float64Array }> = { x: { shape: whole, data: wave(36, 1) } }
      parameters.forEach((name, index) => {
        inputs[name] = { shape, data: wave(size, 2 + index) }
      })
      const dy = { shape: whole, data: wave(36, 4) }
      const all = { ...attributes, epsilon: 0.01, activation: 'linear' }
      const forward = () => compute(op, inputs, { y: whole, ...statistics }, all)
      const weighted = () => forward().y!.reduce((sum, y, i) => sum + y * dy.data[i]!, 0)
      const left = forward()
      const found = compute(
        `${op}Backward`,
        {
          dy,
          x: inputs.x!,
          gamma: inputs.gamma!,
          ...Object.fromEntries(Object.entries(statistics).map(([name, sizes]) => [name, { shape: sizes, data: left[name]! }])),
        },
        { dx: whole, ...Object.fromEntries(parameters.map((name) => [`d${name}`, shape])) },
        all,
      )
      for (const name of ['x', ...parameters])
        for (const [i, value] of differences(weighted, inputs[name]!.data).entries())
          expect(Math.abs(found[`d${name}`]![i]! - value), `d${name}[${i}]`).toBeLessThan(1e-8)
    })
})
