import type { Step } from '../binding'
import { type Buffer, floats, operand, type PreparedProblem, type Problem, randomData, samplePositions } from './problem'
import type { MemoryShape } from './suite'

const SAMPLES = 256

/** What reads and writes images and hardly computes: activations, batch normalization, sums; and optimizers, on as many weights. */
export function memoryProblems({ id, shape }: MemoryShape): Problem[] {
  const size = shape.reduce((product, length) => product * length, 1)
  const problem = (op: string, pass: string, arrays: number, prepare: (shape: readonly number[]) => PreparedProblem): Problem => {
    const order = `memory ${op} ${pass} ${shape.join(' ')}`
    return {
      kind: 'memory',
      item: `${op} ${id}`,
      fmt: 'nhwc',
      pass,
      order,
      flops: 0,
      bytes: 4 * arrays * size,
      prepare: () => prepare(shape),
    }
  }
  return [
    problem('relu', 'fwd', 2, (s) => elementwise({ op: 'relu' }, ['x'], 'y', s, ([x]) => Math.max(x!, 0))),
    problem('relu', 'bwd_d', 3, (s) => elementwise({ op: 'reluBackward' }, ['dy', 'y'], 'dx', s, ([dy, y]) => (y! > 0 ? dy! : 0))),
    problem('add', 'fwd', 3, (s) => elementwise({ op: 'add', activation: 'linear' }, ['a', 'b'], 'y', s, ([a, b]) => a! + b!)),
    problem('batchNorm', 'fwd', 3, normalization), // x is read for its statistics, then again
    problem('batchNorm', 'bwd_d', 5, normalizationGradient), // dy and x are read for their sums, then again
    problem('sgd', 'step', 5, sgd),
    problem('adam', 'step', 7, adam),
  ]
}

/** A check of sampled elements. */
function checked(calls: PreparedProblem['calls'], output: Float32Array, expected: (at: number) => number, what: string): PreparedProblem {
  const samples = samplePositions(output.length, SAMPLES)
  const check = () => {
    for (const at of samples) {
      const value = expected(at)
      if (!(Math.abs(output[at]! - value) <= 2 ** -15 * (1 + Math.abs(value)))) {
        throw new Error(`${what} at ${at}: expected ${value}, received ${output[at]}`)
      }
    }
  }
  return { calls, outputs: [output], samples: [samples], check }
}

type Name = string
function elementwise(
  attributes: { readonly op: string; readonly activation?: string },
  inputs: readonly Name[],
  output: Name,
  shape: readonly number[],
  expected: (values: readonly number[]) => number,
): PreparedProblem {
  const size = shape.reduce((product, length) => product * length, 1)
  const data = inputs.map((_, i) => randomData(size, i + 1))
  const result = floats(size)
  const operands = [...inputs, output].map((name, i) => [name, operand(i, shape)])
  const step = { ...attributes, ...Object.fromEntries(operands) } as Step
  return checked([{ step, buffers: [...data, result] }], result, (at) => expected(data.map((values) => values[at]!)), attributes.op)
}

const EPSILON = 1e-3

/** Sums over all but the last axis, in double precision. */
function perChannel(channels: number, size: number, value: (at: number) => number): Float64Array {
  const sums = new Float64Array(channels)
  for (let at = 0; at < size; at++) sums[at % channels]! += value(at)
  return sums
}

function moments(x: Float32Array, channels: number) {
  const rows = x.length / channels
  const mean = perChannel(channels, x.length, (at) => x[at]!).map((sum) => sum / rows)
  const variance = perChannel(channels, x.length, (at) => (x[at]! - mean[at % channels]!) ** 2).map((sum) => sum / rows)
  return { rows, mean, variance }
}

