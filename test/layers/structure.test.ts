import { describe, expect, test } from 'vitest'
import type { Value } from '../../lib/graph/value'
import {
  crop1d,
  crop2d,
  crop3d,
  identityShortcut,
  input,
  type Layer,
  linear,
  maxout,
  multiply,
  network,
  permute,
  prelu,
  reshape,
  resize1d,
  resize2d,
  resize3d,
  rnn,
  sequential,
  sgd,
  spatialDropout,
  upsample1d,
  upsample2d,
  upsample3d,
  zeroPad1d,
  zeroPad2d,
  zeroPad3d,
} from '../../lib/index'
import { checkGradients } from '../../lib/ops'
import { type Tensor, tensor } from '../../lib/tensor'
import { expectError } from '../support/models'
import { Random } from '../support/random'

const numbers = (...shape: number[]): Tensor => {
  const random = new Random(shape.length + shape[0]!)
  return tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.between(-1, 1)),
    shape,
  )
}
/** The layer as a function of its inputs and then its parameters, in their order. */
const built =
  (layer: Layer, parameters: readonly string[] = [], training = false) =>
  (...values: Value[]): Value => {
    const inputs = values.slice(0, values.length - parameters.length)
    const parameter = (name: string) => values[inputs.length + parameters.indexOf(name)]!
    return layer.build({ name: layer.name, training, stream: 3, parameter, average: () => {} }, inputs)
  }

