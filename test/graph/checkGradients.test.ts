import { describe, expect, test } from 'vitest'
import { apply, nodeOf } from '../../lib/graph/apply'
import { checkGradients } from '../../lib/graph/checkGradients'
import { inputValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import type { OpDefinition } from '../../lib/ops/op'
import type { Labels, Tensor } from '../../lib/tensor'
import { Random } from '../support/random'

const random = new Random(7)
const numbers = (...shape: number[]): Tensor => ({
  shape,
  // Away from 0, and no two alike.
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.next() < 0.5 ? -1 : 1) * random.between(0.05, 1)),
})
const labels: Labels = { shape: [3], data: Int32Array.of(2, 0, 3) }
const distribution: Tensor = { shape: [3, 4], data: Float32Array.of(0.1, 0.2, 0.3, 0.4, 1, 0, 0, 0, 0.25, 0.25, 0.5, 0) }

const cases: Record<string, [fn: (...values: Value[]) => Value, ...inputs: (Tensor | Labels)[]]> = {
  conv2d: [(x, w, bias) => ops.conv2d(x!, w!, { bias: bias! }), numbers(2, 5, 6, 3), numbers(3, 2, 3, 4), numbers(4)],
  'conv2d, uneven padding, stride, dilation': [
    (x, w) =>
      ops.conv2d(x!, w!, {
        padding: [
          [0, 2],
          [1, 0],
        ],
        stride: [2, 3],
        dilation: [2, 1],
      }),
    numbers(1, 6, 7, 2),
    numbers(2, 3, 2, 3),
  ],
  'conv2d, groups, same, fused tanh': [
    (x, w, bias) => ops.conv2d(x!, w!, { bias: bias!, groups: 2, padding: 'same', activation: 'tanh' }),
    numbers(2, 4, 4, 4),
    numbers(3, 3, 2, 6),
    numbers(6),
  ],
  'conv2d, softmax': [(x, w) => ops.conv2d(x!, w!, { activation: 'softmax' }), numbers(1, 3, 3, 2), numbers(2, 2, 2, 3)],
  'convTranspose2d, outputPadding up to the dilation': [
    (x, w, bias) =>
      ops.convTranspose2d(x!, w!, {
        bias: bias!,
        dilation: [3, 2],
        stride: [1, 2],
        outputPadding: [2, 1],
        padding: [1, 0],
        activation: 'tanh',
      }),
    numbers(2, 3, 2, 2),
    numbers(2, 2, 3, 2),
    numbers(3),
  ],
  'prelu, a slope for each channel': [(x, alpha) => ops.prelu(x!, alpha!), numbers(2, 3, 4), numbers(4)],
  'prelu, shared along an axis': [(x, alpha) => ops.prelu(x!, alpha!), numbers(2, 3, 4), numbers(3, 1)],
  'maxout, rank 2': [(x) => ops.maxout(x!, 3), numbers(2, 6)],
  'maxout, images': [(x) => ops.maxout(x!, 2), numbers(2, 2, 3, 4)],
  'resize1d, longer': [(x) => ops.resize1d(x!, 7), numbers(2, 3, 2)],
  'resize2d, of both': [(x) => ops.resize2d(x!, [3, 7]), numbers(2, 4, 3, 2)],
  'resize2d, nearest': [(x) => ops.resize2d(x!, [5, 2], { interpolation: 'nearest' }), numbers(2, 4, 3, 2)],
  'resize3d, all axes': [(x) => ops.resize3d(x!, [3, 1, 4]), numbers(1, 2, 2, 3, 2)],
  'conv1d, causal': [
    (x, w, bias) => ops.conv1d(x!, w!, { bias: bias!, padding: 'causal', dilation: 2 }),
    numbers(2, 6, 2),
    numbers(3, 2, 4),
    numbers(4),
  ],
  'conv1d, stride, groups': [(x, w) => ops.conv1d(x!, w!, { stride: 2, padding: [0, 1], groups: 2 }), numbers(2, 7, 4), numbers(2, 2, 6)],
  'conv3d, same': [
    (x, w, bias) => ops.conv3d(x!, w!, { bias: bias!, padding: 'same', stride: [1, 2, 1], activation: 'tanh' }),
    numbers(1, 3, 4, 3, 2),
    numbers(2, 3, 2, 2, 3),
    numbers(3),
  ],
  depthwiseConv2d: [
    (x, w, bias) => ops.depthwiseConv2d(x!, w!, { bias: bias!, stride: 2, padding: 1, activation: 'sigmoid' }),
    numbers(2, 4, 5, 3),
    numbers(3, 2, 3, 2),
    numbers(6),
  ],
  convTranspose1d: [
    (x, w, bias) => ops.convTranspose1d(x!, w!, { bias: bias!, stride: 3, outputPadding: 2, padding: [1, 0] }),
    numbers(2, 4, 3),
    numbers(4, 2, 3),
    numbers(2),
  ],
  'convTranspose2d, groups, dilation': [
    (x, w, bias) => ops.convTranspose2d(x!, w!, { bias: bias!, stride: [2, 1], dilation: [1, 2], groups: 2, activation: 'tanh' }),
    numbers(1, 3, 2, 4),
    numbers(3, 2, 3, 4),
    numbers(6),
  ],
  'convTranspose2d, same, stride beyond the kernel': [
    (x, w) => ops.convTranspose2d(x!, w!, { stride: [3, 2], padding: 'same' }),
    numbers(1, 3, 2, 2),
    numbers(2, 3, 3, 2),
  ],
  convTranspose3d: [
    (x, w) => ops.convTranspose3d(x!, w!, { stride: [1, 2, 1], outputPadding: [0, 1, 0] }),
    numbers(1, 2, 2, 3, 2),
    numbers(2, 2, 1, 3, 2),
  ],
  maxPool2d: [(x) => ops.maxPool2d(x!, 2), numbers(2, 4, 6, 3)],
  'maxPool2d, overlapping, padded, ceil': [(x) => ops.maxPool2d(x!, 3, { stride: 2, padding: 1, ceil: true }), numbers(1, 6, 5, 2)],
  'maxPool1d, overlapping': [(x) => ops.maxPool1d(x!, 3, { stride: 1, padding: 'causal' }), numbers(2, 6, 2)],
  maxPool3d: [(x) => ops.maxPool3d(x!, 2, { stride: 1 }), numbers(1, 3, 3, 4, 2)],
  'averagePool1d, ceil': [(x) => ops.averagePool1d(x!, 3, { stride: 2, ceil: true }), numbers(2, 6, 2)],
  'averagePool3d, padding counted': [(x) => ops.averagePool3d(x!, 2, { padding: [1, 0, 1], countPadding: true }), numbers(1, 3, 4, 3, 2)],
  ...Object.fromEntries(
    [1, 1.5, 2, 4].map((p) => [`lpPool2d, p ${p}`, [(x) => ops.lpPool2d(x!, 3, { stride: 2, padding: 1, p }), numbers(1, 5, 4, 2)]]),
  ),
  lpPool1d: [(x) => ops.lpPool1d(x!, 2), numbers(2, 5, 3)],
  lpPool3d: [(x) => ops.lpPool3d(x!, 2, { stride: 1, p: 3 }), numbers(1, 3, 2, 3, 2)],
  adaptiveAveragePool1d: [(x) => ops.adaptiveAveragePool1d(x!, 3), numbers(2, 7, 2)],
  adaptiveAveragePool2d: [(x) => ops.adaptiveAveragePool2d(x!, [3, 4]), numbers(1, 5, 3, 2)],
  adaptiveAveragePool3d: [(x) => ops.adaptiveAveragePool3d(x!, 2), numbers(1, 3, 4, 2, 2)],
  'global pools': [
    (x, y) => ops.concat([ops.globalMaxPool1d(x!), ops.globalAveragePool1d(x!), ops.globalMaxPool3d(y!), ops.globalAveragePool3d(y!)]),
    numbers(2, 5, 3),
    numbers(2, 2, 3, 2, 2),
  ],
  globalMaxPool2d: [(x) => ops.globalMaxPool2d(x!), numbers(2, 3, 4, 5)],
  averagePool2d: [(x) => ops.averagePool2d(x!, [2, 3], { padding: 1, stride: 1 }), numbers(2, 4, 5, 2)],
  'averagePool2d, padding counted, ceil': [
    (x) => ops.averagePool2d(x!, 3, { stride: 2, padding: 1, ceil: true, countPadding: true }),
    numbers(1, 6, 6, 2),
  ],
  globalAveragePool2d: [(x) => ops.globalAveragePool2d(x!), numbers(2, 3, 4, 5)],
  dense: [(x, w, bias) => ops.dense(x!, w!, { bias: bias!, activation: 'sigmoid' }), numbers(3, 5), numbers(5, 4), numbers(4)],
  matmul: [(a, b) => ops.matmul(a!, b!), numbers(3, 5), numbers(5, 4)],
  'matmul, a transposed': [(a, b) => ops.matmul(a!, b!, { transposeA: true }), numbers(5, 3), numbers(5, 4)],
  'matmul, b transposed': [(a, b) => ops.matmul(a!, b!, { transposeB: true }), numbers(3, 5), numbers(4, 5)],
  'matmul, both transposed': [(a, b) => ops.matmul(a!, b!, { transposeA: true, transposeB: true }), numbers(5, 3), numbers(4, 5)],
  relu: [(x) => ops.relu(x!), numbers(4, 5)],
  sigmoid: [(x) => ops.sigmoid(x!), numbers(4, 5)],
  tanh: [(x) => ops.tanh(x!), numbers(4, 5)],
  elu: [(x) => ops.elu(x!, { alpha: 0.5 }), numbers(4, 5)],
  gelu: [(x) => ops.gelu(x!, { approximate: 'tanh' }), numbers(4, 5)],
  hardSigmoid: [(x) => ops.hardSigmoid(x!), numbers(4, 5)],
  hardSwish: [(x) => ops.hardSwish(x!), numbers(4, 5)],
  leakyRelu: [(x) => ops.leakyRelu(x!, { slope: 0.1 }), numbers(4, 5)],
  linearThreshold: [(x) => ops.linearThreshold(x!, { max: 0.5, slope: 0.1, threshold: -0.2 }), numbers(4, 5)],
  logSoftmax: [(x) => ops.logSoftmax(x!), numbers(4, 5)],
  mish: [(x) => ops.mish(x!), numbers(4, 5)],
  selu: [(x) => ops.selu(x!), numbers(4, 5)],
  silu: [(x) => ops.silu(x!), numbers(4, 5)],
  softplus: [(x) => ops.softplus(x!), numbers(4, 5)],
  softsign: [(x) => ops.softsign(x!), numbers(4, 5)],
  'gelu, exact': [(x) => ops.gelu(x!), numbers(4, 5)],
  'dense, silu': [(x, w) => ops.dense(x!, w!, { activation: 'silu' }), numbers(3, 5), numbers(5, 4)],
  'dense, leakyRelu': [(x, w) => ops.dense(x!, w!, { activation: 'leakyRelu' }), numbers(3, 5), numbers(5, 4)],
  'add, relu6': [(a, b) => ops.add(a!, b!, { activation: 'relu6' }), numbers(3, 5), numbers(3, 5)],
  softmax: [(x) => ops.softmax(x!), numbers(3, 4)],
  add: [(a, b) => ops.add(a!, b!, { activation: 'relu' }), numbers(3, 4), numbers(3, 4)],
  'add, of itself': [(a) => ops.add(a!, a!), numbers(3, 4)],
  multiply: [(a, b) => ops.multiply(a!, b!), numbers(3, 4), numbers(3, 4)],
  'multiply, square': [(a) => ops.multiply(a!, a!), numbers(3, 4)],
  'scale by a number': [(x) => ops.scale(x!, -2.5), numbers(3, 4)],
  'scale by a tensor': [(x, s) => ops.scale(x!, s!), numbers(3, 2, 4), numbers(1)],
  'scale of a scalar by a scalar': [(x, s) => ops.scale(x!, s!), numbers(), numbers()],
  concat: [(a, b, c) => ops.concat([a!, b!, a!, c!]), numbers(2, 3), numbers(2, 1), numbers(2, 4)],
  'slice, from the middle': [(x) => ops.slice(x!, 1, 2), numbers(2, 3, 5)],
  'slice, at both ends': [(x) => ops.concat([ops.slice(x!, 4, 1), ops.slice(x!, 0, 2)]), numbers(3, 5)],
  dropout: [(x) => ops.dropout(x!, 0.4, { stream: 3 }), numbers(6, 5)],
  'reshape and flatten': [(x) => ops.tanh(ops.flatten(ops.reshape(x!, [3, 2, 2, 2]))), numbers(3, 8)],
  'softmaxCrossEntropy, class numbers': [(x, t) => ops.softmaxCrossEntropy(x!, t!).loss, numbers(3, 4), labels],
  'softmaxCrossEntropy, times a factor': [
    (x, t, s) => ops.scale(ops.softmaxCrossEntropy(x!, t!).loss, s!),
    numbers(3, 4),
    labels,
    numbers(),
  ],
  meanSquaredError: [(x, t) => ops.meanSquaredError(x!, t!).loss, numbers(3, 4), numbers(3, 4)],
}

