import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  conv2d,
  dense,
  flatten,
  groupNorm,
  input,
  instanceNorm,
  type Layer,
  layerNorm,
  loadModel,
  type Model,
  type Node,
  relu,
  rmsNorm,
  sequential,
  sgd,
  weightsSha256,
} from '../../lib/index'
import { parametersOf } from '../../lib/layers/layer'
import { makeLayer } from '../../lib/layers/registry'
import * as ops from '../../lib/ops'
import {
  checkGradients,
  groupNorm as groupNormOp,
  instanceNorm as instanceNormOp,
  layerNorm as layerNormOp,
  rmsNorm as rmsNormOp,
} from '../../lib/ops'
import { expectError, randomTensor, runtimes, someLabels } from '../support/models'

const folder = mkdtempSync(join(tmpdir(), 'convlane-norms-'))
afterAll(() => rmSync(folder, { recursive: true }))

const applied = (layer: Layer, ...nodes: Node[]): Node => layer.apply(...nodes)
const shapes = (layer: Layer, node: Node) => ({
  output: applied(layer, node).shape,
  parameters: Object.fromEntries(parametersOf(layer, [node], 'test').map(({ name, shape }) => [name, shape])),
})

test('shapes are kept, and gamma and beta are those of what is normalized', () => {
  const image = input([28, 20, 6])
  const output = [null, 28, 20, 6]
  expect(shapes(layerNorm(), image)).toEqual({ output, parameters: { gamma: [6], beta: [6] } })
  expect(shapes(layerNorm({ axes: 3, center: false }), image)).toEqual({ output, parameters: { gamma: [28, 20, 6] } })
  expect(shapes(rmsNorm({ axes: 2 }), image)).toEqual({ output, parameters: { gamma: [20, 6] } })
  expect(shapes(groupNorm(3), image)).toEqual({ output, parameters: { gamma: [6], beta: [6] } })
  expect(shapes(instanceNorm({ scale: false, center: false }), image)).toEqual({ output, parameters: {} })
  expect(shapes(layerNorm(), input([12]))).toEqual({ output: [null, 12], parameters: { gamma: [12], beta: [12] } })
})

test('layers are made again from their configurations', () => {
  const common = { epsilon: 1e-5, scale: true, activation: 'relu' } as const
  for (const [layer, config] of [
    [layerNorm({ ...common, axes: 2, center: false }), { ...common, axes: 2, center: false }],
    [rmsNorm({ ...common, axes: 2 }), { ...common, axes: 2 }],
    [groupNorm(4, common), { ...common, groups: 4, center: true }],
    [instanceNorm(common), { ...common, center: true }],
  ] as const) {
    expect(layer.config()).toEqual(config)
    expect(makeLayer(layer.type, 'n', layer.config()).config()).toEqual(config)
  }
  expect(layerNorm().config()).toEqual({ axes: 1, epsilon: 1e-3, scale: true, center: true, activation: 'linear' })
  expect(rmsNorm().config()).toEqual({ axes: 1, epsilon: 1e-6, scale: true, activation: 'linear' })
})

const make = (runtime: 'native' | 'reference') =>
  sequential(
    { input: [6, 6, 2], seed: 3, runtime },
    conv2d(6, 3),
    groupNorm(3, { activation: 'relu' }),
    conv2d(4, 3),
    instanceNorm(),
    relu(),
    layerNorm({ axes: 2 }),
    flatten(),
    dense(8),
    rmsNorm({ activation: 'gelu' }),
    layerNorm(),
    dense(4),
  ).compile({ optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })

const data = (n: number, seed = 1) => ({ x: randomTensor([n, 6, 6, 2], seed), y: someLabels(n, 4) })

test('training is the reference’s, and a model read from its file predicts the same bits', async () => {
  const run = async (runtime: 'native' | 'reference') => {
    const model = make(runtime)
    const losses: number[] = []
    await model.fit(data(22), { batchSize: 8, epochs: 2, onStep: ({ loss }) => void losses.push(loss) })
    return { model, losses, weights: await model.getWeights() }
  }
  const [expected, found] = [await run('reference'), await run('native')]
  for (const [step, loss] of expected.losses.entries()) expect(Math.abs(found.losses[step]! - loss)).toBeLessThan(1e-4)
  for (const [name, { data: values }] of Object.entries(expected.weights))
    for (const [i, value] of values.entries()) expect(Math.abs(found.weights[name]!.data[i]! - value), `${name}[${i}]`).toBeLessThan(1e-3)
  const file = join(folder, 'norms.safetensors')
  await found.model.save(file)
  const loaded: Model = await loadModel(file)
  expect(weightsSha256(await loaded.getWeights())).toBe(weightsSha256(found.weights))
  expect((await loaded.predict(data(3).x)).data).toEqual((await found.model.predict(data(3).x)).data)
})

test('an activation behind a normalization takes no step of its own', async () => {
  const steps = (await make('native').profile({ steps: 1, batchSize: 4 })).steps.map(({ op }) => op)
  for (const op of ['layerNorm', 'rmsNorm', 'groupNorm']) expect(steps).toEqual(expect.arrayContaining([op, `${op}Backward`]))
  expect(steps).not.toContain('relu')
})

