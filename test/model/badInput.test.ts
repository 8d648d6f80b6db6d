import { describe, expect, test } from 'vitest'
import {
  adam,
  type ConvlaneError,
  conv2d,
  dense,
  digits,
  type ErrorCode,
  flatten,
  maxPool2d,
  sequential,
  sgd,
  weightsSha256,
} from '../../lib/index'
import { errorOf, expectError, randomTensor, runtimes, someLabels } from '../support/models'

const x = randomTensor([6, 5, 5, 1], 1)
const y = someLabels(6, 3)
const floats = (shape: number[], data: Float32Array = new Float32Array(shape.reduce((product, size) => product * size, 1))) => ({
  shape,
  data,
})
const labels = (...values: number[]) => ({ shape: [values.length] as const, data: Int32Array.from(values) })
const optimizer = sgd({ learningRate: 0.1 })

function detached(length: number): Float32Array {
  const data = new Float32Array(length)
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}
const shared = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length)) as Float32Array<never>
// @ts-expect-error: resizable buffers are newer than the library that is compiled against
const resizable = (length: number) => new Float32Array(new ArrayBuffer(4 * length, { maxByteLength: 8 * length }))

type Case = [what: string, data: unknown, code: ErrorCode, message: string]
const badSamples: Case[] = [
  ['nothing', undefined, 'INVALID_ARGUMENT', 'x must be a tensor { shape, data }, received undefined'],
  ['a plain array', [1, 2], 'INVALID_ARGUMENT', 'x must be 1 tensors'],
  ['no shape', { data: x.data }, 'INVALID_TENSOR', 'x must be a tensor'],
  [
    'numbers that are no typed array',
    { shape: [1, 5, 5, 1], data: new Array(25).fill(0) },
    'INVALID_TENSOR',
    'the data of x must be a Float32Array or Uint8Array, received [0, 0,',
  ],
  ['another rank', floats([6, 25]), 'INVALID_SHAPE', 'x must have shape [N, 5, 5, 1], received [6, 25]'],
  ['another size', floats([6, 5, 4, 1]), 'INVALID_SHAPE', 'x must have shape [N, 5, 5, 1], received [6, 5, 4, 1]'],
  ['doubles', { shape: [1, 5, 5, 1], data: new Float64Array(25) }, 'INVALID_DTYPE', 'received Float64Array'],
  ['class numbers', { shape: [1, 5, 5, 1], data: new Int32Array(25) }, 'INVALID_DTYPE', 'received Int32Array'],
  ['no samples', floats([0, 5, 5, 1]), 'INVALID_SHAPE', 'sizes must be positive integers'],
  ['a fractional size', { shape: [1.5, 5, 5, 1], data: x.data }, 'INVALID_SHAPE', 'sizes must be positive integers'],
  ['a size of NaN', { shape: [Number.NaN, 5, 5, 1], data: x.data }, 'INVALID_SHAPE', 'sizes must be positive integers'],
  ['a negative size', { shape: [-1, 5, 5, 1], data: x.data }, 'INVALID_SHAPE', 'sizes must be positive integers'],
  ['sizes that overflow', { shape: [2 ** 50, 5, 5, 1], data: x.data }, 'INVALID_SHAPE', 'more than 2^40 elements'],
  ['fewer numbers than the shape has', { shape: [7, 5, 5, 1], data: x.data }, 'INVALID_TENSOR', '175 elements, but its data has 150'],
  ['a detached buffer', floats([1, 5, 5, 1], detached(25)), 'INVALID_TENSOR', 'detached'],
  ['a shared buffer', floats([1, 5, 5, 1], shared(25)), 'INVALID_TENSOR', 'SharedArrayBuffer'],
  ['a resizable buffer', floats([1, 5, 5, 1], resizable(25)), 'INVALID_TENSOR', 'resizable'],
]
const badTargets: Case[] = [
  ['nothing', undefined, 'INVALID_ARGUMENT', 'y must be a tensor'],
  ['too few labels', labels(0, 1, 2), 'INVALID_SHAPE', 'y must have shape [6], received [3]'],
  ['a label too large', labels(0, 1, 2, 0, 3, 0), 'INVALID_LABEL', 'y has label 3 at row 4, expected 0 to 2'],
  ['a negative label', labels(0, 1, -1, 0, 1, 0), 'INVALID_LABEL', 'y has label -1 at row 2, expected 0 to 2'],
  ['labels of rank 2', { shape: [6, 1], data: new Int32Array(6) }, 'INVALID_SHAPE', 'y must have shape [6], received [6, 1]'],
  ['a distribution over other classes', floats([6, 4]), 'INVALID_SHAPE', 'y must have shape [6, 3], received [6, 4]'],
  ['labels as floats', floats([6]), 'INVALID_SHAPE', 'y must have shape [6, 3], received [6]'],
  ['labels as doubles', { shape: [6], data: new Float64Array(6) }, 'INVALID_DTYPE', 'received Float64Array'],
  ['a detached buffer', floats([6, 3], detached(18)), 'INVALID_TENSOR', 'detached'],
  ['a shared buffer', floats([6, 3], shared(18)), 'INVALID_TENSOR', 'SharedArrayBuffer'],
  ['a resizable buffer', floats([6, 3], resizable(18)), 'INVALID_TENSOR', 'resizable'],
]
const badFitOptions: [what: string, options: object, message: string][] = [
  ['fractional epochs', { epochs: 1.5 }, 'fit: epochs must be a positive integer, received 1.5'],
  ['no epochs', { epochs: 0 }, 'fit: epochs'],
  ['a batch of NaN', { batchSize: Number.NaN }, 'fit: batchSize must be a positive integer, received NaN'],
  ['an infinite batch', { batchSize: Number.POSITIVE_INFINITY }, 'fit: batchSize'],
  ['a shuffle that is no boolean', { shuffle: 'yes' }, 'fit: shuffle must be true or false, received "yes"'],
  ['a fractional seed', { seed: 0.5 }, 'fit: seed must be a whole number'],
  ['a signal that is none', { signal: true }, 'fit: signal must be an AbortSignal'],
  ['callbacks that are no array', { callbacks: {} }, 'fit: callbacks must be an array'],
  ['a hook that is no function', { onStep: 3 }, 'fit: onStep must be a function'],
  ['an option that there is not', { batchsize: 3 }, 'fit: unknown option "batchsize"'],
  ['validation data that does not fit', { validationData: { x, y: labels(0, 1, 2, 0, 1, 9) } }, 'fit: validationData: y has label 9'],
]
const badCompileOptions: [what: string, options: () => object, message: string][] = [
  ['no options', () => undefined as never, 'compile: options must be an object'],
  ['no optimizer', () => ({ loss: 'softmaxCrossEntropy' }), 'compile: optimizer must be one that sgd() or adam() made, received undefined'],
  ['an optimizer by name', () => ({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' }), 'compile: optimizer must be'],
  ['no loss', () => ({ optimizer }), 'compile: loss must be'],
  [
    'another loss',
    () => ({ optimizer, loss: 'hinges' }),
    "compile: loss must be 'softmaxCrossEntropy', 'meanSquaredError', 'sigmoidCrossEntropy', 'meanAbsoluteError', 'huber', 'hinge', 'focal', 'categoricalHinge', 'quadratic', one made with options or a function",
  ],
  ['another metric', () => ({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['f2'] }), 'compile: metrics must be'],
  [
    'metrics that are no array',
    () => ({ optimizer, loss: 'softmaxCrossEntropy', metrics: 'accuracy' }),
    'compile: metrics must be an array',
  ],
  [
    'one metric twice',
    () => ({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy', 'accuracy'] }),
    'two metrics are named "accuracy"',
  ],
  ['a rate of NaN', () => ({ optimizer: sgd({ learningRate: Number.NaN }), loss: 'softmaxCrossEntropy' }), 'sgd: learningRate'],
  ['no rate', () => ({ optimizer: sgd({} as never), loss: 'softmaxCrossEntropy' }), 'sgd: learningRate'],
  ['a negative rate', () => ({ optimizer: adam({ learningRate: -1 }), loss: 'softmaxCrossEntropy' }), 'adam: learningRate'],
  ['a momentum of 1', () => ({ optimizer: sgd({ learningRate: 1, momentum: 1 }), loss: 'softmaxCrossEntropy' }), 'sgd: momentum'],
  [
    'nesterov without momentum',
    () => ({ optimizer: sgd({ learningRate: 1, nesterov: true }), loss: 'softmaxCrossEntropy' }),
    'nesterov needs a momentum',
  ],
  [
    'an option that there is not',
    () => ({ optimizer: sgd({ learningRate: 1, decay: 1 } as never), loss: 'softmaxCrossEntropy' }),
    'sgd: unknown option "decay"',
  ],
]

describe.each(runtimes)('bad input gets a coded error and changes nothing (%s)', (runtime) => {
  const model = sequential({ input: [5, 5, 1], seed: 1, runtime }, conv2d(2, 3), maxPool2d(2), flatten(), dense(3))
  const compiled = { optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] } as const
  model.compile(compiled)

  /** Expects the error, and the model to be what it was before, results of training included. */
  async function refuses(call: () => unknown, code: ErrorCode, message: string): Promise<ConvlaneError> {
    const before = weightsSha256(await model.getWeights())
    const error = await errorOf(call)
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)])
    expect(weightsSha256(await model.getWeights())).toBe(before)
    return error
  }

  test.each(badSamples)('samples: %s', async (_what, bad, code, message) => {
    for (const [name, call] of [
      ['predict', () => model.predict(bad as never)],
      ['fit', () => model.fit({ x: bad as never, y })],
      ['evaluate', () => model.evaluate({ x: bad as never, y })],
      ['trainOnBatch', () => model.trainOnBatch(bad as never, y)],
    ] as const) {
      const error = await refuses(call, code, message)
      expect(error.message.startsWith(`${name}: `)).toBe(true)
    }
  })

  test.each(badTargets)('targets: %s', async (_what, bad, code, message) => {
    for (const [name, call] of [
      ['fit', () => model.fit({ x, y: bad as never })],
      ['evaluate', () => model.evaluate({ x, y: bad as never })],
      ['trainOnBatch', () => model.trainOnBatch(x, bad as never)],
    ] as const) {
      const error = await refuses(call, code, message)
      expect(error.message.startsWith(`${name}: `)).toBe(true)
    }
  })

  test.each(badFitOptions)('options of fit: %s', async (_what, options, message) => {
    const code = message.includes('label 9') ? 'INVALID_LABEL' : 'INVALID_ARGUMENT'
    await refuses(() => model.fit({ x, y }, options), code, message)
  })

  test.each(badCompileOptions)('options of compile: %s', async (_what, options, message) => {
    await refuses(() => model.compile(options() as never), 'INVALID_ARGUMENT', message)
    expect((await model.evaluate({ x, y })).accuracy).toBeDefined()
  })

  test('options of evaluate', async () => {
    await refuses(() => model.evaluate({ x, y }, { batchSize: 0 }), 'INVALID_ARGUMENT', 'evaluate: batchSize')
    await refuses(() => model.evaluate({ x, y }, { shuffle: true } as never), 'INVALID_ARGUMENT', 'evaluate: unknown option "shuffle"')
    await refuses(() => model.evaluate(3 as never), 'INVALID_ARGUMENT', 'evaluate: data must be')
  })

  test('weights', async () => {
    const bias = { shape: [3], data: Float32Array.of(1, 2, 3) }
    const both = (name: string, tensor: unknown) => () => model.setWeights({ 'dense/bias': bias, [name]: tensor as never })
    await refuses(
      both('dense_1/bias', bias),
      'INVALID_ARGUMENT',
      'setWeights: the model has no weight "dense_1/bias"; there are conv2d/kernel',
    )
    await refuses(both('conv2d/bias', bias), 'INVALID_SHAPE', 'setWeights: "conv2d/bias" must have shape [2], received [3]')
    await refuses(both('conv2d/bias', { shape: [2], data: new Float64Array(2) }), 'INVALID_DTYPE', 'received Float64Array')
    await refuses(both('conv2d/bias', { shape: [2], data: detached(2) }), 'INVALID_TENSOR', 'detached')
    await refuses(() => model.setWeights(undefined as never), 'INVALID_ARGUMENT', 'setWeights: weights must be an object')
  })

  test('before compile', async () => {
    const fresh = sequential({ input: [5, 5, 1], runtime }, flatten(), dense(3))
    await expectError(() => fresh.fit({ x, y }), 'NOT_COMPILED', 'fit: call compile({ optimizer, loss }) first')
    await expectError(() => fresh.evaluate({ x, y }), 'NOT_COMPILED', 'evaluate: call compile')
    await expectError(() => fresh.trainOnBatch(x, y), 'NOT_COMPILED', 'trainOnBatch: call compile')
  })

  test('targets of a loss that takes values', async () => {
    const values = sequential({ input: [5, 5, 1], runtime }, flatten(), dense(3)).compile({ optimizer, loss: 'meanSquaredError' })
    await expectError(() => values.fit({ x, y }), 'INVALID_DTYPE', 'the data of y must be a Float32Array, received Int32Array')
    await expectError(() => values.fit({ x, y: floats([6]) }), 'INVALID_SHAPE', 'fit: y must have shape [6, 3], received [6]')
  })

  test('classes for an output that has none, and a model with nothing to train', async () => {
    const images = sequential({ input: [5, 5, 1], runtime }, conv2d(1, 3))
    await expectError(
      () => images.compile(compiled),
      'INVALID_SHAPE',
      'class numbers and accuracy need outputs of rank 2 [N, K], "conv2d" gives [N, 3, 3, 1]',
    )
    const empty = sequential({ input: [3], runtime }, flatten()).compile(compiled)
    await expectError(() => empty.fit({ x: floats([2, 3]), y: labels(0, 1) }), 'INVALID_ARGUMENT', 'fit: the model has nothing to train')
    expect(empty.summary().parameters).toBe(0)
    expect((await empty.evaluate({ x: floats([2, 3]), y: labels(0, 1) })).loss).toBeCloseTo(Math.log(3), 6)
  })

  test('a loss that is no number, or throws', async () => {
    const own = sequential({ input: [3], runtime }, dense(2))
    const given = { x: floats([2, 3]), y: floats([2, 2]) }
    own.compile({ optimizer, loss: (predictions) => predictions })
    await expectError(() => own.fit(given), 'INVALID_SHAPE', 'the loss of "dense" must be one number, shape [], received [N, 2]')
    own.compile({ optimizer, loss: () => { throw new RangeError('mine') } }) // biome-ignore format: one call
    await expect(own.fit(given)).rejects.toThrow(new RangeError('mine'))
    own.compile({ optimizer, loss: 'meanSquaredError' })
    expect((await own.fit(given)).epochs).toHaveLength(1)
  })

  test('data that is detached in the middle of fit ends it, and the model stays usable', async () => {
    const data = { x: { ...x, data: x.data.slice() }, y }
    let steps = 0
    const detach = () => {
      if (++steps === 3) structuredClone(data.x.data.buffer, { transfer: [data.x.data.buffer] })
    }
    await expectError(() => model.fit(data, { epochs: 100, batchSize: 2, onStep: detach }), 'INVALID_TENSOR', /./)
    expect((await model.fit({ x, y })).epochs).toHaveLength(1)
  })

  test('bytes and class names of a data set are no obstacle', async () => {
    const { train } = await digits()
    await expectError(() => model.fit(train), 'INVALID_SHAPE', 'fit: x must have shape [N, 5, 5, 1], received [1437, 8, 8, 1]')
  })
})
