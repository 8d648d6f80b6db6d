import { describe, expect, test } from 'vitest'
import { compute, differences, type Input, sizeOf } from '../support/compute'

const window = (size: number[], changes = {}) => ({
  size,
  stride: size.map(() => 1),
  padding: size.map(() => [0, 0]),
  dilation: size.map(() => 1),
  ...changes,
})
const row: Input = { shape: [1, 5, 1], data: [3, -1, 4, 1, -5] }
const cube: Input = { shape: [1, 2, 2, 2, 1], data: [1, 2, 3, 4, 5, 6, 7, 8] }
const run = (op: string, x: Input, y: number[], attributes = {}, input = 'x', output = 'y') =>
  Array.from(compute(op, { [input]: x }, { [output]: y }, attributes)[output]!)

describe('along one axis and three', () => {
  test('maxima and their positions', () => {
    const { y, positions } = compute('maxPool1d', { x: row }, { y: [1, 3, 1], positions: [1, 3, 1] }, window([3]))
    expect([Array.from(y!), Array.from(positions!)]).toEqual([
      [4, 4, 4],
      [2, 1, 0],
    ])
    const deep = compute('maxPool3d', { x: cube }, { y: [1, 1, 2, 1, 1], positions: [1, 1, 2, 1, 1] }, window([2, 1, 2]))
    expect([Array.from(deep.y!), Array.from(deep.positions!)]).toEqual([
      [6, 8],
      [3, 3],
    ])
    const inputs = { dy: { shape: [1, 3, 1], data: [1, 2, 3] }, positions: { shape: [1, 3, 1], data: [2, 1, 0] } }
    expect(Array.from(compute('maxPool1dBackward', inputs, { dx: [1, 5, 1] }, window([3])).dx!)).toEqual([0, 0, 6, 0, 0])
  })

  test('means, padding counted or not', () => {
    const causal = window([2], { padding: [[1, 0]] })
    expect(run('averagePool1d', row, [1, 5, 1], { ...causal, countPadding: false })).toEqual([3, 1, 1.5, 2.5, -2])
    expect(run('averagePool1d', row, [1, 5, 1], { ...causal, countPadding: true })).toEqual([1.5, 1, 1.5, 2.5, -2])
    expect(run('averagePool3d', cube, [1, 1, 1, 2, 1], { ...window([2, 2, 1]), countPadding: false })).toEqual([4, 5])
  })
})

describe('Lp pooling', () => {
  test('the root of the sum of squares, of magnitudes, of cubes', () => {
    const image: Input = { shape: [1, 2, 2, 1], data: [1, -2, -2, 4] }
    const lp = (p: number) => run('lpPool2d', image, [1, 1, 1, 1], { ...window([2, 2]), p })[0]
    expect(lp(2)).toBe(5)
    expect(lp(1)).toBe(9)
    expect(lp(3)).toBeCloseTo(81 ** (1 / 3), 12)
    const [first, second] = run('lpPool1d', row, [1, 2, 1], { ...window([2], { stride: [4], padding: [[1, 2]] }), p: 2 })
    expect(first).toBe(3)
    expect(second).toBeCloseTo(Math.sqrt(26), 12)
  })

  test('its gradient is x / y for p = 2, and nothing where all is zero', () => {
    const x: Input = { shape: [1, 4, 1], data: [3, -4, 0, 0] }
    const inputs = { x, y: { shape: [1, 2, 1], data: [5, 0] }, dy: { shape: [1, 2, 1], data: [10, 7] } }
    const attributes = { ...window([2], { stride: [2] }), p: 2 }
    expect(Array.from(compute('lpPool1dBackward', inputs, { dx: [1, 4, 1] }, attributes).dx!)).toEqual([6, -8, 0, 0])
  })

  test.each([1, 1.5, 2, 5])('finite differences, p = %d', (p) => {
    const shape = [1, 3, 2, 3, 2]
    const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(7.3 * i + 1) + 0.01)
    const attributes = { ...window([2, 1, 2], { padding: [[1, 0], [0, 0], [0, 1]], stride: [1, 1, 2] }), p } // biome-ignore format: one line
    const forward = () => compute('lpPool3d', { x: { shape, data } }, { y: [1, 3, 2, 2, 2] }, attributes).y!
    const dy = { shape: [1, 3, 2, 2, 2], data: Float64Array.from({ length: 24 }, (_, i) => Math.cos(i)) }
    const y = { shape: [1, 3, 2, 2, 2], data: forward() }
    const { dx } = compute('lpPool3dBackward', { x: { shape, data }, y, dy }, { dx: shape }, attributes)
    const numeric = differences(() => forward().reduce((sum, value, i) => sum + value * dy.data[i]!, 0), data)
    for (const [i, value] of numeric.entries()) expect(Math.abs(dx![i]! - value)).toBeLessThan(1e-7)
  })
})

describe('adaptive average', () => {
  const line = (...data: number[]): Input => ({ shape: [1, data.length, 1], data })

  test("PyTorch's bins: from the floor to the ceiling, overlapping where they must", () => {
    expect(run('adaptiveAveragePool1d', line(1, 2, 3, 4, 5), [1, 2, 1])).toEqual([2, 4])
    expect(run('adaptiveAveragePool1d', line(1, 2, 3, 4, 5), [1, 3, 1])).toEqual([1.5, 3, 4.5])
    expect(run('adaptiveAveragePool1d', line(1, 2, 3, 4), [1, 2, 1])).toEqual([1.5, 3.5])
    expect(run('adaptiveAveragePool1d', line(1, 2), [1, 3, 1])).toEqual([1, 1.5, 2])
  })

  test('along several axes, and its gradient', () => {
    const image: Input = { shape: [1, 2, 3, 1], data: [1, 2, 3, 4, 5, 6] }
    expect(run('adaptiveAveragePool2d', image, [1, 1, 2, 1])).toEqual([3, 4])
    expect(run('adaptiveAveragePool3d', cube, [1, 2, 1, 1, 1])).toEqual([2.5, 6.5])
    expect(run('adaptiveAveragePool2dBackward', { shape: [1, 1, 2, 1], data: [4, 8] }, [1, 2, 3, 1], {}, 'dy', 'dx')).toEqual([
      1, 3, 2, 1, 3, 2,
    ])
  })
})