describe('results', () => {
  const run = async (layer: Layer, x: Tensor) => {
    const node = input(x.shape.slice(1))
    const y = await network({ inputs: node, outputs: (layer as Layer<'any', 'same'>).apply(node) }).predict(x)
    return { shape: [...y.shape], data: Array.from(y.data) }
  }
  const x = tensor([1, 2, 3, 4, 5, 6], [1, 2, 3])

  test('reshape keeps the order of the numbers', async () => {
    expect(await run(reshape([3, 2, 1]), x)).toEqual({ shape: [1, 3, 2, 1], data: [1, 2, 3, 4, 5, 6] })
  })

  test('permute counts axes from 1', async () => {
    expect(await run(permute([2, 1]), x)).toEqual({ shape: [1, 3, 2], data: [1, 4, 2, 5, 3, 6] })
  })

  test('upsample2d repeats pixels', async () => {
    const image = tensor([1, 10, 2, 20], [1, 1, 2, 2])
    expect(await run(upsample2d([2, 3]), image)).toEqual({
      shape: [1, 2, 6, 2],
      data: [...[1, 10, 1, 10, 1, 10, 2, 20, 2, 20, 2, 20], ...[1, 10, 1, 10, 1, 10, 2, 20, 2, 20, 2, 20]],
    })
  })

  test('identityShortcut keeps every so many rows and columns, and adds channels of zeros', async () => {
    const image = tensor([1, 2, 3, 4, 5, 6], [1, 3, 2, 1])
    expect(await run(identityShortcut(2, { stride: 2 }), image)).toEqual({ shape: [1, 2, 1, 2], data: [1, 0, 5, 0] })
    expect(await run(identityShortcut(1, { stride: [1, 2] }), image)).toEqual({ shape: [1, 3, 1, 1], data: [1, 3, 5] })
    expect(await run(identityShortcut(1), image)).toEqual({ shape: [1, 3, 2, 1], data: [1, 2, 3, 4, 5, 6] })
    await expectError(
      () => identityShortcut(2).apply(input([4, 4, 3])),
      'INVALID_SHAPE',
      "identityShortcut: filters must be at least the input's 3 channels, received 2",
    )
  })

  test('upsampling between pixels, and to sizes', async () => {
    const row = tensor([1, 2], [1, 2, 1])
    expect((await run(upsample1d(2), row)).data).toEqual([1, 1, 2, 2])
    expect((await run(upsample1d(2, { interpolation: 'linear' }), row)).data).toEqual([1, 1.25, 1.75, 2])
    expect((await run(resize1d(3), row)).data).toEqual([1, 1.5, 2])
    const image = tensor([0, 4, 8, 16], [1, 2, 2, 1])
    const larger = await run(upsample2d(2, { interpolation: 'bilinear' }), image)
    expect(larger).toEqual({ shape: [1, 4, 4, 1], data: [0, 1, 3, 4, 2, 3.25, 5.75, 7, 6, 7.75, 11.25, 13, 8, 10, 14, 16] })
    expect(await run(resize2d(4), image)).toEqual(larger)
    expect((await run(resize2d([1, 2]), image)).data).toEqual([4, 10])
    const cube = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2, 1])
    expect((await run(upsample3d([1, 1, 2]), cube)).data).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8])
    expect(await run(upsample3d(2, { interpolation: 'trilinear' }), cube)).toEqual(await run(resize3d([4, 4, 4]), cube))
    expect(await run(resize3d(1), cube)).toEqual({ shape: [1, 1, 1, 1, 1], data: [4.5] })
  })

  test('zeros around, and sides cut off, by number, by axis, by side', async () => {
    expect(await run(zeroPad1d([1, 0]), x)).toEqual({ shape: [1, 3, 3], data: [0, 0, 0, 1, 2, 3, 4, 5, 6] })
    const image = tensor([1, 2, 3, 4, 5, 6], [1, 2, 3, 1])
    expect((await run(zeroPad2d([0, 1]), image)).data).toEqual([0, 1, 2, 3, 0, 0, 4, 5, 6, 0])
    const sides = [
      [0, 1],
      [2, 0],
    ] as const
    expect(await run(zeroPad2d(sides), image)).toEqual({ shape: [1, 3, 5, 1], data: [0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0] })
    expect((await run(crop2d(sides), image)).data).toEqual([3])
    expect((await run(crop2d([0, 1]), image)).data).toEqual([2, 5])
    expect((await run(crop1d([1, 0]), x)).data).toEqual([4, 5, 6])
    const cube = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2, 1])
    const behind = [
      [0, 1],
      [0, 0],
      [1, 0],
    ] as const
    expect((await run(crop3d(behind), cube)).data).toEqual([2, 4])
    expect((await run(zeroPad3d(1), cube)).shape).toEqual([1, 4, 4, 4, 1])
    const there = zeroPad3d([1, 0, 2])
    const node = input([2, 2, 2, 1])
    const back = network({ inputs: node, outputs: crop3d([1, 0, 2]).apply(there.apply(node)) })
    expect((await back.predict(cube)).data).toEqual(cube.data)
  })

  test('maxout takes the largest piece of each unit', async () => {
    expect(await run(maxout(3), tensor([1, 9, 4, 2, 3, 3], [1, 6]))).toEqual({ shape: [1, 2], data: [4, 9] })
    expect(await run(maxout(3), x)).toEqual({ shape: [1, 2, 1], data: [3, 6] })
  })

  test('linear leaves everything as it is', async () => {
    expect(await run(linear(), x)).toEqual({ shape: [1, 2, 3], data: [1, 2, 3, 4, 5, 6] })
  })

  test('prelu: slopes shared along the axes that are named', async () => {
    const images = tensor([-1, -2, -3, -4, 5, -6], [1, 3, 2])
    for (const [sharedAxes, shape, slopes, y] of [
      [[], [3, 2], [1, 2, 3, 4, 5, 6], [-1, -4, -9, -16, 5, -36]],
      [[1], [1, 2], [1, 2], [-1, -4, -3, -8, 5, -12]],
      [[2], [3, 1], [1, 2, 3], [-1, -2, -6, -8, 5, -18]],
      [[1, 2], [1, 1], [2], [-2, -4, -6, -8, 5, -12]],
    ] as const) {
      const model = sequential({ input: [3, 2] }, prelu({ sharedAxes }))
      await model.setWeights({ 'prelu/alpha': tensor(slopes, shape) })
      expect(Array.from((await model.predict(images)).data)).toEqual(y)
    }
  })

  test('prelu begins as relu, and has a slope for each channel', async () => {
    const row = tensor([1, -2, -3, 4], [2, 2])
    const model = sequential({ input: [2] }, prelu())
    expect(Array.from((await model.predict(row)).data)).toEqual([1, 0, 0, 4])
    await model.setWeights({ 'prelu/alpha': tensor([0.5, 0.25], [2]) })
    expect(Array.from((await model.predict(row)).data)).toEqual([1, -0.5, -1.5, 4])
  })

  test('multiply, of three', async () => {
    const [a, b] = [input([2]), input([2])]
    const model = network({ inputs: [a, b], outputs: multiply().apply(a, b, a) })
    expect(Array.from((await model.predict([tensor([2, 3], [1, 2]), tensor([5, -1], [1, 2])])).data)).toEqual([20, -9])
  })

  test('a long sequence is a program that is made in time, and computes what a loop does', async () => {
    const length = 3000
    const model = sequential({ input: [length, 1] }, rnn(1))
    const one = (value: number, shape: number[]) => ({ shape, data: Float32Array.of(value) })
    await model.setWeights({ 'rnn/kernel': one(0.5, [1, 1]), 'rnn/recurrentKernel': one(0.75, [1, 1]), 'rnn/bias': one(0.25, [1]) })
    model.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: 'meanSquaredError' })
    expect(model.summary().multiplyAdds).toBe(2 * length - 1)
    const data = Float32Array.from({ length }, (_, step) => Math.sin(step))
    const state = data.reduce((before, x) => Math.tanh(0.5 * x + 0.75 * before + 0.25), 0)
    const x = { shape: [1, length, 1], data }
    expect((await model.predict(x)).data[0]).toBeCloseTo(state, 5)
    const { loss } = await model.trainOnBatch(x, one(1, [1, 1]))
    expect(loss).toBeCloseTo((state - 1) ** 2, 5)
    // One step down the gradient of the bias, by central differences.
    const lossAt = (bias: number) => (data.reduce((before, x) => Math.tanh(0.5 * x + 0.75 * before + bias), 0) - 1) ** 2
    const slope = (lossAt(0.251) - lossAt(0.249)) / 0.002
    expect((await model.getWeights())['rnn/bias']!.data[0]).toBeCloseTo(0.25 - 0.5 * slope, 4)
  })

  test('rnn by hand: the last state, all states, outputs of all states', async () => {
    const steps = tensor([1, 2, -10], [1, 3, 1])
    const weights = { kernel: tensor([2], [1, 1]), recurrentKernel: tensor([3], [1, 1]), bias: tensor([1], [1]) }
    const named = (extra: Record<string, Tensor> = {}) =>
      Object.fromEntries(Object.entries({ ...weights, ...extra }).map(([name, value]) => [`rnn/${name}`, value]))
    // relu(2·1 + 1) = 3; relu(2·2 + 3·3 + 1) = 14; relu(−20 + 3·14 + 1) = 23
    const last = sequential({ input: [3, 1] }, rnn(1, { activation: 'relu' }))
    await last.setWeights(named())
    expect(await last.predict(steps)).toMatchObject({ shape: [1, 1], data: Float32Array.of(23) })
    const all = sequential({ input: [3, 1] }, rnn(1, { activation: 'relu', all: true }))
    await all.setWeights(named())
    expect(await all.predict(steps)).toMatchObject({ shape: [1, 3, 1], data: Float32Array.of(3, 14, 23) })
    const outputs = sequential({ input: [3, 1] }, rnn(1, { activation: 'relu', all: true, outputs: 2 }))
    await outputs.setWeights(named({ outputKernel: tensor([1, -1], [1, 2]), outputBias: tensor([0, 5], [2]) }))
    expect(await outputs.predict(steps)).toMatchObject({ shape: [1, 3, 2], data: Float32Array.of(3, 2, 14, -9, 23, -18) })
  })
})

