import { describe, expect, test } from 'vitest'
import type { ProgramSpec } from '../../binding'
import { inputValue, parameterValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import { type CompileOptions, compileProgram } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { nativeRuntime } from '../../lib/runtime/native'
import { Random } from '../support/random'
import { memoryFaults, runSpec } from './runSpec'

type Parameters = Readonly<Record<string, Value>>
interface Network {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly input: readonly number[]
  readonly build: (x: Value, p: Parameters) => Value
}

/** Statistics, gamma and beta of normalization number `n` over that many channels. */
const normed = (n: number, channels: number) =>
  Object.fromEntries(['mean', 'variance', 'gamma', 'beta'].map((name) => [`${name}${n}`, [channels]]))
const norm = (x: Value, p: Parameters, n: number, options: Partial<ops.BatchNormOptions<Value>> = {}) =>
  ops.batchNormInference(x, p[`mean${n}`]!, p[`variance${n}`]!, { gamma: p[`gamma${n}`], beta: p[`beta${n}`], ...options })

function compile(
  { shapes, input, build }: Network,
  passes?: CompileOptions['passes'],
  more: (x: Value, p: Parameters) => Value[] = () => [],
) {
  const layout = stateLayout(Object.entries(shapes).map(([name, shape]) => ({ name, shape })))
  const x = inputValue('x', [null, ...input])
  const parameters = Object.fromEntries(layout.parameters.map(({ name, shape }) => [name, parameterValue(name, shape)]))
  const outputs = [build(x, parameters), ...more(x, parameters)]
  const { spec } = compileProgram({ inputs: [x], outputs, layout, capacity: 3, lane: 'infer', ...(passes && { passes }) })
  const random = new Random(7)
  const state = new Float64Array(layout.elements)
  for (const { name, offset, elements } of layout.parameters)
    for (let i = 0; i < elements; i++)
      state[offset + i] = Math.fround(name.startsWith('variance') ? random.between(0.2, 2) : random.between(-1, 1))
  const size = input.reduce((product, n) => product * n, 1)
  const data = Float64Array.from({ length: 3 * size }, () => Math.fround(random.between(-1, 1)))
  return { spec, state, data }
}

const mainOps = ({ steps, prelude }: ProgramSpec) => steps.slice(prelude?.steps ?? 0).map(({ op }) => op)

const networks: Record<string, Network> = {
  'conv1d with a bias': {
    shapes: { w: [3, 2, 5], bias: [5], ...normed(0, 5) },
    input: [9, 2],
    build: (x, p) => norm(ops.conv1d(x, p.w!, { bias: p.bias, padding: 'same' }), p, 0, { activation: 'relu' }),
  },
  'conv2d, strided': {
    shapes: { w: [3, 3, 4, 17], ...normed(0, 17) },
    input: [8, 7, 4],
    build: (x, p) => norm(ops.conv2d(x, p.w!, { stride: 2, padding: 1 }), p, 0, { activation: 'gelu', epsilon: 0.1 }),
  },
  'conv2d in groups, statistics alone': {
    shapes: { w: [3, 3, 2, 6], mean0: [6], variance0: [6] },
    input: [5, 5, 4],
    build: (x, p) => norm(ops.conv2d(x, p.w!, { groups: 2 }), p, 0),
  },
  'conv3d, gamma alone': {
    shapes: { w: [2, 2, 2, 3, 4], bias: [4], mean0: [4], variance0: [4], gamma0: [4] },
    input: [4, 3, 4, 3],
    build: (x, p) => norm(ops.conv3d(x, p.w!, { bias: p.bias }), p, 0, { activation: 'sigmoid' }),
  },
  depthwise: {
    shapes: { w: [3, 3, 4, 2], ...normed(0, 8) },
    input: [6, 6, 4],
    build: (x, p) => norm(ops.depthwiseConv2d(x, p.w!), p, 0, { activation: 'relu6' }),
  },
  'convTranspose2d in groups': {
    shapes: { w: [3, 3, 4, 6], bias: [8], ...normed(0, 8) },
    input: [4, 4, 6],
    build: (x, p) => norm(ops.convTranspose2d(x, p.w!, { stride: 2, groups: 2, bias: p.bias }), p, 0, { activation: 'relu' }),
  },
  convTranspose1d: {
    shapes: { w: [3, 5, 2], ...normed(0, 5) },
    input: [6, 2],
    build: (x, p) => norm(ops.convTranspose1d(x, p.w!, { stride: 2 }), p, 0),
  },
  'dense, and two normalizations one after the other': {
    shapes: { w: [6, 5], bias: [5], ...normed(0, 5), ...normed(1, 5) },
    input: [6],
    build: (x, p) => norm(norm(ops.dense(x, p.w!, { bias: p.bias }), p, 0), p, 1, { activation: 'tanh' }),
  },
  'a residual block': {
    shapes: { w: [3, 3, 4, 4], v: [3, 3, 4, 4], u: [1, 1, 4, 4], ...normed(0, 4), ...normed(1, 4), ...normed(2, 4) },
    input: [6, 6, 4],
    build: (x, p) => {
      const inner = norm(ops.conv2d(x, p.w!, { padding: 'same' }), p, 0, { activation: 'relu' })
      const residual = norm(ops.conv2d(inner, p.v!, { padding: 'same' }), p, 1)
      return ops.relu(ops.add(residual, norm(ops.conv2d(x, p.u!), p, 2)))
    },
  },
}

const close = (found: ArrayLike<number>, expected: readonly number[], tolerance: number) => {
  expect(found.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value), `[${i}]`).toBeLessThan(tolerance)
}

