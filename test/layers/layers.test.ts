import { describe, expect, test } from 'vitest'
import type { Activation, Layer, Node } from '../../lib/index'
import {
  adaptiveAveragePool2d,
  add,
  averagePool1d,
  averagePool2d,
  averagePool3d,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  crop2d,
  crop3d,
  dense,
  depthwiseConv1d,
  depthwiseConv2d,
  dropout,
  elu,
  flatten,
  gelu,
  globalAveragePool1d,
  globalAveragePool2d,
  globalAveragePool3d,
  globalMaxPool1d,
  globalMaxPool2d,
  globalMaxPool3d,
  hardSigmoid,
  hardSwish,
  identityShortcut,
  input,
  leakyRelu,
  linearThreshold,
  logSoftmax,
  lpPool2d,
  maxout,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  mish,
  multiply,
  permute,
  prelu,
  relu,
  reshape,
  rnn,
  selu,
  separableConv1d,
  separableConv2d,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  spatialDropout,
  tanh,
  upsample2d,
  zeroPad1d,
  zeroPad2d,
} from '../../lib/index'
import { parametersOf } from '../../lib/layers/layer'
import { makeLayer } from '../../lib/layers/registry'
import { expectError } from '../support/models'

/** Layers of any kind, applied as a user without types would. */
const applied = (layer: Layer, ...nodes: Node[]): Node => layer.apply(...nodes)
const shapes = (layer: Layer, ...nodes: Node[]) => ({
  output: applied(layer, ...nodes).shape,
  parameters: Object.fromEntries(parametersOf(layer, nodes, 'test').map(({ name, shape }) => [name, shape])),
})
const image = input([28, 20, 6])
const row = input([12])
const line = input([30, 6])
const volume = input([9, 8, 7, 2])

