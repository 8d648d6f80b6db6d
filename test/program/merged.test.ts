import { describe, expect, test } from 'vitest'
import { gradients } from '../../lib/graph/gradients'
import { inputValue, parameterValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import { type CompileOptions, compileProgram } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { Random } from '../support/random'
import { memoryFaults, runSpec } from './runSpec'

type Parameters = Readonly<Record<string, Value>>

/** The steps of a network's gradients by its parameters, and what they give with and without a pass. */
function compare(shapes: Record<string, number[]>, build: (x: Value, p: Parameters) => Value, without: CompileOptions['passes']) {
  const layout = stateLayout(Object.entries(shapes).map(([name, shape]) => ({ name, shape })))
  const parameters = layout.parameters.map(({ name, shape }) => parameterValue(name, shape))
  const x = inputValue('x', [null, 8, 8, 4])
  const y = build(x, Object.fromEntries(layout.parameters.map(({ name }, i) => [name, parameters[i]!])))
  const { loss } = ops.meanSquaredError(y, ops.scale(y, 0.3))
  const outputs = [loss, ...gradients([{ of: loss }], parameters).map((gradient) => gradient!)]
  const compile = (passes?: CompileOptions['passes']) =>
    compileProgram({ inputs: [x], outputs, layout, capacity: 3, lane: 'train', ...(passes && { passes }) }).spec
  const random = new Random(11)
  const state = Float64Array.from({ length: layout.elements }, () => random.between(-1, 1))
  const data = Float64Array.from({ length: 3 * 8 * 8 * 4 }, () => random.between(-1, 1))
  const [merged, plain] = [compile(), compile(without)]
  for (const spec of [merged, plain]) expect(memoryFaults(spec)).toEqual([])
  return {
    ops: merged.steps.map(({ op }) => op),
    found: runSpec(merged, state, [data]).flat(),
    expected: runSpec(plain, state, [data]).flat(),
  }
}

const normed = { w: [3, 3, 4, 4], gamma: [4], beta: [4] }
const norm = (x: Value, p: Parameters, options: Partial<ops.BatchNormOptions<Value>> = {}) =>
  ops.batchNorm(ops.conv2d(x, p.w!, { padding: 1 }), { gamma: p.gamma, beta: p.beta, ...options }).y

describe('gradients of activations', () => {
  test('relu after batch normalization is part of its gradient', () => {
    const { ops: steps, found, expected } = compare(normed, (x, p) => norm(x, p, { activation: 'relu' }), { fuse: false })
    expect(steps).not.toContain('reluBackward')
    expect(found).toEqual(expected)
  })

  test('tanh after it is not', () => {
    const { ops: steps, found, expected } = compare(normed, (x, p) => norm(x, p, { activation: 'tanh' }), { fuse: false })
    expect(steps).toContain('tanhBackward')
    expect(found).toEqual(expected)
  })

  test.each([2, 3])('relu before max pooling of %i is taken after it, and the bias sums windows', (size) => {
    const shapes = { w: [3, 3, 4, 5], bias: [5] }
    const build = (x: Value, p: Parameters) => ops.maxPool2d(ops.conv2d(x, p.w!, { bias: p.bias, activation: 'relu' }), size, { stride: 2 })
    const { ops: steps, found, expected } = compare(shapes, build, { fuse: false, sums: false })
    expect(steps.indexOf('reluBackward')).toBeLessThan(steps.indexOf('maxPool2dBackward'))
    for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-12)
  })

  test('two that arrive at a relu are added there, and a residual connection within batch normalization', () => {
    const build = (x: Value, p: Parameters) => {
      const first = ops.relu(ops.conv2d(x, p.first!, { padding: 1 }))
      return ops.add(norm(first, p), first, { activation: 'relu' })
    }
    const { ops: steps, found, expected } = compare({ ...normed, first: [3, 3, 4, 4] }, build, { fuse: false })
    expect(steps).not.toContain('add')
    expect(steps.filter((op) => op === 'reluBackward')).toHaveLength(2)
    expect(found).toEqual(expected)
  })

  test('a sum that broadcasts, or of something read elsewhere, stays', () => {
    const broadcast = compare(normed, (x, p) => ops.add(norm(x, p), p.gamma!), { fuse: false })
    expect(broadcast.ops).toContain('add')
    expect(broadcast.found).toEqual(broadcast.expected)
    const twice = compare(
      normed,
      (x, p) => {
        const y = norm(x, p)
        return ops.multiply(ops.add(y, x), y)
      },
      { fuse: false },
    )
    expect(twice.ops).toContain('add')
    expect(twice.found).toEqual(twice.expected)
  })
})

describe('gradients of biases', () => {
  const shapes = { w: [3, 3, 4, 5], bias: [5] }
  const convolved = (x: Value, p: Parameters) => ops.conv2d(x, p.w!, { bias: p.bias })

  test('are summed up by the gradient of the filters', () => {
    const { ops: steps, found, expected } = compare(shapes, (x, p) => ops.tanh(convolved(x, p)), { fuse: false })
    expect(steps).toContain('conv2dBackwardWeights')
    expect(steps).not.toContain('biasGradient')
    expect(found).toEqual(expected)
  })

  test('each of its own convolution where two are alike', () => {
    const build = (x: Value, p: Parameters) => ops.add(convolved(x, p), ops.conv2d(x, p.other!, { bias: p.otherBias }))
    const { ops: steps, found, expected } = compare({ ...shapes, other: [3, 3, 4, 5], otherBias: [5] }, build, { fuse: false })
    expect(steps.filter((op) => op === 'conv2dBackwardWeights')).toHaveLength(2)
    expect(found).toEqual(expected)
  })
})
