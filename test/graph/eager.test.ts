import { describe, expect, test } from 'vitest'
import { inputValue } from '../../lib/graph/sources'
import { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import { compileProgram } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { type AnyTensor, type Labels, type Tensor, tensor } from '../../lib/tensor'
import { runSpec } from '../program/runSpec'
import { Random } from '../support/random'

const random = new Random(3)
const numbers = (...shape: number[]): Tensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.between(-1, 1)),
})
const labels: Labels = { shape: [4], data: Int32Array.of(0, 2, 1, 2) }

/** Every function, called alike with tensors and with values. `o` are the options of the runtime. */
type Call = (x: readonly never[], o: ops.OpOptions) => unknown
const calls: Record<string, [call: Call, ...inputs: AnyTensor[]]> = {
  conv2d: [
    ([x, w, bias], o) => ops.conv2d(x!, w!, { ...o, bias: bias!, stride: 2, padding: 'same', activation: 'relu' }),
    numbers(2, 7, 6, 4),
    numbers(3, 3, 4, 5),
    numbers(5),
  ],
  'conv2d with softmax': [
    ([x, w], o) => ops.conv2d(x!, w!, { ...o, groups: 2, activation: 'softmax' }),
    numbers(2, 4, 5, 4),
    numbers(2, 2, 2, 6),
  ],
  conv2dBackward: [
    ([dy, x, w], o) => ops.conv2dBackward(dy!, x!, w!, { ...o, padding: 1 }),
    numbers(2, 5, 5, 3),
    numbers(2, 5, 5, 2),
    numbers(3, 3, 2, 3),
  ],
  'conv2dBackward with sigmoid': [
    ([dy, x, w, bias], o) => ops.conv2dBackward(dy!, x!, w!, { ...o, bias: bias!, activation: 'sigmoid' }),
    numbers(1, 3, 3, 3),
    numbers(1, 5, 5, 2),
    numbers(3, 3, 2, 3),
    numbers(3),
  ],
  'convTranspose1d, outputPadding up to the dilation': [
    ([x, w, bias], o) =>
      ops.convTranspose1d(x!, w!, { ...o, bias: bias!, dilation: 4, outputPadding: 3, padding: [0, 1], activation: 'sigmoid' }),
    numbers(2, 4, 3),
    numbers(2, 2, 3),
    numbers(2),
  ],
  'convTranspose1dBackward, outputPadding up to the dilation': [
    ([dy, x, w], o) =>
      ops.convTranspose1dBackward(dy!, x!, w!, { ...o, dilation: 4, outputPadding: 3, padding: [0, 1], activation: 'relu' }),
    numbers(2, 10, 2),
    numbers(2, 4, 3),
    numbers(2, 2, 3),
  ],
  prelu: [([x, alpha], o) => ops.prelu(x!, alpha!, o), numbers(2, 3, 4), numbers(3, 1)],
  maxout: [([x], o) => ops.maxout(x!, 2, o), numbers(2, 3, 5, 4)],
  resize1d: [([x], o) => ops.resize1d(x!, 5, o), numbers(2, 3, 4)],
  resize2d: [([x], o) => ops.resize2d(x!, [3, 8], { ...o, interpolation: 'bilinear' }), numbers(2, 5, 4, 3)],
  resize3d: [([x], o) => ops.resize3d(x!, 3, { ...o, interpolation: 'nearest' }), numbers(2, 2, 4, 3, 2)],
  resize1dBackward: [([dy, x], o) => ops.resize1dBackward(dy!, x!, 5, o), numbers(2, 5, 4), numbers(2, 3, 4)],
  resize2dBackward: [([dy, x], o) => ops.resize2dBackward(dy!, x!, [3, 8], o), numbers(2, 3, 8, 3), numbers(2, 5, 4, 3)],
  resize3dBackward: [
    ([dy, x], o) => ops.resize3dBackward(dy!, x!, 3, { ...o, interpolation: 'nearest' }),
    numbers(1, 3, 3, 3, 2),
    numbers(1, 2, 4, 3, 2),
  ],
  conv1d: [
    ([x, w, bias], o) => ops.conv1d(x!, w!, { ...o, bias: bias!, padding: 'causal', activation: 'relu' }),
    numbers(2, 7, 4),
    numbers(3, 4, 5),
    numbers(5),
  ],
  conv1dBackward: [
    ([dy, x, w], o) => ops.conv1dBackward(dy!, x!, w!, { ...o, padding: [2, 0] }),
    numbers(2, 6, 3),
    numbers(2, 6, 2),
    numbers(3, 2, 3),
  ],
  conv3d: [
    ([x, w], o) => ops.conv3d(x!, w!, { ...o, padding: [0, 1, 2], stride: [1, 1, 2] }),
    numbers(2, 3, 4, 5, 2),
    numbers(2, 3, 3, 2, 3),
  ],
  conv3dBackward: [
    ([dy, x, w], o) => ops.conv3dBackward(dy!, x!, w!, { ...o, padding: 'same' }),
    numbers(1, 3, 3, 2, 3),
    numbers(1, 3, 3, 2, 2),
    numbers(3, 3, 3, 2, 3),
  ],
  depthwiseConv2d: [([x, w], o) => ops.depthwiseConv2d(x!, w!, { ...o, padding: 'same' }), numbers(2, 4, 4, 3), numbers(3, 3, 3, 2)],
  depthwiseConv1d: [
    ([x, w, bias], o) => ops.depthwiseConv1d(x!, w!, { ...o, bias: bias!, padding: 'causal', activation: 'relu' }),
    numbers(2, 6, 3),
    numbers(3, 3, 2),
    numbers(6),
  ],
  depthwiseConv1dBackward: [
    ([dy, x, w], o) => ops.depthwiseConv1dBackward(dy!, x!, w!, { ...o, stride: 2 }),
    numbers(2, 2, 6),
    numbers(2, 6, 3),
    numbers(3, 3, 2),
  ],
  depthwiseConv2dBackward: [
    ([dy, x, w], o) => ops.depthwiseConv2dBackward(dy!, x!, w!, o),
    numbers(2, 2, 3, 6),
    numbers(2, 4, 4, 3),
    numbers(3, 2, 3, 2),
  ],
  convTranspose1d: [
    ([x, w, bias], o) => ops.convTranspose1d(x!, w!, { ...o, bias: bias!, stride: 2, padding: 1, outputPadding: 1, activation: 'tanh' }),
    numbers(2, 3, 4),
    numbers(3, 3, 4),
    numbers(3),
  ],
  convTranspose2d: [
    ([x, w, bias], o) => ops.convTranspose2d(x!, w!, { ...o, bias: bias!, stride: 2, padding: 1, outputPadding: 1, activation: 'tanh' }),
    numbers(2, 3, 4, 4),
    numbers(3, 2, 3, 4),
    numbers(3),
  ],
  convTranspose3d: [
    ([x, w, bias], o) => ops.convTranspose3d(x!, w!, { ...o, bias: bias!, stride: 2, padding: 1, outputPadding: 1, activation: 'tanh' }),
    numbers(2, 3, 4, 2, 4),
    numbers(3, 2, 3, 3, 4),
    numbers(3),
  ],
  convTranspose1dBackward: [
    ([dy, x, w], o) => ops.convTranspose1dBackward(dy!, x!, w!, { ...o, stride: 2 }),
    numbers(2, 9, 2),
    numbers(2, 4, 3),
    numbers(3, 2, 3),
  ],
  convTranspose2dBackward: [
    ([dy, x, w, bias], o) =>
      ops.convTranspose2dBackward(dy!, x!, w!, { ...o, stride: 2, padding: 'same', bias: bias!, activation: 'sigmoid' }),
    numbers(1, 4, 6, 2),
    numbers(1, 2, 3, 4),
    numbers(3, 3, 2, 4),
    numbers(2),
  ],
  convTranspose3dBackward: [
    ([dy, x, w], o) => ops.convTranspose3dBackward(dy!, x!, w!, o),
    numbers(1, 3, 3, 3, 2),
    numbers(1, 2, 2, 2, 3),
    numbers(2, 2, 2, 2, 3),
  ],
  maxPool2d: [([x], o) => ops.maxPool2d(x!, [3, 2], { ...o, stride: 2, padding: 1, ceil: true }), numbers(2, 6, 7, 3)],
  maxPool2dWithPositions: [([x], o) => ops.maxPool2dWithPositions(x!, 2, o), numbers(2, 4, 4, 3)],
  maxPool2dBackward: [([dy, x], o) => ops.maxPool2dBackward(dy!, x!, 3, { ...o, stride: 1 }), numbers(2, 2, 3, 3), numbers(2, 4, 5, 3)],
  averagePool2d: [([x], o) => ops.averagePool2d(x!, 3, { ...o, stride: 2, padding: 1, countPadding: true }), numbers(2, 6, 7, 3)],
  averagePool2dBackward: [([dy, x], o) => ops.averagePool2dBackward(dy!, x!, 2, { ...o }), numbers(2, 2, 2, 3), numbers(2, 4, 5, 3)],
  maxPool1d: [([x], o) => ops.maxPool1d(x!, 3, { ...o, stride: 2, padding: 1 }), numbers(2, 7, 3)],
  maxPool1dWithPositions: [([x], o) => ops.maxPool1dWithPositions(x!, 2, o), numbers(2, 4, 3)],
  maxPool1dBackward: [([dy, x], o) => ops.maxPool1dBackward(dy!, x!, 3, { ...o, stride: 1 }), numbers(2, 3, 3), numbers(2, 5, 3)],
  maxPool3d: [([x], o) => ops.maxPool3d(x!, [2, 1, 2], { ...o, ceil: true }), numbers(2, 3, 3, 5, 2)],
  maxPool3dWithPositions: [([x], o) => ops.maxPool3dWithPositions(x!, 2, o), numbers(1, 4, 4, 2, 3)],
  maxPool3dBackward: [([dy, x], o) => ops.maxPool3dBackward(dy!, x!, 2, o), numbers(1, 1, 2, 1, 3), numbers(1, 2, 4, 3, 3)],
  averagePool1d: [([x], o) => ops.averagePool1d(x!, 3, { ...o, padding: 'same', stride: 1 }), numbers(2, 7, 3)],
  averagePool1dBackward: [([dy, x], o) => ops.averagePool1dBackward(dy!, x!, 2, o), numbers(2, 3, 3), numbers(2, 7, 3)],
  averagePool3d: [([x], o) => ops.averagePool3d(x!, 2, { ...o, padding: 1, countPadding: true }), numbers(1, 3, 2, 4, 3)],
  averagePool3dBackward: [([dy, x], o) => ops.averagePool3dBackward(dy!, x!, 2, o), numbers(1, 1, 2, 1, 3), numbers(1, 2, 4, 3, 3)],
  lpPool1d: [([x], o) => ops.lpPool1d(x!, 3, { ...o, p: 3 }), numbers(2, 7, 3)],
  lpPool2d: [([x], o) => ops.lpPool2d(x!, 2, o), numbers(2, 4, 5, 3)],
  lpPool3d: [([x], o) => ops.lpPool3d(x!, 2, { ...o, p: 1 }), numbers(1, 2, 4, 5, 3)],
  lpPool1dBackward: [([dy, x], o) => ops.lpPool1dBackward(dy!, x!, 2, o), numbers(2, 3, 3), numbers(2, 7, 3)],
  lpPool2dBackward: [([dy, x], o) => ops.lpPool2dBackward(dy!, x!, 2, { ...o, p: 3 }), numbers(2, 2, 2, 3), numbers(2, 4, 5, 3)],
  lpPool3dBackward: [([dy, x], o) => ops.lpPool3dBackward(dy!, x!, 2, o), numbers(1, 1, 2, 1, 3), numbers(1, 2, 4, 3, 3)],
  adaptiveAveragePool1d: [([x], o) => ops.adaptiveAveragePool1d(x!, 3, o), numbers(2, 7, 3)],
  adaptiveAveragePool2d: [([x], o) => ops.adaptiveAveragePool2d(x!, [2, 6], o), numbers(2, 4, 5, 3)],
  adaptiveAveragePool3d: [([x], o) => ops.adaptiveAveragePool3d(x!, 2, o), numbers(1, 3, 4, 5, 3)],
  adaptiveAveragePool1dBackward: [([dy, x], o) => ops.adaptiveAveragePool1dBackward(dy!, x!, 3, o), numbers(2, 3, 3), numbers(2, 7, 3)],
  adaptiveAveragePool2dBackward: [
    ([dy, x], o) => ops.adaptiveAveragePool2dBackward(dy!, x!, 2, o),
    numbers(2, 2, 2, 3),
    numbers(2, 3, 5, 3),
  ],
  adaptiveAveragePool3dBackward: [
    ([dy, x], o) => ops.adaptiveAveragePool3dBackward(dy!, x!, [1, 2, 2], o),
    numbers(1, 1, 2, 2, 3),
    numbers(1, 2, 4, 3, 3),
  ],
  globalAveragePool1d: [([x], o) => ops.globalAveragePool1d(x!, o), numbers(2, 3, 4)],
  globalAveragePool3d: [([x], o) => ops.globalAveragePool3d(x!, o), numbers(2, 3, 2, 2, 4)],
  globalMaxPool1d: [([x], o) => ops.globalMaxPool1d(x!, o), numbers(2, 3, 4)],
  globalMaxPool2d: [([x], o) => ops.globalMaxPool2d(x!, o), numbers(2, 3, 2, 4)],
  globalMaxPool3d: [([x], o) => ops.globalMaxPool3d(x!, o), numbers(2, 3, 2, 2, 4)],
  globalAveragePool2d: [([x], o) => ops.globalAveragePool2d(x!, o), numbers(2, 3, 5, 4)],
  dense: [([x, w, bias], o) => ops.dense(x!, w!, { ...o, bias: bias!, activation: 'tanh' }), numbers(3, 5), numbers(5, 4), numbers(4)],
  denseBackward: [
    ([dy, x, w, bias], o) => ops.denseBackward(dy!, x!, w!, { ...o, bias: bias!, activation: 'tanh' }),
    numbers(3, 4),
    numbers(3, 5),
    numbers(5, 4),
    numbers(4),
  ],
  matmul: [([a, b], o) => ops.matmul(a!, b!, { ...o, transposeA: true, transposeB: true }), numbers(5, 3), numbers(4, 5)],
  l2Norm: [(xs, o) => ops.l2Norm(xs as never, o) as Tensor, numbers(3, 7), numbers(2)],
  clipByNorm: [([x, norm], o) => ops.clipByNorm(x!, norm!, 0.5, o), numbers(3, 7), tensor([2], [])],
  clipByValue: [([x], o) => ops.clipByValue(x!, 0.5, o), numbers(3, 7)],
  relu: [([x], o) => ops.relu(x!, o), numbers(3, 7)],
  reluBackward: [([dy, x], o) => ops.reluBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  sigmoid: [([x], o) => ops.sigmoid(x!, o), numbers(3, 7)],
  sigmoidBackward: [([dy, x], o) => ops.sigmoidBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  tanh: [([x], o) => ops.tanh(x!, o), numbers(3, 7)],
  tanhBackward: [([dy, x], o) => ops.tanhBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  elu: [([x], o) => ops.elu(x!, { ...o, alpha: 0.5 }), numbers(3, 7)],
  eluBackward: [([dy, x], o) => ops.eluBackward(dy!, x!, { ...o, alpha: 0.5 }), numbers(3, 7), numbers(3, 7)],
  gelu: [([x], o) => ops.gelu(x!, { ...o, approximate: 'tanh' }), numbers(3, 7)],
  geluBackward: [([dy, x], o) => ops.geluBackward(dy!, x!, { ...o, approximate: 'tanh' }), numbers(3, 7), numbers(3, 7)],
  hardSigmoid: [([x], o) => ops.hardSigmoid(x!, o), numbers(3, 7)],
  hardSigmoidBackward: [([dy, x], o) => ops.hardSigmoidBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  hardSwish: [([x], o) => ops.hardSwish(x!, o), numbers(3, 7)],
  hardSwishBackward: [([dy, x], o) => ops.hardSwishBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  leakyRelu: [([x], o) => ops.leakyRelu(x!, { ...o, slope: 0.1 }), numbers(3, 7)],
  leakyReluBackward: [([dy, x], o) => ops.leakyReluBackward(dy!, x!, { ...o, slope: 0.1 }), numbers(3, 7), numbers(3, 7)],
  linearThreshold: [([x], o) => ops.linearThreshold(x!, { ...o, max: 0.5, slope: 0.1, threshold: -0.2 }), numbers(3, 7)],
  linearThresholdBackward: [
    ([dy, x], o) => ops.linearThresholdBackward(dy!, x!, { ...o, max: 0.5, slope: 0.1, threshold: -0.2 }),
    numbers(3, 7),
    numbers(3, 7),
  ],
  logSoftmax: [([x], o) => ops.logSoftmax(x!, o), numbers(3, 7)],
  logSoftmaxBackward: [([dy, x], o) => ops.logSoftmaxBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  mish: [([x], o) => ops.mish(x!, o), numbers(3, 7)],
  mishBackward: [([dy, x], o) => ops.mishBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  selu: [([x], o) => ops.selu(x!, o), numbers(3, 7)],
  seluBackward: [([dy, x], o) => ops.seluBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  silu: [([x], o) => ops.silu(x!, o), numbers(3, 7)],
  siluBackward: [([dy, x], o) => ops.siluBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  softplus: [([x], o) => ops.softplus(x!, o), numbers(3, 7)],
  softplusBackward: [([dy, x], o) => ops.softplusBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  softsign: [([x], o) => ops.softsign(x!, o), numbers(3, 7)],
  softsignBackward: [([dy, x], o) => ops.softsignBackward(dy!, x!, o), numbers(3, 7), numbers(3, 7)],
  'gelu, exact': [([x], o) => ops.gelu(x!, o), numbers(3, 7)],
  softmax: [([x], o) => ops.softmax(x!, o), numbers(2, 3, 7)],
  softmaxBackward: [([dy, x], o) => ops.softmaxBackward(dy!, x!, o), numbers(2, 3, 7), numbers(2, 3, 7)],
  add: [([a, b], o) => ops.add(a!, b!, { ...o, activation: 'relu' }), numbers(3, 7), numbers(3, 7)],
  multiply: [([a, b], o) => ops.multiply(a!, b!, o), numbers(3, 7), numbers(3, 7)],
  'add of a row and a column': [([a, b], o) => ops.add(a!, b!, { ...o, activation: 'tanh' }), numbers(3, 1), numbers(7)],
  mul: [([a, b], o) => ops.mul(a!, b!, o), numbers(3, 7), numbers(7)],
  sub: [([a, b], o) => ops.sub(a!, b!, o), numbers(3, 7), numbers(3, 1)],
  div: [([a, b], o) => ops.div(a!, ops.exp(b!, o), o), numbers(2, 3), numbers(3)],
  pow: [([a, b], o) => ops.pow(ops.exp(a!, o), b!, o), numbers(2, 3), numbers(3)],
  'numbers among operands': [([x], o) => ops.add(ops.pow(2, x!, o), ops.div(ops.sub(x!, 1, o), 3, o), o), numbers(5)],
  minimum: [([a, b], o) => ops.minimum(a!, b!, o), numbers(2, 3), numbers(3)],
  maximum: [([a, b], o) => ops.maximum(a!, b!, o), numbers(2, 3), numbers(3)],
  comparisons: [
    ([a, b], o) => ({
      equal: ops.equal(a!, b!, o),
      notEqual: ops.notEqual(a!, b!, o),
      less: ops.less(a!, b!, o),
      lessEqual: ops.lessEqual(a!, b!, o),
      greater: ops.greater(a!, b!, o),
      greaterEqual: ops.greaterEqual(a!, b!, o),
    }),
    tensor([1, 2, 3], [3]),
    tensor([2], []),
  ],
  where: [([c, a, b], o) => ops.where(c!, a!, b!, o), tensor([0, 1, -1], [3, 1]), numbers(3, 2), numbers(2)],
  neg: [([x], o) => ops.neg(x!, o), numbers(3, 7)],
  exp: [([x], o) => ops.exp(x!, o), numbers(3, 7)],
  log: [([x], o) => ops.log(ops.exp(x!, o), o), numbers(3, 7)],
  sqrt: [([x], o) => ops.sqrt(ops.abs(x!, o), o), numbers(3, 7)],
  sign: [([x], o) => ops.sign(x!, o), numbers(3, 7)],
  clip: [([x], o) => ops.clip(x!, -0.5, 0.5, o), numbers(3, 7)],
  sum: [([x], o) => ops.sum(x!, { ...o, axes: [0, 2], keepDims: true }), numbers(3, 2, 4)],
  mean: [([x], o) => ops.mean(x!, { ...o, axes: -1 }), numbers(3, 2, 4)],
  max: [([x], o) => ops.max(x!, { ...o, axes: [0, 2], keepDims: true }), numbers(3, 2, 4)],
  min: [([x], o) => ops.min(x!, o), numbers(3, 2, 4)],
  broadcastTo: [([x], o) => ops.broadcastTo(x!, [2, 3, 4], o), numbers(3, 1)],
  transpose: [([x], o) => ops.transpose(x!, [1, 2, 0], o), numbers(3, 2, 4)],
  'matmul of stacks': [([a, b], o) => ops.matmul(a!, b!, { ...o, transposeB: true }), numbers(2, 5, 3), numbers(4, 3)],
  'concat along an axis': [(xs, o) => ops.concat(xs, { ...o, axis: 0 }), numbers(3, 2), numbers(1, 2)],
  'slice of a box': [([x], o) => ops.slice(x!, [0, 1, 2], [null, 2, 3], o), numbers(2, 3, 7)],
  split: [([x], o) => ({ ...ops.split(x!, [1, 2], { ...o, axis: 1 }) }), numbers(2, 3, 7)],
  pad: [
    ([x], o) =>
      ops.pad(
        x!,
        [
          [1, 2],
          [0, 1],
        ],
        { ...o, value: 2 },
      ),
    numbers(2, 3),
  ],
  'pad by reflection': [
    ([x], o) =>
      ops.pad(
        x!,
        [
          [1, 0],
          [0, 2],
        ],
        { ...o, mode: 'reflect' },
      ),
    numbers(2, 3),
  ],
  gather: [([x, i], o) => ops.gather(x!, i!, { ...o, axis: 1 }), numbers(2, 3, 4), labels],
  oneHot: [([i], o) => ops.oneHot(i!, 3, o), labels],
  'cast to whole numbers': [([x], o) => ops.cast(x!, 'int32', o), tensor([1.5, -2.5, 3], [3])],
  'cast of bytes': [([x], o) => ops.cast(x!, 'float32', o), { shape: [3], data: Uint8Array.of(0, 7, 255) }],
  'scale by a number': [([x], o) => ops.scale(x!, 2.5, o), numbers(3, 7)],
  'scale by a tensor': [([x, s], o) => ops.scale(x!, s!, o), numbers(3, 7), numbers()],
  concat: [(xs, o) => ops.concat(xs, o), numbers(3, 2), numbers(3, 5), numbers(3, 1)],
  slice: [([x], o) => ops.slice(x!, 2, 3, o), numbers(2, 3, 7)],
  dropout: [([x], o) => ops.dropout(x!, 0.5, { ...o, seed: 5, step: 1, stream: 2 }), numbers(9, 7)],
  normalize: [([x], o) => ops.normalize(x!, { ...o, scale: [1, 2, 3], offset: -0.5 }), numbers(2, 2, 3)],
  'normalize of bytes': [
    ([x], o) => ops.normalize(x!, { ...o, scale: 1 / 255 }),
    { shape: [2, 3], data: Uint8Array.of(0, 1, 127, 128, 254, 255) },
  ],
  biasGradient: [([dy], o) => ops.biasGradient(dy!, o), numbers(2, 3, 4, 5)],
  reshape: [([x], o) => ops.reshape(x!, [6, 2, 1], o), numbers(3, 4)],
  flatten: [([x], o) => ops.flatten(x!, o), numbers(3, 4, 2)],
  stopGradient: [([x], o) => ops.add(ops.stopGradient(x!, o), x!, o), numbers(3, 4)],
  softmaxCrossEntropy: [([x, t], o) => ops.softmaxCrossEntropy(x!, t!, o), numbers(4, 3), labels],
  'softmaxCrossEntropy with a distribution': [
    ([x, t], o) => ops.softmaxCrossEntropy(x!, t!, o),
    numbers(2, 2),
    tensor([0.5, 0.5, 0, 1], [2, 2]),
  ],
  'softmaxCrossEntropy with all options': [
    ([x, t, weights], o) =>
      ops.softmaxCrossEntropy(x!, t!, { ...o, weights: weights!, labelSmoothing: 0.2, ignoreLabel: 2, classWeights: [1, 3, 2] }),
    numbers(4, 3),
    labels,
    tensor([1, 0.5, 2, 1], [4]),
  ],
  meanSquaredError: [([x, t], o) => ops.meanSquaredError(x!, t!, o), numbers(4, 3), numbers(4, 3)],
  accuracy: [([x, t], o) => ops.accuracy(x!, t!, o), numbers(4, 3), labels],
  'accuracy of the first two': [([x, t], o) => ops.accuracy(x!, t!, { ...o, k: 2, ignoreLabel: 2 }), numbers(4, 3), labels],
  confusion: [([x, t], o) => ops.confusion(x!, t!, { ...o, ignoreLabel: 2 }), numbers(4, 3), labels],
  'confusion of each column': [([x, t], o) => ops.confusion(x!, t!, { ...o, multiLabel: true }), numbers(4, 3), numbers(4, 3)],
}

/** Results as a list: of a tensor, a number, or an object of them. */
function listed(result: unknown): (AnyTensor | Value)[] {
  if (result instanceof Value) return [result]
  if (typeof result === 'number') return [{ shape: [], data: Float32Array.of(result) }]
  if (ArrayBuffer.isView((result as AnyTensor).data)) return [result as AnyTensor]
  return Object.values(result as object).flatMap(listed)
}

describe.each(Object.entries(calls))('%s', (_, [call, ...inputs]) => {
  const compute = (runtime: 'native' | 'reference') => listed(call(inputs as never[], { runtime })) as AnyTensor[]

  test('native gives what the reference gives, and changes none of its inputs', () => {
    const before = structuredClone(inputs)
    const [native, reference] = [compute('native'), compute('reference')]
    expect(inputs).toEqual(before)
    expect(native.map(({ shape }) => shape)).toEqual(reference.map(({ shape }) => shape))
    native.forEach(({ data }, index) => {
      expect(data.constructor).toBe(reference[index]!.data.constructor)
      for (const [i, x] of data.entries()) expect(x).toBeCloseTo(reference[index]!.data[i]!, 4)
    })
  })

  test('a graph gives the same, to the bit of float32', () => {
    const dtypes = { Float32Array: 'float32', Int32Array: 'int32', Uint8Array: 'uint8' } as const
    const values = inputs.map(({ shape, data }, index) => inputValue(`${index}`, shape, dtypes[data[Symbol.toStringTag]]))
    const outputs = listed(call(values as never[], {})) as Value[]
    const expected = compute('reference')
    expect(outputs.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
    const passes = { fuse: false }
    const { spec } = compileProgram({ inputs: values, outputs, layout: stateLayout([]), capacity: 1, lane: 'infer', passes })
    const found = runSpec(
      spec,
      new Float64Array(),
      inputs.map(({ data }) => Float64Array.from(data)),
    )
    found.forEach((data, index) => {
      for (const [i, x] of data.entries()) expect(x).toBeCloseTo(expected[index]!.data[i]!, 5)
    })
  })
})

describe('what is told apart', () => {
  test('positions given are used, those of others refused', () => {
    const [x, dy] = [tensor([1, 2, 3, 4], [1, 2, 2, 1]), tensor([5], [1, 1, 1, 1])]
    const { y, positions } = ops.maxPool2dWithPositions(x, 2)
    expect([y.data, positions.data]).toEqual([Float32Array.of(4), Int32Array.of(3)])
    expect(ops.maxPool2dBackward(dy, x, 2, { positions }).dx.data).toEqual(Float32Array.of(0, 0, 0, 5))
    const other = { shape: [1, 1, 1, 1], data: Int32Array.of(1) }
    expect(ops.maxPool2dBackward(dy, x, 2, { positions: other }).dx.data).toEqual(Float32Array.of(0, 5, 0, 0))
    other.data[0] = 4
    expect(() => ops.maxPool2dBackward(dy, x, 2, { positions: other })).toThrow(
      'maxPool2dBackward: positions must be from 0 to 3, received 4',
    )
  })

  test('each algorithm', () => {
    const [x, w] = [numbers(2, 9, 9, 8), numbers(3, 3, 8, 16)]
    const results = (['auto', 'im2col', 'indirect'] as const).map(
      (algorithm) => ops.conv2d(x, w, { runtime: 'native', algorithm, padding: 1 }).data,
    )
    for (const data of results) for (const [i, y] of data.entries()) expect(y).toBeCloseTo(results[0]![i]!, 3) // 'auto' is Winograd's
  })

  test('bytes as labels', () => {
    const logits = numbers(4, 3)
    const bytes: Labels = { shape: [4], data: Uint8Array.from(labels.data) }
    expect(ops.softmaxCrossEntropy(logits, bytes)).toEqual(ops.softmaxCrossEntropy(logits, labels))
    expect(ops.accuracy(logits, bytes)).toEqual(ops.accuracy(logits, labels))
  })
})

describe.each(['native', 'reference'] as const)('updates on the %s', (runtime) => {
  const [param, grad] = [tensor([1, -2], [2]), tensor([0.5, 1], [2])]

  test('sgd, by hand', () => {
    expect(ops.sgd(param, grad, { learningRate: 0.5, runtime })).toEqual({ param: tensor([0.75, -2.5], [2]) })
    const options = { learningRate: 0.5, momentum: 0.5, weightDecay: 1, velocity: tensor([2, 4], [2]), runtime }
    expect(ops.sgd(param, grad, options)).toEqual({ param: tensor([-0.25, -2.5], [2]), velocity: tensor([2.5, 1], [2]) })
    expect(ops.sgd(param, grad, { ...options, nesterov: true }).param).toEqual(tensor([1 - 0.5 * 2.75, -2 - 0.5 * -0.5], [2]))
    expect(param.data).toEqual(Float32Array.of(1, -2))
  })

  test('adam: the first update goes by the learning rate, whatever the gradient', () => {
    const zeros = tensor([0, 0], [2])
    const { param: updated, m, v } = ops.adam(param, grad, { m: zeros, v: zeros, step: 1, learningRate: 0.25, runtime })
    expect(Array.from(updated.data)).toEqual([expect.closeTo(0.75, 6), expect.closeTo(-2.25, 6)])
    expect(Array.from(m.data)).toEqual([expect.closeTo(0.05, 6), expect.closeTo(0.1, 6)])
    expect(Array.from(v.data)).toEqual([expect.closeTo(0.00025, 7), expect.closeTo(0.001, 7)])
    expect(zeros.data).toEqual(new Float32Array(2))
  })

  test('rmsprop, by hand', () => {
    const options = { square: tensor([0, 0], [2]), learningRate: 0.5, alpha: 0.75, epsilon: 0.25, runtime }
    expect(ops.rmsprop(param, grad, options)).toEqual({ param: tensor([0.5, -2 - 0.5 / 0.75], [2]), square: tensor([0.0625, 0.25], [2]) })
    const { velocity, mean } = ops.rmsprop(param, grad, { ...options, momentum: 0.5, velocity: param, mean: grad })
    expect([velocity!.shape, mean!.data]).toEqual([[2], Float32Array.of(0.5, 1)])
  })

  test('adagrad, by hand', () => {
    const options = { sum: tensor([0, 0], [2]), step: 2, learningRate: 1, learningRateDecay: 1, epsilon: 0, runtime }
    expect(ops.adagrad(param, grad, options)).toEqual({ param: tensor([0.5, -2.5], [2]), sum: tensor([0.25, 1], [2]) })
    expect(ops.adagrad(param, grad, { ...options, weightDecay: 1, decoupled: true }).param).toEqual(tensor([-0.5, -0.5], [2]))
  })
})