describe('shapes and parameters', () => {
  const cases: [name: string, layer: Layer, nodes: Node[], output: (number | null)[], parameters: Record<string, number[]>][] = [
    ['conv2d', conv2d(8, 3), [image], [null, 26, 18, 8], { kernel: [3, 3, 6, 8], bias: [8] }],
    ['conv2d without bias', conv2d(8, [1, 5], { bias: false }), [image], [null, 28, 16, 8], { kernel: [1, 5, 6, 8] }],
    [
      'conv2d same, stride 2',
      conv2d(8, 3, { padding: 'same', stride: 2 }),
      [image],
      [null, 14, 10, 8],
      { kernel: [3, 3, 6, 8], bias: [8] },
    ],
    ['conv2d dilated', conv2d(8, 3, { dilation: [2, 1] }), [image], [null, 24, 18, 8], { kernel: [3, 3, 6, 8], bias: [8] }],
    ['conv2d in groups', conv2d(9, 3, { groups: 3 }), [image], [null, 26, 18, 9], { kernel: [3, 3, 2, 9], bias: [9] }],
    ['conv2d padded by side', conv2d(1, 3, { padding: [[1, 0], [2, 3]] }), [image], [null, 27, 23, 1], { kernel: [3, 3, 6, 1], bias: [1] }], // biome-ignore format: a row of the table
    ['conv1d with a bias per position', conv1d(8, 3, { bias: 'position', stride: 2 }), [line], [null, 14, 8], { kernel: [3, 6, 8], bias: [14, 8] }], // biome-ignore format: a row of the table
    ['conv2d with a bias per position', conv2d(4, 3, { bias: 'position', padding: 'same' }), [image], [null, 28, 20, 4], { kernel: [3, 3, 6, 4], bias: [28, 20, 4] }], // biome-ignore format: a row of the table
    ['conv3d with a bias per position', conv3d(4, 3, { bias: 'position' }), [volume], [null, 7, 6, 5, 4], { kernel: [3, 3, 3, 2, 4], bias: [7, 6, 5, 4] }], // biome-ignore format: a row of the table
    ['conv1d', conv1d(8, 3), [line], [null, 28, 8], { kernel: [3, 6, 8], bias: [8] }],
    ['conv1d causal', conv1d(8, 3, { padding: 'causal', dilation: 2 }), [line], [null, 30, 8], { kernel: [3, 6, 8], bias: [8] }],
    ['conv1d padded by side', conv1d(4, [5], { padding: [3, 1], groups: 2 }), [line], [null, 30, 4], { kernel: [5, 3, 4], bias: [4] }],
    ['conv3d', conv3d(4, [3, 2, 1], { bias: false }), [volume], [null, 7, 7, 7, 4], { kernel: [3, 2, 1, 2, 4] }],
    ['conv3d same', conv3d(4, 3, { padding: 'same', stride: [2, 1, 3] }), [volume], [null, 5, 8, 3, 4], { kernel: [3, 3, 3, 2, 4], bias: [4] }], // biome-ignore format: a row of the table
    ['convTranspose1d', convTranspose1d(8, 3, { stride: 2, outputPadding: 1 }), [line], [null, 62, 8], { kernel: [3, 8, 6], bias: [8] }],
    ['convTranspose2d same', convTranspose2d(8, [3, 2], { stride: [2, 3], padding: 'same', bias: false }), [image], [null, 56, 60, 8], { kernel: [3, 2, 8, 6] }], // biome-ignore format: a row of the table
    ['convTranspose2d in groups', convTranspose2d(4, 4, { stride: 2, padding: 1, groups: 2 }), [image], [null, 56, 40, 4], { kernel: [4, 4, 2, 6], bias: [4] }], // biome-ignore format: a row of the table
    ['convTranspose3d', convTranspose3d(3, [2, 1, 3], { dilation: 2 }), [volume], [null, 11, 8, 11, 3], { kernel: [2, 1, 3, 3, 2], bias: [3] }], // biome-ignore format: a row of the table
    ['depthwiseConv1d', depthwiseConv1d(3, { depthMultiplier: 2 }), [input([12, 4])], [null, 10, 8], { kernel: [3, 4, 2], bias: [8] }],
    ['separableConv1d', separableConv1d(5, 3), [input([12, 4])], [null, 10, 5], { depthwiseKernel: [3, 4, 1], pointwiseKernel: [1, 4, 5], bias: [5] }], // biome-ignore format: a row of the table
    ['depthwiseConv2d, a bias for each position', depthwiseConv2d(3, { bias: 'position' }), [image], [null, 26, 18, 6], { kernel: [3, 3, 6, 1], bias: [26, 18, 6] }], // biome-ignore format: a row of the table
    ['separableConv2d, a bias for each position', separableConv2d(2, 3, { stride: 2, bias: 'position' }), [image], [null, 13, 9, 2], { depthwiseKernel: [3, 3, 6, 1], pointwiseKernel: [1, 1, 6, 2], bias: [13, 9, 2] }], // biome-ignore format: a row of the table
    ['convTranspose2d, a bias for each position', convTranspose2d(2, 3, { bias: 'position' }), [image], [null, 30, 22, 2], { kernel: [3, 3, 2, 6], bias: [30, 22, 2] }], // biome-ignore format: a row of the table
    ['depthwiseConv2d', depthwiseConv2d(3), [image], [null, 26, 18, 6], { kernel: [3, 3, 6, 1], bias: [6] }],
    ['depthwiseConv2d, three filters a channel', depthwiseConv2d([3, 1], { depthMultiplier: 3, stride: 2, bias: false }), [image], [null, 13, 10, 18], { kernel: [3, 1, 6, 3] }], // biome-ignore format: a row of the table
    ['separableConv2d', separableConv2d(8, 3, { depthMultiplier: 2, padding: 'same' }), [image], [null, 28, 20, 8], { depthwiseKernel: [3, 3, 6, 2], pointwiseKernel: [1, 1, 12, 8], bias: [8] }], // biome-ignore format: a row of the table
    ['maxPool2d', maxPool2d(2), [image], [null, 14, 10, 6], {}],
    ['maxPool2d overlapping', maxPool2d(3, { stride: 2, padding: 1 }), [image], [null, 14, 10, 6], {}],
    ['maxPool2d, size rounded up', maxPool2d(3, { stride: 3, ceil: true }), [image], [null, 10, 7, 6], {}],
    ['averagePool2d', averagePool2d([2, 4], { countPadding: true }), [image], [null, 14, 5, 6], {}],
    ['maxPool1d', maxPool1d(3, { stride: 2, padding: 'same' }), [line], [null, 15, 6], {}],
    ['maxPool3d', maxPool3d([2, 2, 1], { ceil: true }), [volume], [null, 5, 4, 7, 2], {}],
    ['averagePool1d', averagePool1d([4], { padding: [1, 3], countPadding: true }), [line], [null, 8, 6], {}],
    ['averagePool3d', averagePool3d(3, { stride: 1, dilation: 2 }), [volume], [null, 5, 4, 3, 2], {}],
    ['globalAveragePool1d', globalAveragePool1d(), [line], [null, 6], {}],
    ['globalAveragePool3d', globalAveragePool3d(), [volume], [null, 2], {}],
    ['globalMaxPool1d', globalMaxPool1d(), [line], [null, 6], {}],
    ['globalMaxPool2d', globalMaxPool2d(), [image], [null, 6], {}],
    ['globalMaxPool3d', globalMaxPool3d(), [volume], [null, 2], {}],
    ['adaptiveAveragePool2d', adaptiveAveragePool2d([3, 7]), [image], [null, 3, 7, 6], {}],
    ['lpPool2d', lpPool2d(2, { p: 3, stride: 1 }), [image], [null, 27, 19, 6], {}],
    ['globalAveragePool2d', globalAveragePool2d(), [image], [null, 6], {}],
    ['flatten', flatten(), [image], [null, 3360], {}],
    ['dense', dense(10), [row], [null, 10], { kernel: [12, 10], bias: [10] }],
    ['dense with softmax', dense(10, { activation: 'softmax', bias: false }), [row], [null, 10], { kernel: [12, 10] }],
    ['dropout', dropout(0.5), [image], [null, 28, 20, 6], {}],
    ['relu', relu(), [row], [null, 12], {}],
    ['sigmoid', sigmoid(), [image], [null, 28, 20, 6], {}],
    ['tanh', tanh(), [row], [null, 12], {}],
    ['softmax', softmax(), [row], [null, 12], {}],
    ['elu', elu({ alpha: 2 }), [row], [null, 12], {}],
    ['gelu', gelu(), [row], [null, 12], {}],
    ['gelu by tanh', gelu({ approximate: 'tanh' }), [row], [null, 12], {}],
    ['leakyRelu', leakyRelu({ slope: 0.01 }), [row], [null, 12], {}],
    ['linearThreshold', linearThreshold({ max: 6, slope: 0.1, threshold: 1 }), [row], [null, 12], {}],
    ['linearThreshold without cap', linearThreshold(), [row], [null, 12], {}],
    ['hardSigmoid', hardSigmoid(), [image], [null, 28, 20, 6], {}],
    ['hardSwish', hardSwish(), [image], [null, 28, 20, 6], {}],
    ['logSoftmax', logSoftmax(), [image], [null, 28, 20, 6], {}],
    ['mish', mish(), [image], [null, 28, 20, 6], {}],
    ['selu', selu(), [image], [null, 28, 20, 6], {}],
    ['silu', silu(), [image], [null, 28, 20, 6], {}],
    ['softplus', softplus(), [image], [null, 28, 20, 6], {}],
    ['softsign', softsign(), [image], [null, 28, 20, 6], {}],
    ['dense with silu', dense(3, { activation: 'silu', bias: false }), [row], [null, 3], { kernel: [12, 3] }],
    ['reshape', reshape([28, 120]), [image], [null, 28, 120], {}],
    ['permute', permute([3, 1, 2]), [image], [null, 6, 28, 20], {}],
    ['identityShortcut', identityShortcut(9, { stride: [2, 3] }), [image], [null, 14, 7, 9], {}],
    ['upsample2d', upsample2d([2, 3]), [image], [null, 56, 60, 6], {}],
    ['prelu', prelu(), [image], [null, 28, 20, 6], { alpha: [6] }],
    ['spatialDropout', spatialDropout(0.25), [image], [null, 28, 20, 6], {}],
    ['multiply of three', multiply(), [row, row, row], [null, 12], {}],
    ['rnn', rnn(5), [input([7, 3])], [null, 5], { kernel: [3, 5], recurrentKernel: [5, 5], bias: [5] }],
    ['rnn with all outputs', rnn(5, { all: true, outputs: 2, activation: 'relu' }), [input([7, 3])], [null, 7, 2], { kernel: [3, 5], recurrentKernel: [5, 5], bias: [5], outputKernel: [5, 2], outputBias: [2] }], // biome-ignore format: a row of the table
    ['add of three', add(), [row, row, row], [null, 12], {}],
    ['concat', concat(), [image, input([28, 20, 3])], [null, 28, 20, 9], {}],
  ]
  test.each(cases)('%s', (_name, layer, nodes, output, parameters) => {
    expect(shapes(layer, ...nodes)).toEqual({ output, parameters })
    const again = makeLayer(layer.type, 'again', JSON.parse(JSON.stringify(layer.config())))
    expect(again.config()).toEqual(layer.config())
    expect(again.name).toBe('again')
    expect(shapes(again, ...nodes)).toEqual({ output, parameters })
  })
})

