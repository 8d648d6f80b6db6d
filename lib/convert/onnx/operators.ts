import type { Value } from '../../graph/value'
import type { Attributes } from '../../ops/op'
import { firstOrder } from './arrange'
import type { Operator } from './operator'
import { normalizations } from './operators-norm'
import { shapeOperators } from './operators-shape'
import { windowOperators } from './operators-window'
import { dataTypes } from './schema'
import { type AttributeMap, type Form, float, int, ints, parameterOf, text, type Writer } from './writer'

/** One node of the file for each element by itself, in whatever form there is. */
const elementwise =
  (write: (w: Writer, x: string, attributes: Attributes) => string): Operator =>
  (w, { inputs: [x], outputs: [y], attributes }) => {
    const form = w.formOf(x!)
    w.set(y!, form, write(w, w.get(x!, form), attributes))
  }
const plain = (opType: string, attributes: (own: Attributes) => AttributeMap = () => ({})): Operator =>
  elementwise((w, x, own) => w.node(opType, [x], attributes(own)))

const overChannels =
  (opType: string): Operator =>
  (w, { inputs: [x], outputs: [y] }) => {
    const form = w.formOf(x!)
    w.set(y!, form, w.node(opType, [w.get(x!, form)], { axis: int(form === 'first' && x!.shape.length > 2 ? 1 : -1) }))
  }

function linearThreshold(w: Writer, x: string, { max, slope = 0, threshold = 0 }: Attributes): string {
  const [low, high] = [Number(threshold), max === undefined ? '' : w.number(Number(max))]
  if (low === 0 && slope === 0) return w.node('Clip', [x, w.number(0), high])
  const above = high === '' ? x : w.node('Min', [x, high])
  const away = w.node('Mul', [w.node('Sub', [x, w.number(low)]), w.number(Number(slope))])
  return w.node('Where', [w.node('GreaterOrEqual', [x, w.number(low)]), above, slope === 0 ? w.number(0) : away])
}

/** An operand as one of so many axes in this form, as broadcasting has it. */
function operand(w: Writer, value: Value, rank: number, form: Form): string {
  if (value.shape.length === 0 || rank < 3 || form === 'last') return w.get(value, 'last')
  if (value.shape.length === rank && !parameterOf(value)) return w.get(value, 'first')
  const lead = rank - value.shape.length
  return w.parameter(value, firstOrder(rank), [...new Array<number>(lead).fill(1), ...(value.shape as number[])])
}

const broadcast =
  (write: (w: Writer, operands: readonly string[]) => string): Operator =>
  (w, { inputs, outputs: [y] }) => {
    const rank = y!.shape.length
    const form: Form = inputs.some((x) => x!.shape.length === rank && !parameterOf(x!) && w.has(x!, 'first')) ? 'first' : 'last'
    const operands = inputs.map((x) => operand(w, x!, rank, form))
    w.set(y!, form, write(w, operands))
  }
const binary = (opType: string): Operator => broadcast((w, operands) => w.node(opType, operands))
const FLOAT = { to: int(dataTypes.float32) }
const BOOL = { to: int(dataTypes.bool) }
const comparison = (opType: string): Operator => broadcast((w, operands) => w.node('Cast', [w.node(opType, operands)], FLOAT))

const reduction =
  (opType: string): Operator =>
  (w, { inputs: [x], outputs: [y], attributes }) => {
    const { axes, keepDims = false, mean = false } = attributes as { axes: [number, number]; keepDims?: boolean; mean?: boolean }
    const list = Array.from({ length: axes[1] - axes[0] + 1 }, (_, index) => axes[0] + index)
    const keeps = { keepdims: int(keepDims ? 1 : 0) }
    w.set(y!, 'last', w.node(mean ? 'ReduceMean' : opType, [w.get(x!, 'last'), w.integers(list)], keeps))
  }