test('spatialDropout drops channels of a sample whole, and nothing in inference', async () => {
  const x = input([4, 5, 8])
  const y = spatialDropout(0.5).apply(x)
  const ones = tensor(new Array(3 * 160).fill(1), [3, 4, 5, 8])
  expect((await network({ inputs: x, outputs: y }).predict(ones)).data.every((value) => value === 1)).toBe(true)
  const errors = checkGradients(built(spatialDropout(0.5), [], true), [numbers(3, 2, 2, 4)])
  expect(errors[0]!.error).toBeLessThan(1e-6)
})

describe('gradients against central differences', () => {
  const recurrent = ['kernel', 'recurrentKernel', 'bias']
  const cases: [name: string, fn: (...values: Value[]) => Value, inputs: Tensor[]][] = [
    ['reshape', built(reshape([2, 3])), [numbers(2, 6)]],
    ['permute', built(permute([3, 1, 2])), [numbers(2, 2, 3, 4)]],
    ['upsample2d', built(upsample2d(2)), [numbers(2, 2, 3, 2)]],
    ['identityShortcut', built(identityShortcut(4, { stride: 2 })), [numbers(2, 3, 4, 2)]],
    ['upsample1d, linear', built(upsample1d(3, { interpolation: 'linear' })), [numbers(2, 3, 2)]],
    ['upsample2d, bilinear', built(upsample2d([2, 3], { interpolation: 'bilinear' })), [numbers(2, 2, 3, 2)]],
    ['upsample3d', built(upsample3d(2)), [numbers(1, 2, 2, 2, 1)]],
    ['resize2d', built(resize2d([2, 5])), [numbers(2, 3, 3, 2)]],
    ['zeroPad2d', built(zeroPad2d([1, 2])), [numbers(2, 2, 3, 2)]],
    ['crop2d', built(crop2d([1, 0])), [numbers(2, 3, 3, 2)]],
    ['maxout', built(maxout(2)), [numbers(2, 3, 4)]],
    ['prelu, a slope for each element', built(prelu({ sharedAxes: [] }), ['alpha']), [numbers(3, 4, 5), numbers(4, 5)]],
    ['multiply', built(multiply()), [numbers(2, 3), numbers(2, 3), numbers(2, 3)]],
    ['prelu', built(prelu(), ['alpha']), [numbers(3, 4, 5), numbers(5)]],
    ['rnn', built(rnn(3), recurrent), [numbers(2, 4, 2), numbers(2, 3), numbers(3, 3), numbers(3)]],
    [
      'rnn with all outputs, sigmoid',
      built(rnn(3, { all: true, outputs: 2, activation: 'sigmoid' }), [...recurrent, 'outputKernel', 'outputBias']),
      [numbers(2, 3, 2), numbers(2, 3), numbers(3, 3), numbers(3), numbers(3, 2), numbers(2)],
    ],
  ]
  test.each(cases)('%s', (_name, fn, inputs) => {
    for (const error of checkGradients(fn, inputs)) expect(error!.error).toBeLessThan(1e-6)
  })
})