describe('names', () => {
  test('the type, where none is given', () => {
    expect([conv2d(1, 1).name, maxPool2d(2).name, dense(1, { name: 'head' }).name]).toEqual(['conv2d', 'maxPool2d', 'head'])
  })

  test.each(['', 'a/b', 3, null])('refuses %s', (name) =>
    expectError(() => flatten({ name: name as string }), 'INVALID_ARGUMENT', 'flatten: name'),
  )
})

describe('what a layer refuses when it is made', () => {
  const cases: [what: string, make: () => unknown, message: string][] = [
    ['fractional filters', () => conv2d(2.5, 3), 'conv2d: filters must be a positive integer, received 2.5'],
    ['NaN filters', () => conv2d(Number.NaN, 3), 'conv2d: filters must be a positive integer, received NaN'],
    ['no filters', () => conv2d(0, 3, { name: 'stem' }), 'conv2d "stem": filters must be a positive integer, received 0'],
    ['a kernel of three sizes', () => conv2d(1, [3, 3, 3] as never), 'conv2d: kernelSize'],
    ['a 3-D kernel of two sizes', () => conv3d(1, [3, 3] as never), 'conv3d: kernelSize must be a number or three numbers [depth, height, width], received [3, 3]'], // biome-ignore format: a row of the table
    ['a 1-D kernel of two sizes', () => conv1d(1, [3, 3] as never), 'conv1d: kernelSize must be a number or one in an array, received [3, 3]'], // biome-ignore format: a row of the table
    ['stride 0', () => conv2d(1, 3, { stride: 0 }), 'conv2d: stride'],
    ['groups that do not divide the filters', () => conv2d(4, 3, { groups: 3 }), 'conv2d: 3 groups do not divide 4 filters'],
    ['another activation', () => conv2d(1, 3, { activation: 'swish' as Activation }), "conv2d: activation must be 'linear', 'relu'"],
    ['a bias that is no boolean', () => dense(1, { bias: 1 as never }), 'dense: bias must be true or false, received 1'],
    [
      'an option that there is not',
      () => conv2d(1, 3, { strides: 2 } as never),
      'conv2d: unknown option "strides", the options are stride',
    ],
    ['another initializer', () => dense(1, { kernelInitializer: 'ones ' as never }), 'dense: kernelInitializer must be'],
    ['infinite units', () => dense(Number.POSITIVE_INFINITY), 'dense: units must be a positive integer, received Infinity'],
    ['a pool of fractional size', () => maxPool2d(1.5), 'maxPool2d: size'],
    ['countPadding of a maximum', () => maxPool2d(2, { countPadding: true } as never), 'maxPool2d: unknown option "countPadding"'],
    ['a power below 1', () => lpPool2d(2, { p: 0.5 }), 'lpPool2d: p must be a finite number of at least 1 and at most 64, received 0.5'],
    ['no bins', () => adaptiveAveragePool2d(0), 'adaptiveAveragePool2d: size must be a positive integer, received 0'],
    ['a rate of 1', () => dropout(1), 'dropout: rate must be'],
    ['a negative rate', () => dropout(-0.1), 'dropout: rate must be'],
    ['a rate of NaN', () => dropout(Number.NaN), 'dropout: rate must be'],
    ['a negative slope', () => leakyRelu({ slope: -1 }), 'leakyRelu: slope must be a finite number of at least 0, received -1'],
    ['a negative alpha', () => elu({ alpha: -1, name: 'e' }), 'elu "e": alpha must be a finite number of at least 0'],
    ['another approximation', () => gelu({ approximate: 'erf' as never }), "gelu: approximate must be 'none', 'tanh'"],
    [
      'a cap below the threshold',
      () => linearThreshold({ max: 0, threshold: 1 }),
      'linearThreshold: max must be at least the threshold 1, received 0',
    ],
    ['a parameter of another activation', () => silu({ slope: 1 } as never), 'silu: unknown option "slope"'],
    ['a shape of five sizes', () => reshape([1, 2, 3, 4, 5]), 'reshape: shape must be an array of 1 to 4 sizes'],
    ['an axis twice', () => permute([1, 1]), 'permute: axes must be an array that holds 1, 2, … once each, received [1, 1]'],
    ['a shortcut of no filters', () => identityShortcut(0), 'identityShortcut: filters'],
    ['a fractional size', () => upsample2d(1.5), 'upsample2d: size'],
    [
      'an interpolation of another rank',
      () => upsample2d(2, { interpolation: 'linear' as never }),
      "upsample2d: interpolation must be 'bilinear', 'nearest'",
    ],
    ['a negative border', () => zeroPad2d(-1), 'zeroPad2d: padding must be an integer of at least 0, received -1'],
    [
      'a border of another number of axes',
      () => crop3d([1, 2] as never),
      'crop3d: cropping must be a number, [depth, height, width] or [[front, back]',
    ],
    [
      'numbers and sides in one border',
      () => zeroPad2d([1, [0, 1]] as never),
      'zeroPad2d: padding must be a number, [height, width] or [[top, bottom]',
    ],
    ['a word for a border', () => zeroPad1d('same' as never), 'zeroPad1d: padding must be a number or [before, after], received "same"'],
    ['no pieces', () => maxout(0), 'maxout: pieces must be a positive integer, received 0'],
    [
      'an axis that no sample has',
      () => prelu({ sharedAxes: [0] }),
      'prelu: sharedAxes must be an array of axes from 1 to 4, received [0]',
    ],
    ['a rate of channels above 1', () => spatialDropout(2), 'spatialDropout: rate must be'],
    [
      'a recurrence of another activation',
      () => rnn(3, { activation: 'selu' as never }),
      "rnn: activation must be 'tanh', 'relu', 'sigmoid'",
    ],
    ['a beginning that there is not', () => rnn(3, { recurrentInitializer: 'best' as never }), 'rnn: recurrentInitializer must be'],
    ['no units', () => rnn(0), 'rnn: units must be a positive integer, received 0'],
    ['options that are no object', () => flatten(3 as never), 'flatten: options must be an object, received 3'],
  ]
  test.each(cases)('%s', (_what, make, message) => expectError(make, 'INVALID_ARGUMENT', message))
})