const products: Record<string, Operator> = {
  dense(w, { inputs: [x, kernel, bias], outputs: [y] }) {
    w.set(y!, 'last', w.node('Gemm', [w.get(x!, 'last'), w.parameter(kernel!), bias ? w.parameter(bias) : '']))
  },
  matmul(w, { inputs, outputs: [y], attributes }) {
    const operands = inputs.map((value, index) => {
      const from = w.get(value!, 'last')
      if (!attributes[index === 0 ? 'transposeA' : 'transposeB']) return from
      const axes = value!.shape.map((_, axis) => axis)
      return w.node('Transpose', [from], { perm: ints([...axes.slice(0, -2), axes.length - 1, axes.length - 2]) })
    })
    w.set(y!, 'last', w.node('MatMul', operands))
  },
  normalize(w, { inputs: [x], outputs: [y], attributes }) {
    const form = w.formOf(x!)
    const { scale, offset } = attributes as { scale: number[]; offset: number[] }
    w.set(y!, form, linearMap(w, w.get(x!, form), scale, offset, form === 'first' ? x!.shape.length : 0))
  },
  scale(w, { inputs: [x, s], outputs: [y], attributes }) {
    const form = w.formOf(x!)
    const by = s ? w.node('Mul', [w.get(x!, form), w.node('Reshape', [w.get(s, 'last'), w.integers([1])])]) : w.get(x!, form)
    w.set(y!, form, attributes.factor === 1 && s ? by : w.node('Mul', [by, w.number(Number(attributes.factor))]))
  },
}

/** x · scale + offset, each of one number or one for each channel; `rank`: of x, where its channels lie before the image. */
export function linearMap(w: Writer, x: string, scale: readonly number[], offset: readonly number[], rank: number): string {
  const constant = (values: readonly number[]) => {
    if (values.length === 1) return w.number(values[0]!)
    return w.floats(values, rank > 2 ? [values.length, ...new Array<number>(rank - 2).fill(1)] : [values.length])
  }
  const isAll = (values: readonly number[], value: number) => values.every((one) => one === value)
  if (isAll(scale, 1) && isAll(offset, 0)) return w.node('Identity', [x])
  const scaled = isAll(scale, 1) ? x : w.node('Mul', [x, constant(scale)])
  return isAll(offset, 0) ? scaled : w.node('Add', [scaled, constant(offset)])
}

const alphaBeta = { alpha: float(1 / 6), beta: float(0.5) }

/** Every op that inference has, by its name. */
export const operators: Readonly<Record<string, Operator>> = {
  ...windowOperators,
  ...normalizations,
  ...shapeOperators,
  ...products,
  relu: plain('Relu'),
  sigmoid: plain('Sigmoid'),
  tanh: plain('Tanh'),
  softmax: overChannels('Softmax'),
  logSoftmax: overChannels('LogSoftmax'),
  leakyRelu: plain('LeakyRelu', ({ slope }) => ({ alpha: float(Number(slope)) })),
  elu: plain('Elu', ({ alpha }) => ({ alpha: float(Number(alpha)) })),
  selu: plain('Selu'),
  softplus: plain('Softplus'),
  softsign: plain('Softsign'),
  hardSigmoid: plain('HardSigmoid', () => alphaBeta),
  hardSwish: plain('HardSwish'),
  mish: plain('Mish'),
  gelu: plain('Gelu'),
  geluTanh: plain('Gelu', () => ({ approximate: text('tanh') })),
  silu: elementwise((w, x) => w.node('Mul', [x, w.node('Sigmoid', [x])])),
  linearThreshold: elementwise(linearThreshold),
  clip: elementwise((w, x, { low, high }) => {
    const bound = (value: unknown) => (value === undefined ? '' : w.number(Number(value)))
    return w.node('Clip', [x, bound(low), bound(high)])
  }),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  abs: plain('Abs'),
  sign: plain('Sign'),
  prelu: binary('PRelu'),
  cast: elementwise((w, x, { to }) => w.node('Cast', [x], { to: int(to === 'int32' ? dataTypes.int32 : dataTypes.float32) })),
  add: binary('Add'),
  multiply: binary('Mul'),
  sub: binary('Sub'),
  div: binary('Div'),
  pow: binary('Pow'),
  minimum: binary('Min'),
  maximum: binary('Max'),
  equal: comparison('Equal'),
  less: comparison('Less'),
  lessEqual: comparison('LessOrEqual'),
  notEqual: broadcast((w, operands) => w.node('Cast', [w.node('Not', [w.node('Equal', operands)])], FLOAT)),
  where: broadcast((w, [condition, a, b]) => w.node('Where', [w.node('Cast', [condition!], BOOL), a!, b!])),
  sum: reduction('ReduceSum'),
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
}
