import { describe, expect, test } from 'vitest'
import { adam, add, conv2d, dense, flatten, input, type Layer, type Model, maxPool2d, network, relu, sequential } from '../../lib/index'
import { expectError, randomTensor } from '../support/models'

const reference = { runtime: 'reference' } as const
const namesOf = (model: Model<never, unknown>) => model.summary().layers.map(({ name }) => name)

describe('names', () => {
  test('given ones stay, the others are numbered by type', () => {
    const layers = [conv2d(2, 3), conv2d(2, 3, { name: 'stem' }), conv2d(2, 1), relu(), flatten(), dense(3, { name: 'dense' }), dense(2)]
    const model = sequential({ input: [8, 8, 1] }, ...(layers as Layer[]))
    expect(namesOf(model)).toEqual(['conv2d', 'stem', 'conv2d_1', 'relu', 'flatten', 'dense', 'dense_1'])
  })

  test('a number is passed over when somebody has it', () => {
    const model = sequential({ input: [4] }, dense(1), dense(1, { name: 'dense_1' }), dense(1), dense(1, { name: 'dense' }))
    expect(namesOf(model)).toEqual(['dense_2', 'dense_1', 'dense_3', 'dense'])
  })

  test('weights are named layer/parameter, in the order of the layers', async () => {
    const model = sequential({ input: [8, 8, 1], ...reference }, conv2d(2, 3), conv2d(3, 3, { bias: false }), flatten(), dense(2))
    const weights = await model.getWeights()
    expect(Object.entries(weights).map(([name, { shape }]) => [name, shape])).toEqual([
      ['conv2d/kernel', [3, 3, 1, 2]],
      ['conv2d/bias', [2]],
      ['conv2d_1/kernel', [3, 3, 2, 3]],
      ['dense/kernel', [48, 2]],
      ['dense/bias', [2]],
    ])
  })

  test('one name twice is refused', () =>
    expectError(
      () => sequential({ input: [4] }, dense(1, { name: 'a' }), dense(1, { name: 'a' })),
      'INVALID_ARGUMENT',
      'two of its parts have the name "a"',
    ))
})