describe('what a layer refuses where it is put into a network', () => {
  test('another rank, with what to do', async () => {
    const hint = ': put flatten() or globalAveragePool2d() before it'
    await expectError(() => applied(dense(3), image), 'INVALID_SHAPE', `dense: takes rank 2 [N, C] but gets rank 4 [N, 28, 20, 6]${hint}`)
    await expectError(
      () => applied(conv2d(3, 3, { name: 'a' }), row),
      'INVALID_SHAPE',
      'conv2d "a": takes rank 4 [N, H, W, C] but gets rank 2 [N, 12]',
    )
  })

  test('a kernel larger than its padded input', () =>
    expectError(
      () => conv2d(1, 31, { padding: 1 }).apply(image),
      'INVALID_SHAPE',
      /^conv2d .*31 is larger than the height of the padded input/,
    ))

  test('another padding', () =>
    expectError(() => conv2d(1, 3, { padding: 'full' as never }).apply(image), 'INVALID_ARGUMENT', /^conv2d .*padding must be/))

  test('channels that the groups do not divide', () =>
    expectError(() => conv2d(4, 3, { groups: 4 }).apply(image), 'INVALID_SHAPE', "conv2d: 4 groups do not divide the input's 6 channels"))

  test('shapes that do not fit', async () => {
    await expectError(() => crop2d(10).apply(image), 'INVALID_SHAPE', /^crop2d .*cropping .* leaves nothing of \[N, 28, 20, 6\]/)
    await expectError(() => maxout(4).apply(image), 'INVALID_SHAPE', /^maxout .*with a multiple of 4 channels, received \[N, 28, 20, 6\]/)
    await expectError(() => prelu({ sharedAxes: [2] }).apply(row), 'INVALID_ARGUMENT', 'prelu: sharedAxes must be axes from 1 to 1')
    await expectError(() => reshape([5]).apply(row), 'INVALID_SHAPE', /^reshape .*shape \[N, 12\] cannot become \[N, 5\]/)
    await expectError(() => applied(permute([2, 1]), row), 'INVALID_SHAPE', /^permute .*axes \[2, 1\] do not go with \[N, 12\]/)
    await expectError(() => multiply().apply(row, input([1])), 'INVALID_SHAPE', /^multiply /)
    await expectError(
      () => rnn(3, { name: 'long' }).apply(input([16_385, 1])),
      'INVALID_SHAPE',
      'rnn "long": takes sequences of at most 16384 steps, received 16385',
    )
    await expectError(() => applied(rnn(3), row), 'INVALID_SHAPE', 'rnn: takes rank 3 [N, L, C] but gets rank 2 [N, 12]')
  })

  test('shapes that do not add up', () => expectError(() => add().apply(row, input([11])), 'INVALID_SHAPE', /^add /))

  test('the layer add keeps the shape: it broadcasts nothing', () =>
    expectError(() => add().apply(row, input([1])), 'INVALID_SHAPE', /^add .*a and b must have one shape, received/))

  test('too few and too many nodes', async () => {
    await expectError(() => add().apply(row), 'INVALID_ARGUMENT', 'add: takes 2 inputs or more, received 1')
    await expectError(() => relu().apply(row, row), 'INVALID_ARGUMENT', 'relu: takes 1 input, received 2')
  })

  test('what is no node', () =>
    expectError(() => relu().apply([1, 2] as never), 'INVALID_ARGUMENT', 'relu: apply must be called with nodes'))
})

test.each([[[]], [[0]], [[2.5]], [[Number.NaN]], [[1, 2, 3, 4, 5]], [[2 ** 30, 2 ** 30]], ['28'], [undefined]])(
  'input refuses shape %j',
  (shape) => expectError(() => input(shape as number[]), 'INVALID_SHAPE', 'input: the input shape must be 1 to 4 positive integers'),
)
