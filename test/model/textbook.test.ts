import { describe, expect, test } from 'vitest'
import { conv2d, dense, flatten, maxPool2d, sequential, sgd, type Tensor } from '../../lib/index'
import { randomTensor, runtimes } from '../support/models'

/** The smallest whole network: 5×5 → conv 2×2 → relu → pool 2×2 → dense 3, sigmoid → dense 2, sigmoid; quadratic cost. */
const smallest = (runtime: 'native' | 'reference') =>
  sequential(
    { input: [5, 5, 1], seed: 5, runtime },
    conv2d(1, 2, { activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(3, { activation: 'sigmoid' }),
    dense(2, { activation: 'sigmoid' }),
  ).compile({ optimizer: sgd({ learningRate: 1 }), loss: 'meanSquaredError' })

const x = randomTensor([1, 5, 5, 1], 8)
const y: Tensor = { shape: [1, 2], data: Float32Array.of(0, 1) }

/** The network in plain numbers: half the cost (z0 − y0)² + (z1 − y1)², as the mean over two outputs has it. */
function cost(weights: Record<string, Tensor>): number {
  const of = (name: string) => weights[name]!.data
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
  const map = (r: number, c: number) => {
    let z = of('conv2d/bias')[0]!
    for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) z += of('conv2d/kernel')[i * 2 + j]! * x.data[(r + i) * 5 + c + j]! // biome-ignore format: one window
    return Math.max(0, z)
  }
  const pooled = [0, 2].flatMap((r) => [0, 2].map((c) => Math.max(map(r, c), map(r, c + 1), map(r + 1, c), map(r + 1, c + 1))))
  const layer = (values: number[], name: string, units: number) =>
    Array.from({ length: units }, (_, unit) =>
      sigmoid(values.reduce((sum, value, index) => sum + value * of(`${name}/kernel`)[index * units + unit]!, of(`${name}/bias`)[unit]!)),
    )
  const z = layer(layer(pooled, 'dense', 3), 'dense_1', 2)
  return (z[0]! ** 2 + (z[1]! - 1) ** 2) / 2
}

describe.each(runtimes)('the smallest network of the text books (%s)', (runtime) => {
  test('has 28 parameters and the cost that its formulas give', async () => {
    const model = smallest(runtime)
    expect(model.summary().layers.map(({ parameters }) => parameters)).toEqual([5, 0, 0, 15, 8])
    const { loss } = await model.evaluate({ x, y })
    expect(loss).toBeCloseTo(cost(await model.getWeights()), 6)
  })

  test('one step of rate 1 moves each of them by its gradient, as finite differences of the formulas have it', async () => {
    const model = smallest(runtime)
    const before = await model.getWeights()
    await model.trainOnBatch(x, y)
    const after = await model.getWeights()
    let moved = 0
    for (const [name, { data }] of Object.entries(before)) {
      data.forEach((value, index) => {
        const at = (shift: number) => {
          const shifted = Object.fromEntries(
            Object.entries(before).map(([key, tensor]) => [key, { ...tensor, data: Float64Array.from(tensor.data) }]),
          )
          shifted[name]!.data[index] = value + shift
          return cost(shifted as never)
        }
        const gradient = (at(1e-5) - at(-1e-5)) / 2e-5
        const step = value - after[name]!.data[index]!
        expect(Math.abs(step - gradient), `${name}[${index}]`).toBeLessThan(1e-6)
        if (gradient !== 0) moved++
      })
    }
    expect(moved).toBeGreaterThan(20)
  })
})