function normalization(shape: readonly number[]): PreparedProblem {
  const channels = shape.at(-1)!
  const size = shape.reduce((product, length) => product * length, 1)
  const [x, gamma, beta, y] = [randomData(size, 1), randomData(channels, 2), randomData(channels, 3), floats(size)]
  const names = ['gamma', 'beta', 'mean', 'variance'] as const
  const operands = Object.fromEntries(names.map((name, i) => [name, operand(i + 1, [channels])]))
  const step: Step = { op: 'batchNorm', x: operand(0, shape), ...operands, y: operand(5, shape), epsilon: EPSILON, activation: 'linear' }
  const { mean, variance } = moments(x, channels)
  const expected = (at: number) => {
    const c = at % channels
    return (gamma[c]! * (x[at]! - mean[c]!)) / Math.sqrt(variance[c]! + EPSILON) + beta[c]!
  }
  return checked([{ step, buffers: [x, gamma, beta, floats(channels), floats(channels), y] }], y, expected, 'batchNorm')
}

function normalizationGradient(shape: readonly number[]): PreparedProblem {
  const channels = shape.at(-1)!
  const size = shape.reduce((product, length) => product * length, 1)
  const [dy, x, gamma, dx] = [randomData(size, 1), randomData(size, 2), randomData(channels, 3), floats(size)]
  const { rows, mean, variance } = moments(x, channels)
  const small = [Float32Array.from(mean), Float32Array.from(variance), gamma, floats(channels), floats(channels)].map((values) => {
    const copy = floats(channels)
    copy.set(values)
    return copy
  })
  const names = ['mean', 'variance', 'gamma', 'dgamma', 'dbeta'] as const
  const operands = Object.fromEntries(names.map((name, i) => [name, operand(i + 2, [channels])]))
  const step: Step = {
    op: 'batchNormBackward',
    dy: operand(0, shape),
    x: operand(1, shape),
    ...operands,
    dx: operand(7, shape),
    epsilon: EPSILON,
  }
  const scaled = (at: number) => (x[at]! - mean[at % channels]!) / Math.sqrt(variance[at % channels]! + EPSILON)
  const sums = perChannel(channels, size, (at) => dy[at]!)
  const products = perChannel(channels, size, (at) => dy[at]! * scaled(at))
  const expected = (at: number) => {
    const c = at % channels
    return (gamma[c]! / Math.sqrt(variance[c]! + EPSILON)) * (dy[at]! - sums[c]! / rows - (scaled(at) * products[c]!) / rows)
  }
  return checked([{ step, buffers: [dy, x, ...small, dx] }], dx, expected, 'batchNormBackward')
}

const RATE = 1e-3

/** Buffers that a step changes, as they were before its first run: `check` looks at what that run makes of them. */
function optimizer(
  step: Step,
  buffers: readonly Buffer[],
  scalars: Record<string, number>,
  expected: (at: number) => number,
): PreparedProblem {
  const param = buffers[0] as Float32Array
  return { ...checked([{ step, buffers, scalars }], param, expected, step.op), outputs: [] }
}

function sgd(shape: readonly number[]): PreparedProblem {
  const size = shape.reduce((product, length) => product * length, 1)
  const [param, velocity, grad] = [1, 2, 3].map((seed) => randomData(size, seed)) as [Float32Array, Float32Array, Float32Array]
  const [before, momentum] = [param.slice(), velocity.slice()]
  const operands = { param: operand(0, [size]), velocity: operand(1, [size]), grad: operand(2, [size]) }
  const step: Step = { op: 'sgd', ...operands, momentum: 0.9, nesterov: false, weightDecay: 0, decoupled: false, rateFactor: 1 }
  const expected = (at: number) => before[at]! - RATE * (0.9 * momentum[at]! + grad[at]!)
  return optimizer(step, [param, velocity, grad], { learningRate: RATE }, expected)
}

function adam(shape: readonly number[]): PreparedProblem {
  const size = shape.reduce((product, length) => product * length, 1)
  const [param, grad] = [randomData(size, 1), randomData(size, 2)]
  const before = param.slice()
  const operands = { param: operand(0, [size]), m: operand(1, [size]), v: operand(2, [size]), grad: operand(3, [size]) }
  const constants = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, rateFactor: 1 }
  // At the first step, from zero, m and v are the gradient and its square but for a factor that the step takes off again.
  const expected = (at: number) => before[at]! - (RATE * grad[at]!) / (Math.abs(grad[at]!) + 1e-8)
  const buffers = [param, floats(size), floats(size), grad]
  return optimizer({ op: 'adam', ...operands, ...constants }, buffers, { learningRate: RATE, step: 1 }, expected)
}