describe('ops', () => {
  const x = randomTensor([3, 4, 6], 1)
  const [gamma, beta, plane] = [randomTensor([6], 2), randomTensor([6], 3), randomTensor([4, 6], 4)]

  test('gradients follow in a graph, through the activation too', () => {
    checkGradients((...[a, g, b]) => layerNormOp(a!, { gamma: g!, beta: b!, activation: 'tanh' }), [x, gamma, beta])
    checkGradients((...[a, g]) => layerNormOp(a!, { gamma: g!, axes: 2, epsilon: 0.1 }), [x, plane])
    checkGradients((...[a, g]) => rmsNormOp(a!, { gamma: g!, activation: 'silu' }), [x, gamma])
    checkGradients((a) => rmsNormOp(a!, { axes: 2 }), [x])
    checkGradients((...[a, g, b]) => groupNormOp(a!, 3, { gamma: g!, beta: b!, activation: 'sigmoid' }), [x, gamma, beta])
    checkGradients((...[a, g]) => instanceNormOp(a!, { gamma: g! }), [x, gamma])
  })

  test('each is the other where they meet', () => {
    for (const runtime of runtimes) {
      const one = groupNormOp(x, 1, { runtime })
      const whole = layerNormOp(x, { axes: 2, runtime })
      for (const [i, value] of one.data.entries()) expect(value).toBeCloseTo(whole.data[i]!, 5)
      expect(instanceNormOp(x, { gamma, beta, runtime }).data).toEqual(groupNormOp(x, 6, { gamma, beta, runtime }).data)
      const dy = randomTensor([3, 4, 6], 5)
      expect(ops.instanceNormBackward(dy, x, { gamma, runtime })).toEqual(ops.groupNormBackward(dy, x, 6, { gamma, runtime }))
    }
  })

  test('backward by itself', () => {
    const dy = randomTensor([3, 4, 6], 5)
    for (const [found, expected] of [
      [ops.layerNormBackward(dy, x, { gamma }), ops.layerNormBackward(dy, x, { gamma, runtime: 'reference' })],
      [ops.groupNormBackward(dy, x, 2, { gamma }), ops.groupNormBackward(dy, x, 2, { gamma, runtime: 'reference' })],
    ] as const)
      for (const name of ['dx', 'dgamma', 'dbeta'] as const)
        for (const [i, value] of expected[name].data.entries()) expect(found[name].data[i]).toBeCloseTo(value, 4)
    const { dx, dgamma } = ops.rmsNormBackward(dy, x, { gamma: plane, axes: 2 })
    expect([dx.shape, dgamma.shape]).toEqual([[3, 4, 6], [4, 6]]) // biome-ignore format: two shapes
  })

  test('a mean far from 0 costs no digits of the variance', () => {
    const shape = [3, 5000]
    const far = { shape, data: Float32Array.from({ length: 15000 }, (_, i) => 2000 + Math.sin(i)) }
    for (const run of [
      (runtime: 'native' | 'reference') => layerNormOp(far, { epsilon: 0, runtime }),
      (runtime: 'native' | 'reference') => groupNormOp({ ...far, shape: [3, 2500, 2] }, 1, { epsilon: 0, runtime }),
    ]) {
      const [found, expected] = [run('native'), run('reference')]
      for (const [i, value] of expected.data.entries()) expect(Math.abs(found.data[i]! - value)).toBeLessThan(5e-4)
    }
  })
})

test('what does not fit is refused', async () => {
  const x = randomTensor([3, 4, 6], 1)
  await expectError(() => layerNorm({ axes: 0 }), 'INVALID_ARGUMENT', 'layerNorm: axes must be a positive integer, received 0')
  await expectError(() => rmsNorm({ center: true } as never), 'INVALID_ARGUMENT', 'rmsNorm: unknown option "center"')
  await expectError(() => groupNorm(undefined as never), 'INVALID_ARGUMENT', 'groupNorm: groups must be a positive integer')
  await expectError(() => instanceNorm({ epsilon: -1, name: 'n' }), 'INVALID_ARGUMENT', 'instanceNorm "n": epsilon must be')
  await expectError(
    () => layerNorm({ axes: 2 }).apply(input([4])),
    'INVALID_SHAPE',
    'layerNorm: axes 2 is more than the 1 of a sample, input [N, 4]',
  )
  await expectError(() => groupNorm(4).apply(input([5, 6])), 'INVALID_SHAPE', "groupNorm: groups 4 do not divide the input's 6 channels")
  await expectError(
    () => applied(instanceNorm(), input([6])),
    'INVALID_SHAPE',
    'input must have rank 3 or more [N, …, C], received rank 2 [N, 6]',
  )
  await expectError(() => layerNormOp(x, { axes: 3 }), 'INVALID_SHAPE', 'layerNorm: input must have rank 4 or more')
  await expectError(
    () => layerNormOp(x, { gamma: x }),
    'INVALID_SHAPE',
    'layerNorm: gamma must have shape [6], that of the normalized axes',
  )
  await expectError(() => rmsNormOp(x, { beta: x } as never), 'INVALID_ARGUMENT', 'rmsNorm: unknown option "beta"')
  await expectError(() => groupNormOp(x, 4), 'INVALID_SHAPE', "groupNorm: groups 4 do not divide the input's 6 channels")
  await expectError(
    () => groupNormOp(x, 2, { beta: x }),
    'INVALID_SHAPE',
    'groupNorm: beta must have shape [6], one number for each channel',
  )
  await expectError(() => ops.groupNormBackward(randomTensor([3, 6], 1), x, 2), 'INVALID_SHAPE', 'dy and x must have one shape')
})