describe.each(Object.entries(networks))('%s', (_, network) => {
  const plain = compile(network, { fold: false, fuse: false, prelude: false })
  const expected = runSpec(plain.spec, plain.state, [plain.data])[0]!

  test('is folded: no step for the normalization, nor for its activation', () => {
    const { spec, state, data } = compile(network)
    expect(mainOps(plain.spec)).toContain('batchNormInference')
    expect(mainOps(spec).filter((op) => !/^(conv|dense$|add$)/.test(op))).toEqual([])
    expect(spec.steps.map(({ op }) => op)).not.toContain('batchNormInference')
    expect(memoryFaults(spec)).toEqual([])
    close(runSpec(spec, state, [data])[0]!, expected, 1e-9)
    for (const passes of [{ share: false }, { order: false, inPlace: false }, { prelude: false }, { fold: false }, { fuse: false }])
      close(runSpec(compile(network, passes).spec, state, [data])[0]!, expected, 1e-9)
  })

  test('on the native core', async () => {
    const { spec, state: values, data } = compile(network)
    const state = nativeRuntime().createState(values.length)
    const program = nativeRuntime().createProgram(spec, state)
    program.profile!(true)
    const counts = () => program.profile!(false).map(({ runs }) => runs)
    const run = () => program.run({ n: 3, inputs: [{ data: Float32Array.from(data) }] })
    await state.write(0, Float32Array.from(values))
    close((await run())[0]!, expected, 1e-4)
    program.profile!(true)
    close((await run())[0]!, expected, 1e-4)
    await run()
    const { steps } = spec.prelude!
    expect(new Set(counts().slice(0, steps))).toEqual(new Set([0]))
    expect(new Set(counts().slice(steps))).toEqual(new Set([2]))
    // A write, of whatever, and the prelude runs once more.
    program.profile!(true)
    const other = values.map((value, i) => (i === 0 ? value + 1 : value))
    await state.write(0, Float32Array.of(other[0]!))
    const after = runSpec(plain.spec, other, [data])[0]!
    close((await run())[0]!, after, 1e-4)
    await run()
    expect(new Set(counts().slice(0, steps))).toEqual(new Set([1]))
    program.dispose()
    state.dispose()
  })
})

