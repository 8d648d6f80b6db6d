import { describe, expect, test } from 'vitest'
import { inputValue } from '../../lib/graph/sources'
import * as ops from '../../lib/ops'
import type { Tensor } from '../../lib/tensor'

const zeros = (...shape: number[]): Tensor => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
const classes = (...numbers: number[]) => ({ shape: [numbers.length] as const, data: Int32Array.from(numbers) })
const any = (value: unknown) => value as never

const image = zeros(1, 4, 4, 3)
const filters = zeros(3, 3, 3, 2)
const detached = zeros(1, 4, 4, 3)
structuredClone(detached.data, { transfer: [detached.data.buffer as ArrayBuffer] })
const shared = { shape: [1, 4, 4, 3], data: new Float32Array(new SharedArrayBuffer(192)) }

const cases: [run: () => unknown, code: string, message: string][] = [
  ...[
    { run: () => ops.gradients([{ of: any(zeros()) }], []), argument: 'seeds', received: 'Object' },
    { run: () => ops.gradients([], any([zeros(2)])), argument: 'by', received: 'Object' },
    { run: () => ops.gradients(any(undefined), []), argument: 'seeds', received: 'undefined' },
  ].map(({ run, argument, received }): [() => unknown, string, string] => {
    const expected = 'an array of values of a graph, as functions of ops get them'
    return [run, 'INVALID_ARGUMENT', `gradients: ${argument} must be ${expected}, received ${received}`]
  }),
  [() => ops.l2Norm([]), 'INVALID_ARGUMENT', 'l2Norm: takes an array of at least one tensor, received []'],
  [
    () => ops.prelu(zeros(2, 3), zeros(4)),
    'INVALID_SHAPE',
    'prelu: input and alpha must have one shape or be broadcast to one, received [2, 3] and [4]',
  ],
  [() => ops.prelu(zeros(3), zeros(2, 3)), 'INVALID_SHAPE', "prelu: alpha [2, 3] must be broadcast to the input's shape [3]"],
  [() => ops.maxout(zeros(2, 5), 2), 'INVALID_SHAPE', 'maxout: takes [N, …, C] with a multiple of 2 channels, received [2, 5]'],
  [() => ops.maxout(zeros(4), 2), 'INVALID_SHAPE', 'maxout: takes [N, …, C] with a multiple of 2 channels, received [4]'],
  [() => ops.maxout(zeros(2, 4), 0), 'INVALID_ARGUMENT', 'maxout: pieces must be a positive integer, received 0'],
  [() => ops.resize2d(zeros(2, 4, 3), 5), 'INVALID_SHAPE', 'resize2d: input must have rank 4 [N, H, W, C], received rank 3 [2, 4, 3]'],
  [() => ops.resize2d(image, [5, 0]), 'INVALID_ARGUMENT', 'resize2d: size[1] must be a positive integer, received 0'],
  [
    () => ops.resize2d(image, 5, { interpolation: any('linear') }),
    'INVALID_ARGUMENT',
    "resize2d: interpolation must be 'bilinear', 'nearest', received \"linear\"",
  ],
  [
    () => ops.resize2dBackward(image, image, 5),
    'INVALID_SHAPE',
    "resize2dBackward: dy must have the result's shape [1, 5, 5, 3], received [1, 4, 4, 3]",
  ],
  [() => ops.clipByNorm(image, zeros(2), 1), 'INVALID_SHAPE', 'clipByNorm: norm must have one element, received [2]'],
  [() => ops.clipByNorm(image, zeros(1), -1), 'INVALID_ARGUMENT', 'clipByNorm: limit must be a finite number of at least 0, received -1'],
  [() => ops.clipByValue(image, Number.NaN), 'INVALID_ARGUMENT', 'clipByValue: limit must be a finite number of at least 0, received NaN'],
  [() => ops.rmsprop(zeros(2), zeros(2), { square: zeros(2), momentum: 0.5 }), 'INVALID_ARGUMENT', 'rmsprop: momentum needs a velocity'],
  [
    () => ops.rmsprop(zeros(2), zeros(2), { square: zeros(3) }),
    'INVALID_SHAPE',
    "rmsprop: square must have the parameter's shape [2], received [3]",
  ],
  [
    () => ops.adagrad(zeros(2), zeros(2), { sum: zeros(2), step: 0 }),
    'INVALID_ARGUMENT',
    'adagrad: step must be an integer from 1 to 9007199254740991, received 0',
  ],
  [() => ops.conv2d(image, zeros(3, 3, 1, 2), { name: 'stem' }), 'INVALID_SHAPE', 'conv2d "stem": input has 3 channels, filters expect 1'],
  [() => ops.conv2d(zeros(1, 4, 4, 6), filters, { groups: 3 }), 'INVALID_SHAPE', 'conv2d: groups 3 do not divide the 2 filters'],
  [
    () => ops.conv2d(zeros(1, 4, 4, 6), zeros(3, 3, 2, 2), { groups: 2 }),
    'INVALID_SHAPE',
    'conv2d: input has 6 channels, filters expect 2 · 2 groups = 4',
  ],
  [
    () => ops.conv2d(zeros(1, 4, 4, 3), zeros(3, 3, 2, 2), { groups: 2 }),
    'INVALID_SHAPE',
    "conv2d: groups 2 do not divide the input's 3 channels",
  ],
  [() => ops.conv2d(zeros(4, 4, 3), filters), 'INVALID_SHAPE', 'conv2d: input must have rank 4 [N, H, W, C], received rank 3 [4, 4, 3]'],
  [
    () => ops.conv2d(image, zeros(3, 3, 3)),
    'INVALID_SHAPE',
    'conv2d: filters must have rank 4 [KH, KW, C/groups, OC], received rank 3 [3, 3, 3]',
  ],
  [() => ops.conv2d(image, zeros(5, 1, 3, 2)), 'INVALID_SHAPE', 'conv2d: kernel height 5 is larger than the height of the input, 4'],
  [() => ops.conv2d(image, filters, { bias: zeros(3) }), 'INVALID_SHAPE', 'conv2d: bias must have shape [2] for 2 filters, received [3]'],
  [() => ops.conv2d(image, filters, { stride: 0 }), 'INVALID_ARGUMENT', 'conv2d: stride must be a positive integer, received 0'],
  [
    () => ops.conv2d(image, filters, { dilation: [1, Number.NaN] }),
    'INVALID_ARGUMENT',
    'conv2d: dilation[1] must be a positive integer, received NaN',
  ],
  [() => ops.conv2d(image, filters, { groups: 1.5 }), 'INVALID_ARGUMENT', 'conv2d: groups must be a positive integer, received 1.5'],
  [() => ops.conv2d(image, filters, { padding: -1 }), 'INVALID_ARGUMENT', 'conv2d: padding must be an integer of at least 0, received -1'],
  [
    () => ops.conv2d(image, filters, { padding: any('full') }),
    'INVALID_ARGUMENT',
    "conv2d: padding must be 'valid', 'same', a number, [h, w] or [[top, bottom], [left, right]], received \"full\"",
  ],
  [
    () => ops.conv2d(image, filters, { activation: any('swish') }),
    'INVALID_ARGUMENT',
    "conv2d: activation must be 'linear', 'relu', 'sigmoid', 'tanh', 'softmax', 'leakyRelu', 'relu6', 'elu', 'selu', 'gelu', 'geluTanh', 'silu', 'mish', 'softplus', 'softsign', 'hardSigmoid', 'hardSwish', 'logSoftmax', received \"swish\"",
  ],
  [
    () => ops.conv2d(image, filters, { algorithm: any('fft') }),
    'INVALID_ARGUMENT',
    "conv2d: algorithm must be 'auto', 'noWinograd', 'im2col', 'indirect', 'direct', 'winograd', 'winograd2', 'winograd4', 'winograd6', received \"fft\"",
  ],
  [
    () => ops.conv2d(image, filters, any({ strides: 2 })),
    'INVALID_ARGUMENT',
    'conv2d: unknown option "strides"; there are runtime, name, bias, stride, padding, dilation, groups, activation, algorithm',
  ],
  [() => ops.conv2d(image, filters, any(null)), 'INVALID_ARGUMENT', 'conv2d: options must be an object, received null'],
  [() => ops.conv2d(image, filters, any(3)), 'INVALID_ARGUMENT', 'conv2d: options must be an object, received 3'],
  [
    () => ops.conv2d(image, filters, { runtime: any('gpu') }),
    'INVALID_ARGUMENT',
    "runtime must be 'native' or 'reference', received \"gpu\"",
  ],
  [() => ops.conv2d(any(undefined), filters), 'INVALID_TENSOR', 'conv2d: input must be a tensor { shape, data }, received undefined'],
  [() => ops.conv2d(detached, filters), 'INVALID_TENSOR', 'conv2d: the data of input is empty or detached (its buffer was transferred)'],
  [
    () => ops.conv2d(shared, filters),
    'INVALID_TENSOR',
    'conv2d: the data of input lies in a SharedArrayBuffer, which may change while it is read: copy it',
  ],
  [
    () => ops.conv2d({ shape: [1, 4, 4, 4], data: image.data }, filters),
    'INVALID_TENSOR',
    'conv2d: input has shape [1, 4, 4, 4], 64 elements, but its data has 48',
  ],
  [
    () => ops.conv2d(any({ shape: [1, 4, 4, 3], data: new Float64Array(48) }), filters),
    'INVALID_DTYPE',
    'conv2d: the data of input must be a Float32Array, received Float64Array',
  ],
  [
    () => ops.conv2d({ shape: [0, 4, 4, 3], data: new Float32Array(0) }, filters),
    'INVALID_SHAPE',
    'conv2d: input: sizes must be positive integers, received [0, 4, 4, 3]',
  ],
  [
    () => ops.conv2d({ shape: [2 ** 30, 2 ** 30, 4, 3], data: image.data }, filters),
    'INVALID_SHAPE',
    'conv2d: input: shape [1073741824, 1073741824, 4, 3] has more than 2^40 elements',
  ],
  [
    () => ops.conv2d(inputValue('x', [null, 4, 4, 3], 'int32'), inputValue('w', [3, 3, 3, 2])),
    'INVALID_DTYPE',
    'conv2d: input must be float32, received int32',
  ],
  [
    () => ops.conv2dBackward(zeros(1, 4, 4, 2), image, filters),
    'INVALID_SHAPE',
    "conv2dBackward: dy must have the result's shape [1, 2, 2, 2], received [1, 4, 4, 2]",
  ],
  [() => ops.conv1d(image, filters), 'INVALID_SHAPE', 'conv1d: input must have rank 3 [N, L, C], received rank 4 [1, 4, 4, 3]'],
  [() => ops.conv1d(zeros(1, 4, 3), zeros(5, 3, 2)), 'INVALID_SHAPE', 'conv1d: kernel length 5 is larger than the length of the input, 4'],
  [
    () => ops.conv1d(zeros(1, 4, 3), zeros(2, 3, 2), { padding: any('full') }),
    'INVALID_ARGUMENT',
    "conv1d: padding must be 'valid', 'same', 'causal', a number or [before, after], received \"full\"",
  ],
  [
    () => ops.conv3d(zeros(1, 4, 4, 4, 3), zeros(2, 2, 2, 3, 2), { padding: any('causal') }),
    'INVALID_ARGUMENT',
    "conv3d: padding must be 'valid', 'same', a number, [d, h, w] or [[front, back], [top, bottom], [left, right]], received \"causal\"",
  ],
  [
    () => ops.conv3d(zeros(1, 2, 4, 4, 3), zeros(3, 2, 2, 3, 2)),
    'INVALID_SHAPE',
    'conv3d: kernel depth 3 is larger than the depth of the input, 2',
  ],
  [
    () => ops.conv3d(zeros(1, 2, 4, 4, 3), zeros(2, 2, 2, 3, 2), { stride: any([1, 2]) }),
    'INVALID_ARGUMENT',
    'conv3d: stride must be a number or three numbers [depth, height, width], received [1, 2]',
  ],
  [() => ops.convTranspose2d(image, zeros(3, 3, 2, 4)), 'INVALID_SHAPE', 'convTranspose2d: input has 3 channels, filters expect 4'],
  [
    () => ops.convTranspose2d(image, zeros(3, 3, 2, 3), { groups: 2 }),
    'INVALID_SHAPE',
    "convTranspose2d: groups 2 do not divide the input's 3 channels",
  ],
  [
    () => ops.convTranspose2d(image, zeros(3, 3, 3)),
    'INVALID_SHAPE',
    'convTranspose2d: filters must have rank 4 [KH, KW, OC/groups, C], received rank 3 [3, 3, 3]',
  ],
  [
    () => ops.convTranspose1d(zeros(1, 4, 3), zeros(2, 1, 3), { stride: 2, outputPadding: 2 }),
    'INVALID_ARGUMENT',
    'convTranspose1d: outputPadding must be below the stride 2, received 2',
  ],
  [
    () => ops.convTranspose1d(zeros(1, 4, 3), zeros(2, 1, 3), { stride: 2, dilation: 3, outputPadding: 3 }),
    'INVALID_ARGUMENT',
    'convTranspose1d: outputPadding must be below the stride 2 or the dilation 3, received 3',
  ],
  [
    () => ops.convTranspose1d(zeros(1, 4, 3), zeros(2, 1, 3), { dilation: 3, outputPadding: 2, bias: zeros(2) }),
    'INVALID_SHAPE',
    'convTranspose1d: bias must have shape [1] for 1 channels, received [2]',
  ],
  [
    () => ops.convTranspose1d(zeros(1, 4, 3), zeros(2, 1, 3), { padding: 'same', outputPadding: 0 }),
    'INVALID_ARGUMENT',
    "convTranspose1d: outputPadding follows from padding 'same', received 0 as well",
  ],
  [
    () => ops.convTranspose1d(zeros(1, 4, 3), zeros(2, 1, 3), { padding: any('causal') }),
    'INVALID_ARGUMENT',
    "convTranspose1d: padding cannot be 'causal' in a transposed convolution",
  ],
  [
    () => ops.convTranspose1d(zeros(1, 1, 3), zeros(2, 1, 3), { padding: 1 }),
    'INVALID_SHAPE',
    'convTranspose1d: padding [[1, 1]] leaves no output',
  ],
  [
    () => ops.convTranspose1dBackward(zeros(1, 4, 1), zeros(1, 4, 3), zeros(2, 1, 3)),
    'INVALID_SHAPE',
    "convTranspose1dBackward: dy must have the result's shape [1, 5, 1], received [1, 4, 1]",
  ],
  [() => ops.depthwiseConv2d(image, zeros(3, 3, 2, 2)), 'INVALID_SHAPE', "conv2d: groups 2 do not divide the input's 3 channels"],
  [
    () => ops.depthwiseConv2d(image, zeros(3, 3, 3)),
    'INVALID_SHAPE',
    'depthwiseConv2d: filters must have rank 4 [KH, KW, C, M], received rank 3 [3, 3, 3]',
  ],
  [
    () => ops.depthwiseConv2d(image, zeros(3, 3, 3, 2), any({ groups: 3 })),
    'INVALID_ARGUMENT',
    'depthwiseConv2d: unknown option "groups"; there are runtime, name, bias, stride, padding, dilation, activation, algorithm',
  ],
  [() => ops.maxPool2d(image, 0), 'INVALID_ARGUMENT', 'maxPool2d: size must be a positive integer, received 0'],
  [() => ops.maxPool1d(image, 2), 'INVALID_SHAPE', 'maxPool1d: input must have rank 3 [N, L, C], received rank 4 [1, 4, 4, 3]'],
  [
    () => ops.averagePool3d(zeros(1, 2, 2, 2, 1), [1, 2] as never),
    'INVALID_ARGUMENT',
    'averagePool3d: size must be a number or three numbers [depth, height, width], received [1, 2]',
  ],
  [
    () => ops.lpPool2d(image, 2, { p: 0 }),
    'INVALID_ARGUMENT',
    'lpPool2d: p must be a finite number of at least 1 and at most 64, received 0',
  ],
  [
    () => ops.lpPool1dBackward(zeros(1, 4, 3), zeros(1, 4, 3), 2),
    'INVALID_SHAPE',
    "lpPool1dBackward: dy must have the result's shape [1, 2, 3], received [1, 4, 3]",
  ],
  [() => ops.adaptiveAveragePool2d(image, 0), 'INVALID_ARGUMENT', 'adaptiveAveragePool2d: size must be a positive integer, received 0'],
  [
    () => ops.adaptiveAveragePool1d(image, 2),
    'INVALID_SHAPE',
    'adaptiveAveragePool1d: input must have rank 3 [N, L, C], received rank 4 [1, 4, 4, 3]',
  ],
  [
    () => ops.globalMaxPool3d(image),
    'INVALID_SHAPE',
    'globalMaxPool3d: input must have rank 5 [N, D, H, W, C], received rank 4 [1, 4, 4, 3]',
  ],
  [() => ops.maxPool2d(image, 5), 'INVALID_SHAPE', 'maxPool2d: kernel height 5 is larger than the height of the input, 4'],
  [
    () => ops.maxPool2d(image, 2, { padding: 2, stride: 1 }),
    'INVALID_ARGUMENT',
    'maxPool2d: padding [[2, 2], [2, 2]] leaves a window wholly outside the input of 4 pixels',
  ],
  [() => ops.maxPool2d(image, 2, { ceil: any('yes') }), 'INVALID_ARGUMENT', 'maxPool2d: ceil must be true or false, received "yes"'],
  [() => ops.averagePool2d(zeros(2, 3), 2), 'INVALID_SHAPE', 'averagePool2d: input must have rank 4 [N, H, W, C], received rank 2 [2, 3]'],
  [
    () => ops.averagePool2dBackward(image, image, 2),
    'INVALID_SHAPE',
    "averagePool2dBackward: dy must have the result's shape [1, 2, 2, 3], received [1, 4, 4, 3]",
  ],
  [
    () => ops.dense(image, zeros(3, 2), { name: 'head' }),
    'INVALID_SHAPE',
    'dense "head": input must have rank 2 [N, I], received rank 4 [1, 4, 4, 3]',
  ],
  [() => ops.dense(zeros(2, 5), zeros(4, 3)), 'INVALID_SHAPE', 'dense: input has 5 features, weights expect 4'],
  [
    () => ops.denseBackward(zeros(2, 5), zeros(2, 4), zeros(4, 3)),
    'INVALID_SHAPE',
    "denseBackward: dy must have the result's shape [2, 3], received [2, 5]",
  ],
  [() => ops.matmul(zeros(2, 5), zeros(4, 3)), 'INVALID_SHAPE', 'matmul: a [2, 5] has 5 columns, b [4, 3] has 4 rows'],
  [
    () => ops.matmul(zeros(2, 5), zeros(4, 3), { transposeA: any(1) }),
    'INVALID_ARGUMENT',
    'matmul: transposeA must be true or false, received 1',
  ],
  [
    () => ops.add(zeros(2, 3), zeros(3, 2)),
    'INVALID_SHAPE',
    'add: a and b must have one shape or be broadcast to one, received [2, 3] and [3, 2]',
  ],
  [
    () => ops.where(zeros(2, 1), zeros(3), zeros(4)),
    'INVALID_SHAPE',
    'where: condition, a and b must have one shape or be broadcast to one, received [2, 1], [3] and [4]',
  ],
  [() => ops.sub(zeros(2), Number.POSITIVE_INFINITY), 'INVALID_ARGUMENT', 'sub: b must be a finite number, received Infinity'],
  [
    () => ops.greater(zeros(2), zeros(3), { name: 'gate' }),
    'INVALID_SHAPE',
    'greater "gate": a and b must have one shape or be broadcast to one, received [2] and [3]',
  ],
  [() => ops.clip(zeros(2), 1, 0), 'INVALID_ARGUMENT', 'clip: low must be at most high, received 1 and 0'],
  [() => ops.sum(zeros(2, 3), { axes: 2 }), 'INVALID_ARGUMENT', 'sum: axes must be an integer from -2 to 1, received 2'],
  [() => ops.max(zeros(2, 3), { axes: [0, -2] }), 'INVALID_ARGUMENT', 'max: axes must be one or more, each once, received [0, -2]'],
  [() => ops.mean(zeros(2, 3), { axes: [] }), 'INVALID_ARGUMENT', 'mean: axes must be one or more, each once, received []'],
  [() => ops.broadcastTo(zeros(2, 3), [3, 3]), 'INVALID_SHAPE', 'broadcastTo: shape [2, 3] cannot be broadcast to [3, 3]'],
  [
    () => ops.transpose(zeros(2, 3), [0, 0]),
    'INVALID_ARGUMENT',
    'transpose: permutation must hold each of the 2 axes once, received [0, 0]',
  ],
  [() => ops.matmul(zeros(2, 3, 4), zeros(5, 3)), 'INVALID_SHAPE', 'matmul: a [2, 3, 4] has 4 columns, b [5, 3] has 5 rows'],
  [
    () => ops.matmul(zeros(2, 3, 4), zeros(4)),
    'INVALID_SHAPE',
    'matmul: b must have two axes for its matrices, the batch aside, received [4]',
  ],
  [() => ops.slice(zeros(2, 3), [0, 1], [2, 3]), 'INVALID_SHAPE', 'slice: axis 1 of [2, 3]: 1 and 3 more are not all within'],
  [
    () => ops.slice(zeros(2, 3), [0], [2]),
    'INVALID_ARGUMENT',
    'slice: start and size must hold a number for each axis of [2, 3], received [0] and [2]',
  ],
  [() => ops.concat([zeros(2, 3)], { axis: 2 }), 'INVALID_ARGUMENT', 'concat: axis must be an integer from -2 to 1, received 2'],
  [() => ops.split(zeros(2, 3), 2), 'INVALID_ARGUMENT', 'split: the size of a part must be a positive integer, received 1.5'],
  [() => ops.split(zeros(2, 3), [1, 1]), 'INVALID_ARGUMENT', 'split: parts of 2 in all must make up axis 1 of [2, 3]'],
  [
    () => ops.pad(zeros(2, 3), any([[0, 1]])),
    'INVALID_ARGUMENT',
    'pad: padding must be [before, after] for each axis of [2, 3], received [[0, 1]]',
  ],
  [
    () => ops.pad(zeros(2), [[2, 0]], { mode: 'reflect' }),
    'INVALID_SHAPE',
    'pad: reflected padding must be less than the size, received [2, 0] for axis 0 of [2]',
  ],
  [() => ops.gather(zeros(2, 3), classes(0, 2)), 'INVALID_ARGUMENT', 'gather: indices must be from 0 to 1, received 2 at 1'],
  [
    () => ops.gather(zeros(2, 3), any(zeros(1))),
    'INVALID_DTYPE',
    'gather: the data of indices must be a Int32Array or Uint8Array, received Float32Array',
  ],
  [() => ops.oneHot(classes(-1), 2), 'INVALID_ARGUMENT', 'oneHot: indices must be from 0 to 1, received -1 at 0'],
  [() => ops.cast(zeros(2), any('uint8')), 'INVALID_ARGUMENT', "cast: dtype must be 'float32', 'int32', received \"uint8\""],
  [() => ops.reluBackward(zeros(2), zeros(3)), 'INVALID_SHAPE', 'reluBackward: dy and x must have one shape, received [2] and [3]'],
  [() => ops.scale(zeros(2), Number.NaN), 'INVALID_ARGUMENT', 'scale: factor must be a finite number, received NaN'],
  [() => ops.scale(zeros(2), zeros(2)), 'INVALID_SHAPE', 'scale: s must have one element, received [2]'],
  [() => ops.concat([]), 'INVALID_ARGUMENT', 'concat: takes an array of at least one tensor, received []'],
  [
    () => ops.concat([zeros(2, 3), zeros(3, 3)]),
    'INVALID_SHAPE',
    'concat: sizes must be alike but for the last, received [2, 3] and, at index 1, [3, 3]',
  ],
  [() => ops.slice(zeros(2, 3), 2, 2), 'INVALID_SHAPE', 'slice: channels 2 to 3 are not all within the last axis of [2, 3]'],
  [() => ops.slice(zeros(2, 3), -1, 2), 'INVALID_SHAPE', 'slice: channels 2 to 3 are not all within the last axis of [2, 3]'],
  [() => ops.slice(zeros(2, 3), -4, 2), 'INVALID_ARGUMENT', 'slice: start must be an integer of at least -3, received -4'],
  [() => ops.slice(zeros(2, 3), [-3, 0], [1, 1]), 'INVALID_ARGUMENT', 'slice: start[0] must be an integer of at least -2, received -3'],
  [() => ops.dropout(zeros(2), 1), 'INVALID_ARGUMENT', 'dropout: rate must be a finite number of at least 0 and below 1, received 1'],
  [
    () => ops.dropout(zeros(2), 0.5, { seed: -1 }),
    'INVALID_ARGUMENT',
    'dropout: seed must be an integer from 0 to 9007199254740991, received -1',
  ],
  [
    () => ops.normalize(zeros(2, 3), { scale: [1, 2] }),
    'INVALID_SHAPE',
    'normalize: scale must be one number or one per channel of [2, 3], received 2',
  ],
  [() => ops.reshape(zeros(2, 3), [4]), 'INVALID_SHAPE', 'reshape: shape [2, 3] cannot become [4]'],
  [() => ops.reshape(zeros(2, 3), any(6)), 'INVALID_ARGUMENT', 'reshape: shape must be an array, received 6'],
  [() => ops.flatten(zeros()), 'INVALID_SHAPE', 'flatten: input must have at least rank 1, received []'],
  [() => ops.biasGradient(zeros()), 'INVALID_SHAPE', 'biasGradient: dy must have a last axis of channels [..., C], received []'],
  [
    () => ops.softmaxCrossEntropy(zeros(2, 3), classes(0, 3)),
    'INVALID_LABEL',
    'softmaxCrossEntropy: labels must be from 0 to 2, received 3 at index 1',
  ],
  [
    () => ops.softmaxCrossEntropy(zeros(2, 3), classes(-1, 0)),
    'INVALID_LABEL',
    'softmaxCrossEntropy: labels must be from 0 to 2, received -1 at index 0',
  ],
  [
    () => ops.softmaxCrossEntropy(zeros(2, 3), classes(0)),
    'INVALID_SHAPE',
    'softmaxCrossEntropy: labels must have shape [2] for logits [2, 3], received [1]',
  ],
  [
    () => ops.softmaxCrossEntropy(zeros(2, 3), zeros(2, 2)),
    'INVALID_SHAPE',
    'softmaxCrossEntropy: labels must have shape [2, 3] for logits [2, 3], received [2, 2]',
  ],
  [
    () => ops.meanSquaredError(zeros(2, 3), zeros(6)),
    'INVALID_SHAPE',
    'meanSquaredError: predictions and targets must have one shape, received [2, 3] and [6]',
  ],
  [() => ops.accuracy(zeros(2, 3), classes(0, 9)), 'INVALID_LABEL', 'accuracy: labels must be from 0 to 2, received 9 at index 1'],
  [() => ops.batchNorm(zeros(3)), 'INVALID_SHAPE', 'batchNorm: input must have rank 2 or more [N, …, C], received rank 1 [3]'],
  [
    () => ops.batchNorm(image, { gamma: zeros(2), name: 'n' }),
    'INVALID_SHAPE',
    'batchNorm "n": gamma must have shape [3] for 3 channels, received [2]',
  ],
  [
    () => ops.batchNorm(image, { epsilon: -1 }),
    'INVALID_ARGUMENT',
    'batchNorm: epsilon must be a finite number of at least 0, received -1',
  ],
  [
    () => ops.batchNormInference(image, zeros(3), zeros(3, 1)),
    'INVALID_SHAPE',
    'batchNormInference: variance must have shape [3] for 3 channels, received [3, 1]',
  ],
  [
    () => ops.batchNormBackward(zeros(2, 3), image),
    'INVALID_SHAPE',
    'batchNormBackward: dy and x must have one shape, received [2, 3] and [1, 4, 4, 3]',
  ],
  [
    () => ops.batchNormBackward(image, image, any({ beta: zeros(3) })),
    'INVALID_ARGUMENT',
    'batchNormBackward: unknown option "beta"; there are runtime, name, gamma, epsilon',
  ],
  [() => ops.movingAverage(zeros(2), zeros(3)), 'INVALID_SHAPE', "movingAverage: value must have the parameter's shape [2], received [3]"],
  [
    () => ops.movingAverage(zeros(2), zeros(2), { momentum: 2 }),
    'INVALID_ARGUMENT',
    'movingAverage: momentum must be a finite number of at least 0 and at most 1, received 2',
  ],
  [() => ops.sgd(zeros(2), zeros(3), { learningRate: 1 }), 'INVALID_SHAPE', "sgd: grad must have the parameter's shape [2], received [3]"],
  [() => ops.sgd(zeros(2), zeros(2), any({})), 'INVALID_ARGUMENT', 'sgd: learningRate must be a finite number, received undefined'],
  [() => ops.sgd(zeros(2), zeros(2), { learningRate: 1, momentum: 0.5 }), 'INVALID_ARGUMENT', 'sgd: momentum needs a velocity'],
  [
    () => ops.adam(zeros(2), zeros(2), { m: zeros(2), v: zeros(2), step: 0 }),
    'INVALID_ARGUMENT',
    'adam: step must be an integer from 1 to 9007199254740991, received 0',
  ],
  [() => ops.fill([2, 0], 1), 'INVALID_SHAPE', 'fill: sizes must be positive integers, received [2, 0]'],
]

describe('bad input is refused in the words of the caller', () => {
  test.each(cases.map(([run, code, message]) => ({ run, code, message })))('$message', ({ run, code, message }) => {
    expect(run).toThrow(expect.objectContaining({ name: 'ConvlaneError', code, message }))
  })
})