describe('gradients against central differences', () => {
  test.each(Object.entries(cases))('%s', (_, [fn, ...inputs]) => {
    const errors = checkGradients(fn, inputs)
    errors.forEach((error, index) => {
      if (inputs[index] === labels) expect(error).toBeUndefined()
      else expect(error!.error).toBeLessThan(1e-6)
    })
  })

  test('softmaxCrossEntropy against a distribution has a gradient by its logits only', () => {
    const loss = (x: Value, t: Value) => ops.softmaxCrossEntropy(x, t).loss
    expect(() => checkGradients(loss as never, [numbers(3, 4), distribution])).toThrow('softmaxCrossEntropy has no gradient by its labels')
  })

  test('a network of 28 parameters: 5×5 → convolution → relu → pooling → dense 3 → dense 2 → squared error', () => {
    const network = (x: Value, t: Value, ...p: Value[]) => {
      const pooled = ops.maxPool2d(ops.conv2d(x, p[0]!, { bias: p[1]!, activation: 'relu' }), 2)
      const hidden = ops.dense(ops.flatten(pooled), p[2]!, { bias: p[3]!, activation: 'sigmoid' })
      return ops.meanSquaredError(ops.dense(hidden, p[4]!, { bias: p[5]!, activation: 'sigmoid' }), t).loss
    }
    const parameters = [numbers(2, 2, 1, 1), numbers(1), numbers(4, 3), numbers(3), numbers(3, 2), numbers(2)]
    expect(parameters.reduce((sum, { data }) => sum + data.length, 0)).toBe(28)
    checkGradients(network as never, [numbers(1, 5, 5, 1), numbers(1, 2), ...parameters])
  })
})

