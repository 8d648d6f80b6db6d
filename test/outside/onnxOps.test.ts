import { join } from 'node:path'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { exportOnnx } from '../../lib/convert/onnx/export'
import {
  add as addLayer,
  batchNorm,
  ConvlaneError,
  concat as concatLayer,
  dense,
  flatten,
  gelu,
  groupNorm as groupNormLayer,
  input,
  type Layer,
  layerNorm,
  type Model,
  maxout,
  multiply as multiplyLayer,
  type Node,
  network,
  permute,
  prelu as preluLayer,
  rescale,
  reshape as reshapeLayer,
  softmax,
  type Tensor,
  type Value,
} from '../../lib/index'
import { makeLayer } from '../../lib/layers/registry'
import { sequential } from '../../lib/model/sequential'
import {
  abs,
  add,
  broadcastTo,
  cast,
  clip,
  concat,
  div,
  equal,
  exp,
  gather,
  greaterEqual,
  groupNorm,
  less,
  log,
  lpPool2d,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  multiply,
  notEqual,
  oneHot,
  pad,
  pow,
  prelu,
  reshape,
  scale,
  sign,
  slice,
  sqrt,
  sub,
  sum,
  transpose,
  where,
} from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { shake } from '../support/layerModels'
import { ownModel } from '../support/ownLayer'
import { channelsFirst, channelsLast, expectClose, predictAll, runOnnx, samplesFor } from './onnxRuntime'

async function expectAlike(model: Model, x: readonly Tensor[] = samplesFor(model, 3)): Promise<void> {
  const file = join(temporaryFolder(), 'own.onnx')
  const expected = await predictAll(model, x)
  await exportOnnx(model, file)
  expectClose((await runOnnx(file, x.map(channelsFirst))).map(channelsLast), expected, 2e-5)
  await exportOnnx(model, file, { layout: 'nhwc', opset: 21 })
  expectClose(await runOnnx(file, x), expected, 2e-5)
}

const image = [4, 5, 3] as const
const row = [6] as const
type Case = [what: string, input: readonly number[], build: (x: Value, weight: Value) => Value, weight?: readonly number[]]
/** So that what follows has its input with the channels first as well. */
const twice = (x: Value) => multiply(x, 2)