describe('summary', () => {
  test('shapes, parameters and multiply-adds of each layer, and their sums', () => {
    const model = sequential(
      { input: [28, 28, 1] },
      conv2d(32, 3, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      conv2d(64, 5, { padding: 'same', activation: 'relu' }),
      maxPool2d(2),
      flatten(),
      dense(128, { activation: 'relu' }),
      dense(10),
    )
    const summary = model.summary()
    expect(summary.inputs).toEqual([{ name: 'input', shape: [null, 28, 28, 1] }])
    expect(summary.layers.map(({ type, outputShape, parameters, multiplyAdds }) => [type, outputShape, parameters, multiplyAdds])).toEqual([
      ['conv2d', [null, 28, 28, 32], 320, 28 * 28 * 9 * 32],
      ['maxPool2d', [null, 14, 14, 32], 0, 0],
      ['conv2d', [null, 14, 14, 64], 51_264, 14 * 14 * 25 * 32 * 64],
      ['maxPool2d', [null, 7, 7, 64], 0, 0],
      ['flatten', [null, 3136], 0, 0],
      ['dense', [null, 128], 401_536, 3136 * 128],
      ['dense', [null, 10], 1290, 1280],
    ])
    expect(summary.parameters).toBe(454_410)
    expect(summary.multiplyAdds).toBe(225_792 + 10_035_200 + 401_408 + 1280)
    const { memory } = model.summary({ batchSize: 8 })
    expect(memory).toMatchObject({
      weightBytes: 454_410 * 4,
      stateBytes: 4 * (288 + 32 + 51_200 + 64 + 401_408 + 128 + 1280 + 16),
      batchSize: 8,
    })
    // Two layers at a time: what a layer reads and what it writes.
    expect(memory.arenaBytes).toBe(4 * 8 * (28 * 28 * 32 + 14 * 14 * 32))
    model.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
    const trained = model.summary({ batchSize: 8 }).memory
    expect(trained.stateBytes).toBe(3 * memory.stateBytes)
    expect(trained.arenaBytes).toBeGreaterThan(memory.arenaBytes)
    const lines = `${summary}`.split('\n')
    expect(lines).toHaveLength(2 + 1 + 7 + 1 + 1)
    expect(lines.find((line) => line.startsWith('conv2d_1'))).toMatch(/^conv2d_1 +conv2d +\[N, 14, 14, 64\] +51,264 +10,035,200$/)
  })

  test('text-book numbers: a dense layer of 784 to 30, sixteen 4×4 maps on one channel', () => {
    expect(sequential({ input: [784] }, dense(30)).summary().parameters).toBe(23_550)
    expect(sequential({ input: [28, 28, 1] }, conv2d(16, 4)).summary().layers[0]).toMatchObject({
      outputShape: [null, 25, 25, 16],
      parameters: 272,
    })
  })
})

describe('graphs', () => {
  test('a layer used twice has one set of weights', async () => {
    const [a, b] = [input([3]), input([3], { name: 'other' })]
    const shared = dense(2, { name: 'shared' })
    const model = network({ inputs: [a, b], outputs: [shared.apply(a), shared.apply(b)], ...reference })
    expect(model.summary().layers.map(({ parameters }) => parameters)).toEqual([8, 0])
    expect(Object.keys(await model.getWeights())).toEqual(['shared/kernel', 'shared/bias'])
    const x = randomTensor([4, 3], 1)
    const [first, second] = await model.predict({ input: x, other: x })
    expect(second).toEqual(first)
  })

  test('a node may feed several layers, and an input may be an output', async () => {
    const x = input([3])
    const h = dense(3).apply(x)
    const model = network({ inputs: x, outputs: [add().apply(h, h, x), x], ...reference })
    const samples = randomTensor([2, 3], 2)
    const [sum, same] = await model.predict(samples)
    expect(same).toEqual(samples)
    const { 'dense/kernel': kernel } = await model.getWeights()
    const product = [0, 1, 2].reduce((total, c) => total + samples.data[c]! * kernel!.data[c * 3]!, 0)
    expect(sum.data[0]).toBeCloseTo(2 * product + samples.data[0]!, 5)
  })

  test('thousands of layers', () => {
    const x = input([2])
    let y = dense(2).apply(x)
    for (let i = 0; i < 5000; i++) y = relu().apply(y)
    expect(network({ inputs: x, outputs: y }).summary().layers).toHaveLength(5001)
  })

  test('what does not hang together is refused', async () => {
    const [x, z] = [input([2]), input([2])]
    const y = dense(1).apply(x)
    await expectError(() => network({ inputs: z, outputs: y }), 'INVALID_ARGUMENT', 'needs an input [N, 2] that is not among the inputs')
    await expectError(() => network({ inputs: [x, x], outputs: y }), 'INVALID_ARGUMENT', 'inputs must be different nodes')
    await expectError(() => network({ inputs: y, outputs: y }), 'INVALID_ARGUMENT', 'inputs must be different nodes made by input()')
    await expectError(() => network({ inputs: x, outputs: [] }), 'INVALID_ARGUMENT', 'outputs must be a node or an array of nodes')
    await expectError(() => network({ inputs: x, outputs: 3 as never }), 'INVALID_ARGUMENT', 'outputs must be a node')
    const shared = dense(2)
    const outputs = [shared.apply(x), shared.apply(input([3]))]
    await expectError(() => network({ inputs: x, outputs }), 'INVALID_ARGUMENT', 'not among the inputs')
    const three = input([3])
    const both = [shared.apply(x), shared.apply(three)]
    await expectError(
      () => network({ inputs: [x, three], outputs: both }),
      'INVALID_SHAPE',
      'dense "dense": used twice, but dense/kernel would have shape [3, 2]',
    )
  })

  test('what is no layer, no option, no runtime is refused', async () => {
    await expectError(() => sequential({ input: [2] }, 3 as never), 'INVALID_ARGUMENT', 'sequential: layers must be layers, received 3')
    await expectError(() => sequential({ input: [2], size: 3 } as never, dense(1)), 'INVALID_ARGUMENT', 'unknown option "size"')
    await expectError(() => sequential({ input: [2], seed: 0.5 }, dense(1)), 'INVALID_ARGUMENT', 'seed must be a whole number')
    await expectError(
      () => sequential({ input: [2], runtime: 'gpu' as never }, dense(1)),
      'INVALID_ARGUMENT',
      "runtime must be 'native' or 'reference'",
    )
    await expectError(
      () => sequential({ input: [4, 4, 3], normalize: { scale: [1, 2], offset: 0 } }, flatten()),
      'INVALID_ARGUMENT',
      'normalize.scale',
    )
    await expectError(() => sequential({ input: [2] }, dense(1)).summary({ batchSize: 0 }), 'INVALID_ARGUMENT', 'summary: batchSize')
    await expectError(() => sequential({ input: [2 ** 20] }, dense(2 ** 30)), 'INVALID_SHAPE', 'has more than 2^40 elements')
  })
})