describe('wrong gradients are found', () => {
  const { op } = nodeOf(ops.tanh(inputValue('x', [1])))!
  const broken = (gradient: OpDefinition['gradient']) => (x: Value) => apply({ ...op, gradient: gradient! }, [x])[0]!

  test('one element in a factor', () => {
    const doubled = broken((node, [dy]) => [ops.scale(op.gradient!(node, [dy], [true])[0]!, 1.0001)])
    expect(() => checkGradients(doubled as never, [numbers(3, 4)])).toThrow(
      expect.objectContaining({
        code: 'WRONG_GRADIENT',
        message: expect.stringMatching(/^checkGradients: input 0 \[3, 4\], element \d+: the gradient is /),
      }),
    )
    expect(() => checkGradients(doubled as never, [numbers(3, 4)], { tolerance: 1e-3 })).not.toThrow()
  })

  test('none at all', () => {
    expect(() => checkGradients(broken(() => [undefined]) as never, [numbers(5)])).toThrow(/the gradient is 0,/)
  })

  test('NaN', () => {
    const infinite = (dy: Value) => ops.scale(ops.scale(ops.multiply(dy, dy), Number.MAX_VALUE), Number.MAX_VALUE)
    const notANumber = broken((_, [dy]) => [ops.add(infinite(dy!), ops.scale(infinite(dy!), -1))])
    expect(() => checkGradients(notANumber as never, [numbers(5)])).toThrow(/element 0: the gradient is NaN/)
  })

  test('bad arguments', () => {
    expect(() => checkGradients(ops.relu as never, numbers(2) as never)).toThrow(
      'takes a function and an array of tensors, received a function and Object',
    )
    expect(() => checkGradients(ops.relu as never, [numbers(2)], null as never)).toThrow(
      'checkGradients: options must be an object, received null',
    )
    expect(() => checkGradients((() => 3) as never, [numbers(2)])).toThrow(
      'checkGradients: the function must return a value of the graph, returned 3',
    )
    expect(() => checkGradients(ops.relu as never, [numbers(2)], { tolerance: Number.NaN })).toThrow(/tolerance must be a finite number/)
    expect(() => checkGradients(ops.relu as never, [{ shape: [3], data: new Float32Array(2) }])).toThrow(/input 0 has shape \[3\]/)
  })
})
