import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { networks } from '../../lib/cli/networks'
import { exportOnnx } from '../../lib/convert/onnx/export'
import { OPSET, onnx } from '../../lib/convert/onnx/schema'
import { conv2d, dense, flatten, type Model, network, sequential } from '../../lib/index'
import { input, type Node } from '../../lib/layers/node'
import { makeLayer } from '../../lib/layers/registry'
import type { AnyTensor } from '../../lib/tensor'
import { temporaryFolder } from '../support/folder'
import { layerModels, shake } from '../support/layerModels'
import { Random } from '../support/random'
import { channelsFirst, channelsLast, expectClose, openOnnx, predictAll, runOnnx, samplesFor } from './onnxRuntime'

describe('every kind of layer, as ONNX Runtime has it', () => {
  test.each(layerModels)('$name', async ({ make }) => {
    const model = make()
    await shake(model)
    const x = samplesFor(model, 3)
    const expected = await predictAll(model, x)
    const file = join(temporaryFolder(), 'layer.onnx')
    await exportOnnx(model, file)
    expectClose((await runOnnx(file, x.map(channelsFirst))).map(channelsLast), expected, 1e-5)
    await exportOnnx(model, file, { layout: 'nhwc', opset: 21 })
    expectClose(await runOnnx(file, x), expected, 1e-5)
    model.dispose()
  })
})

/** The same network, with the same weights, whose convolutions are products of matrices. */
async function withIm2col(model: Model): Promise<Model> {
  const { inputs, layers, calls, outputs } = model.architecture
  const made = layers.map(({ layer: { type, config }, name }, index) => {
    const own = config.call(layers[index]!.layer)
    return makeLayer(type, name, 'algorithm' in own || /conv/i.test(type) ? { ...own, algorithm: 'im2col' } : own)
  })
  const places: Node[] = inputs.map(({ shape, name }) => input(shape as never, { name }))
  for (const call of calls) places.push(made[call.layer]!.apply(...(call.inputs.map((place) => places[place]!) as never[])) as Node)
  const copy = network({ inputs: places.slice(0, inputs.length), outputs: outputs.map(({ place }) => places[place]!) }) as unknown as Model
  await copy.setWeights(await model.getWeights())
  return copy
}

/** Statistics and offsets as of batches that were seen, so that folding them changes something. */
async function settle(model: Model): Promise<void> {
  const random = new Random(4)
  const weights = await model.getWeights()
  for (const [name, { shape, data }] of Object.entries(weights)) {
    const [low, high] = name.endsWith('movingVariance') ? [0.5, 2] : [-0.2, 0.2]
    const isKept = !/movingVariance|movingMean|beta|bias/.test(name)
    weights[name] = { shape, data: data.map((value) => (isKept ? value : random.between(low!, high!))) }
  }
  await model.setWeights(weights)
}

const shapes = { mlp: [28, 28, 1], lenet: [28, 28, 1], nielsen: [28, 28, 1] } as const

describe('the networks of the zoo, to 1e-4 of the largest logit, and to 1e-5 without Winograd', () => {
  test.each(Object.keys(networks))('%s', async (name) => {
    const shape = shapes[name as keyof typeof shapes] ?? ([32, 32, 3] as const)
    const model = networks[name]!.make({ input: shape, classes: 10, seed: 1 })
    await settle(model)
    const x = samplesFor(model, 2)
    const file = join(temporaryFolder(), 'zoo.onnx')
    await exportOnnx(model, file)
    const found = await runOnnx(file, x.map(channelsFirst))
    expectClose(found, await predictAll(model, x), 1e-4)
    expectClose(found, await predictAll(await withIm2col(model), x), 1e-5)
  })
})

const small = () => sequential({ input: [6, 5, 3], seed: 2 }, conv2d(4, 3, { activation: 'relu' }), flatten(), dense(7))

test('batches of any size', async () => {
  const model = small() as Model
  const file = join(temporaryFolder(), 'small.onnx')
  await exportOnnx(model, file)
  const { run, close } = await openOnnx(file)
  for (const n of [1, 8, 3]) {
    const x = samplesFor(model, n)
    expectClose(await run(x.map(channelsFirst)), await predictAll(model, x), 1e-5)
  }
  await close()
})

describe('bytes as inputs', () => {
  const bytes: AnyTensor = { shape: [2, 6, 5, 3], data: Uint8Array.from({ length: 180 }, (_, index) => (index * 37) % 256) }

  test.each([
    { what: 'as predict scales them by itself', normalize: undefined },
    { what: 'as the data was scaled', normalize: { scale: [0.01, 0.02, 0.03], offset: [-1, 0, 2] } },
  ])('$what', async ({ normalize }) => {
    const x = input([6, 5, 3], { ...(normalize && { normalize }) })
    const model = network({ inputs: x, outputs: dense(4).apply(flatten().apply(conv2d(4, 3).apply(x))), seed: 2 }) as unknown as Model
    const file = join(temporaryFolder(), 'bytes.onnx')
    for (const layout of ['nhwc', 'nchw'] as const) {
      await exportOnnx(model, file, { layout, input: 'uint8' })
      const first = channelsFirst({ shape: bytes.shape, data: Float32Array.from(bytes.data) })
      const given = layout === 'nhwc' ? bytes : { shape: first.shape, data: Uint8Array.from(first.data) }
      expectClose(await runOnnx(file, [given]), await predictAll(model, [bytes]), 1e-5)
    }
  })
})

test('no newer operator set has the official support of this ONNX Runtime', async () => {
  const value = (name: string) => ({ name, type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2n }] } } } })
  const model = (opset: number) =>
    onnx.encode('Model', {
      irVersion: 13n,
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph: { name: 'relu', node: [{ input: ['x'], output: ['y'], opType: 'Relu' }], input: [value('x')], output: [value('y')] },
    })
  const x = [{ shape: [2], data: Float32Array.of(-1, 2) }]
  expect(await runOnnx(model(OPSET), x)).toEqual([{ shape: [2], data: Float32Array.of(0, 2) }])
  await expect(runOnnx(model(OPSET + 1), x)).rejects.toThrow(`Current official support for domain ai.onnx is till opset ${OPSET}.`)
})