const cases: Case[] = [
  [
    'sums',
    image,
    (x) =>
      add(
        add(sum(x, { axes: [1, 2], keepDims: true }), mean(x, { axes: [3], keepDims: true })),
        sum(twice(x), { axes: [1], keepDims: true }),
      ),
  ],
  [
    'sums without the axes',
    image,
    (x) => concat([sum(x, { axes: [1, 2] }), mean(x, { axes: [2, 3] }), max(x, { axes: [1, 2] }), min(x, { axes: [1, 3] })]),
  ],
  ['functions of one number', image, (x) => add(add(exp(x), log(add(abs(x), 1))), add(sqrt(abs(x)), sign(x)))],
  ['bounds', image, (x) => concat([clip(x, -0.5, 0.5), clip(x, 0, undefined), clip(x, undefined, 0.2), minimum(x, 0.1), maximum(x, -0.1)])],
  ['arithmetic with a number for each channel', image, (x, w) => div(sub(multiply(x, w), w), add(abs(w), 1))],
  ['arithmetic with one for each pixel and channel', image, (x, w) => add(multiply(sub(w, x), w), pow(add(abs(x), 1), w)), image],
  ['arithmetic with one for each row', image, (x, w) => add(x, w), [4, 1, 1]],
  [
    'comparisons',
    image,
    (x, w) => concat([less(x, w), greaterEqual(x, 0), equal(sign(x), 1), notEqual(sign(x), -1), where(less(x, 0), w, x)]),
  ],
  ['slopes', image, (x, w) => prelu(x, w), [5, 1]],
  ['repeated along the batch', image, (x, w) => multiply(broadcastTo(w, [null, 4, 5, 3]), sign(x))],
  ['repeated along an axis', image, (x) => broadcastTo(sum(x, { axes: [2], keepDims: true }), [null, 4, 6, 3])],
  [
    'frames of numbers, edges and mirrors',
    image,
    (x) =>
      concat(
        ['constant', 'edge', 'reflect'].map((mode) =>
          pad(
            x,
            [
              [0, 0],
              [1, 2],
              [2, 0],
              [1, 1],
            ],
            { mode: mode as 'edge', ...(mode === 'constant' && { value: 3 }) },
          ),
        ),
      ),
  ],
  ['boxes', image, (x) => add(slice(twice(x), [0, 1, 2, 1], [null, 2, 3, 2]), slice(x, [0, 0, 0, 0], [null, 2, 3, 2]))],
  ['axes in another order', image, (x) => transpose(transpose(twice(x), [0, 3, 1, 2]), [0, 2, 1, 3])],
  ['other shapes', image, (x) => reshape(reshape(x, [null, 10, 6]), [null, 2, 15, 2])],
  ['side by side along another axis', image, (x) => concat([x, twice(x)], { axis: 1 })],
  ['products of stacks', image, (x, w) => matmul(x, w), [3, 2]],
  ['products of stacks, transposed', image, (x) => matmul(x, x, { transposeB: true })],
  ['products of stacks, transposed first', image, (x) => matmul(x, x, { transposeA: true })],
  ['a factor', image, (x, w) => add(scale(x, w), scale(x, -0.3)), [1]],
  ['groups of a row', row, (x, w) => groupNorm(x, 3, { gamma: w })],
  ['rows of a table', row, (x, w) => gather(w, cast(clip(multiply(add(x, 1), 2), 0, 3), 'int32')), [4, 5]],
  ['rows of zeros and a one', row, (x) => oneHot(cast(multiply(add(x, 1), 2), 'int32'), 4)],
  ['windows of any power', image, (x) => lpPool2d(x, 2, { p: 2.5, stride: 1, padding: 1 })],
]

describe('layers made of ops', () => {
  test.each(cases)('%s', async (_, input, build, weight) => {
    const model = ownModel(input, build, weight)
    await shake(model)
    await expectAlike(model)
  })
})

const least = { numRuns: Number(process.env.CONVLANE_PROPERTY_CASES ?? 20) * 2, seed: 7 }
const whole = (min: number, max: number) => fc.integer({ min, max })
const axes = (count: number, low: number, high: number) => fc.tuple(...Array.from({ length: count }, () => whole(low, high)))

/** Pooling or a convolution of one to three axes, with any window. */
const windows = fc.constantFrom(1, 2, 3).chain((count) =>
  fc.record({
    kind: fc.constantFrom('maxPool', 'averagePool', 'lpPool', 'conv', 'convTranspose'),
    count: fc.constant(count),
    image: axes(count, 3, 9),
    size: axes(count, 1, 4),
    stride: axes(count, 1, 4),
    dilation: axes(count, 1, 3),
    padding: fc.oneof(
      fc.constant('same'),
      fc.tuple(axes(count, 0, 4), axes(count, 0, 4)).map(([before, after]) => before.map((side, axis) => [side, after[axis]!])),
    ),
    ceil: fc.boolean(),
    countPadding: fc.boolean(),
    p: fc.constantFrom(1, 2, 3, 1.5),
    groups: fc.constantFrom(1, 2),
  }),
)

type Window = typeof windows extends fc.Arbitrary<infer T> ? T : never

function windowModel({ kind, count, image, size, stride, dilation, padding, ceil, countPadding, p, groups }: Window): Model | undefined {
  const window = { stride, padding, ...(count === 2 || /conv/.test(kind) ? { dilation } : {}) }
  const own = { maxPool: { size, ceil }, averagePool: { size, ceil, countPadding }, lpPool: { size, ceil, p } }
  const others = { filters: 4, kernelSize: size, groups }
  const config = { ...window, ...(own[kind as keyof typeof own] ?? others) }
  try {
    return sequential(
      { input: [...image, 4] as never, seed: 3 },
      makeLayer(`${kind}${count}d`, 'window', config) as never,
    ) as unknown as Model
  } catch (error) {
    if (error instanceof ConvlaneError) return undefined
    throw error
  }
}