describe('is left as it is', () => {
  const { shapes, input } = networks['conv2d, strided']!
  const conv = (x: Value, p: Parameters) => ops.conv2d(x, p.w!)
  const kept = (network: Network, more?: (x: Value, p: Parameters) => Value[]) =>
    expect(mainOps(compile(network, undefined, more).spec)).toContain('batchNormInference')

  test('a convolution that something else reads, or that is given back', () => {
    const build = (x: Value, p: Parameters) => {
      const y = conv(x, p)
      return ops.add(norm(y, p, 0), y)
    }
    kept({ shapes, input, build })
    const also: Value[] = []
    const given = (x: Value, p: Parameters) => {
      also.push(conv(x, p))
      return norm(also[0]!, p, 0)
    }
    kept({ shapes, input, build: given }, () => also)
  })

  test('a convolution with an activation, and statistics of the run', () => {
    kept({ shapes, input, build: (x, p) => norm(ops.conv2d(x, p.w!, { activation: 'relu' }), p, 0) })
    const build = (x: Value, p: Parameters) => {
      const mean = ops.mean(ops.conv2d(x, p.w!), { axes: [0, 1, 2] })
      return ops.batchNormInference(conv(x, p), mean, p.variance0!)
    }
    kept({ shapes, input, build })
  })
})

describe('the prelude', () => {
  const shapes = { w: [4, 6], v: [6], extra: [6] }

  test('takes all that depends on weights alone, and nothing else', () => {
    const build = (x: Value, p: Parameters) => {
      const centered = ops.sub(p.w!, ops.mean(p.w!, { axes: 0 }))
      const product = ops.dense(x, centered, { bias: ops.multiply(p.v!, 2) })
      return ops.add(product, ops.multiply(product, ops.exp(p.extra!)))
    }
    const { spec, state, data } = compile({ shapes, input: [4], build })
    expect(mainOps(spec).sort()).toEqual(['add', 'dense', 'multiply'])
    expect(memoryFaults(spec)).toEqual([])
    const plain = compile({ shapes, input: [4], build }, { prelude: false })
    expect(plain.spec.prelude).toBeUndefined()
    expect(runSpec(spec, state, [data])).toEqual(runSpec(plain.spec, state, [data]))
  })

  test('does not take what a run gives back, nor what has the batch', () => {
    const build = (x: Value, p: Parameters) => ops.add(x, ops.broadcastTo(ops.exp(p.v!), [null, 6] as never))
    const { spec, state, data } = compile({ shapes, input: [6], build }, undefined, (_, p) => [ops.abs(p.extra!)])
    expect(mainOps(spec)).toEqual(expect.arrayContaining(['add', 'abs', 'broadcastTo']))
    expect(spec.steps.slice(0, spec.prelude!.steps).map(({ op }) => op)).toEqual(['exp'])
    for (const n of [1, 3]) expect(runSpec(spec, state, [data.subarray(0, 6 * n)], n)[0]).toHaveLength(6 * n)
  })

  test('does not depend on the batch', () => {
    const { build } = networks['a residual block']!
    const { shapes: own, input } = networks['a residual block']!
    const layout = stateLayout(Object.entries(own).map(([name, shape]) => ({ name, shape })))
    const parameters = Object.fromEntries(layout.parameters.map(({ name, shape }) => [name, parameterValue(name, shape)]))
    const [one, other] = [1, 16].map((capacity) => {
      const x = inputValue('x', [null, ...input])
      const { spec } = compileProgram({ inputs: [x], outputs: [build(x, parameters)], layout, capacity, lane: 'infer' })
      return { prelude: spec.prelude, steps: spec.steps.slice(0, spec.prelude!.steps) }
    })
    expect(one).toEqual(other)
  })

  test('is one for two programs whose preludes are alike', async () => {
    const network = networks['conv2d, strided']!
    const { spec, state: values, data } = compile(network)
    const state = nativeRuntime().createState(values.length)
    await state.write(0, Float32Array.from(values))
    const programs = [1, 2].map(() => nativeRuntime().createProgram(spec, state))
    for (const program of programs) program.profile!(true)
    const inputs = [{ data: Float32Array.from(data) }]
    const results = [await programs[0]!.run({ n: 3, inputs }), await programs[1]!.run({ n: 3, inputs })]
    expect(results[1]).toEqual(results[0])
    const runs = programs.map((program) => program.profile!(false)[0]!.runs)
    expect(runs).toEqual([1, 0])
    for (const program of programs) program.dispose()
    state.dispose()
  })
})