test('windows of any size, stride, dilation and padding', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(windows, async (window) => {
      const model = windowModel(window)
      fc.pre(model !== undefined)
      await expectAlike(model!)
      model!.dispose()
    }),
    least,
  )
})

/** What may follow on any sequence, image or volume, by the sizes that it has. */
const steps: Readonly<Record<string, (shape: readonly number[]) => Layer | undefined>> = {
  conv: (shape) => makeLayer(`conv${shape.length - 1}d`, 'a', { filters: 4, kernelSize: 3, padding: 'same', activation: 'tanh' }),
  pool: (shape) => makeLayer(`maxPool${shape.length - 1}d`, 'a', { size: 2, stride: 1, padding: 'same' }),
  batchNorm: () => batchNorm({ activation: 'relu' }),
  layerNorm: () => layerNorm(),
  groupNorm: (shape) => (shape.at(-1)! % 2 === 0 ? groupNormLayer(2) : undefined),
  softmax: () => softmax(),
  gelu: () => gelu(),
  prelu: () => preluLayer({ alphaInitializer: 'normal' }),
  rescale: (shape) => rescale({ scale: 0.5, offset: Array.from({ length: shape.at(-1)! }, (_, index) => index / 4) }),
  maxout: (shape) => (shape.at(-1)! % 2 === 0 ? maxout(2) : undefined),
  permute: (shape) => permute([shape.length, ...shape.slice(1).map((_, axis) => axis + 1)] as never),
  reshape: ([first, second, ...rest]) => reshapeLayer([second!, first!, ...rest] as never),
  pad: (shape) => makeLayer(`zeroPad${shape.length - 1}d`, 'a', { padding: 1 }),
  crop: (shape) =>
    shape.slice(0, -1).every((size) => size > 2)
      ? makeLayer(`crop${shape.length - 1}d`, 'a', { cropping: shape.slice(1).map(() => [1, 0]) })
      : undefined,
  resize: (shape) => makeLayer(`resize${shape.length - 1}d`, 'a', { size: shape.slice(0, -1).map((size) => (size % 4) + 2) }),
}

const nets = fc.record({
  shape: fc.integer({ min: 2, max: 4 }).chain((rank) => axes(rank, 2, 5)),
  names: fc.array(fc.constantFrom(...Object.keys(steps), 'double', 'sum', 'beside'), { minLength: 2, maxLength: 8 }),
  flat: fc.boolean(),
})

/** A chain of layers with shortcuts over it: to the value before where shapes fit. */
function netModel({ shape, names, flat }: typeof nets extends fc.Arbitrary<infer T> ? T : never): Model {
  const start = input(shape as never) as Node
  const made: Node[] = [start]
  for (const name of names) {
    const x = made.at(-1)!
    const other = made.findLast((before) => before !== x && before.shape.join() === x.shape.join())
    const sizes = x.shape.slice(1) as number[]
    if (name === 'double') made.push(multiplyLayer().apply(x as never, x as never) as Node)
    else if (name === 'sum') made.push(...(other ? [addLayer().apply(x as never, other as never) as Node] : []))
    else if (name === 'beside') made.push(...(other ? [concatLayer().apply(other as never, x as never) as Node] : []))
    else {
      const layer = steps[name]!(sizes)
      // Names are given by the network.
      if (layer) made.push(unnamed(layer).apply(x as never) as Node)
    }
  }
  const last = made.at(-1)!
  const outputs = [flat ? (dense(3).apply(flatten().apply(last as never)) as Node) : last, made[Math.floor(made.length / 2)]!]
  return network({ inputs: start, outputs, seed: 3 }) as unknown as Model
}

const unnamed = (layer: Layer): Layer => (layer.named ? makeLayer(layer.type, `layer${count++}`, layer.config()) : layer)
let count = 0

test('networks of layers in any order, with shortcuts', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(nets, async (net) => {
      const model = netModel(net)
      await shake(model)
      await expectAlike(model)
      model.dispose()
    }),
    least,
  )
})
