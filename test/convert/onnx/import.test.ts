import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportOnnx } from '../../../lib/convert/onnx/export'
import { importOnnx } from '../../../lib/convert/onnx/import'
import { adam, type Model, mobilenetV2Small, resnet20, type Tensor } from '../../../lib/index'
import { temporaryFolder } from '../../support/folder'
import { layerModels, shake } from '../../support/layerModels'
import { randomTensor, someLabels } from '../../support/models'
import { floats, type NodeText, onnxModel, wholes } from '../../support/onnxModel'

/** What a file says in words that are no layers here. */
const oneWay =
  /^(averagePool2d.*ceil true, countPadding true|linearThreshold\(.*(slope 0\.1|threshold -0\.2)|adaptiveAveragePool(1d\(size \[4\]|2d\(size \[3,5\]|3d\(size \[2,5,3\]))/

const samplesFor = (model: Model) => {
  const x = model.architecture.inputs.map(({ shape }, index) => randomTensor([2, ...shape], index + 5))
  return (x.length === 1 ? x[0] : x) as Tensor
}

describe('written and read again: the same bits', () => {
  // Every sixth of them; all of them in test/outside.
  const cases = layerModels.filter(({ name }, index) => !oneWay.test(name) && index % 6 === 0)
  test.each(cases)('$name', async ({ make }) => {
    const model = make()
    await shake(model)
    const file = join(temporaryFolder(), 'model.onnx')
    const x = samplesFor(model)
    for (const layout of ['nchw', 'nhwc'] as const) {
      await exportOnnx(model, file, { layout })
      const read = await importOnnx(file)
      expect(await read.predict(x)).toEqual(await model.predict(x))
      read.dispose()
    }
    model.dispose()
  })
  test.each(layerModels.filter(({ name }) => oneWay.test(name)))('refused: $name', async ({ make }) => {
    const file = join(temporaryFolder(), 'model.onnx')
    await exportOnnx(make(), file)
    await expect(importOnnx(file)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})

describe('networks of the zoo', () => {
  const image = { input: [16, 16, 3], classes: 5, seed: 2 } as const
  test.each([
    ['resnet20', () => resnet20(image)],
    ['mobilenetV2Small', () => mobilenetV2Small(image)],
  ])('%s: weights keep their names and bits, and are trained on', async (_, make) => {
    const model = make() as unknown as Model
    await shake(model)
    model.classNames = ['ant', 'bee', 'cat', 'dog', 'eel']
    const file = join(temporaryFolder(), 'model.onnx')
    await exportOnnx(model, file)
    const read = await importOnnx(file)
    expect(read.classNames).toEqual(model.classNames)
    expect(await read.getWeights()).toEqual(await model.getWeights())
    const x = samplesFor(model)
    expect(await read.predict(x)).toEqual(await model.predict(x))
    read.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
    expect((await read.trainOnBatch(x, someLabels(2, 5))).loss).toBeGreaterThan(0)
    await read.save(join(temporaryFolder(), 'model.safetensors'))
    read.dispose()
    model.dispose()
  })
})

/** What a file of these nodes makes of `x`. */
async function made(nodes: readonly NodeText[], x: Tensor, constants: Parameters<typeof onnxModel>[0]['constants'] = {}) {
  const model = await importOnnx(onnxModel({ nodes, inputs: { x: ['N', ...x.shape.slice(1)] }, constants }), { layout: 'nhwc' })
  const { shape, data } = await model.predict(x)
  const types = model.architecture.layers.map(({ layer }) => layer.type)
  model.dispose()
  return { shape, data: Array.from(data), types }
}
const row = (...data: readonly number[]): Tensor => ({ shape: [1, data.length], data: Float32Array.from(data) })

describe('operators', () => {
  test.each([
    [-65504, 65504, [-70000, -0.01, 0, 1e-6, 3, 70000], [-65504, -0.01, 0, 1e-6, 3, 65504]],
    [-1e6, undefined, [-2e6, -0.01, 0.01], [-1e6, -0.01, 0.01]],
    [undefined, 1e6, [-0.01, 0.01, 2e6], [-0.01, 0.01, 1e6]],
    [2, 1e6, [1, 2.5, 2e6], [2, 2.5, 1e6]],
    [-1e6, -2, [-2e6, -2.5, 1], [-1e6, -2.5, -2]],
    [-1, 0, [-2, -0.01, 1], [-1, -0.01, 0]],
  ])('Clip to %s and %s keeps what is small beside its bounds', async (low, high, x, expected) => {
    const constants = { ...(low !== undefined && { low: floats([], [low]) }), ...(high !== undefined && { high: floats([], [high]) }) }
    const inputs = ['x', low === undefined ? '' : 'low', ...(high === undefined ? [] : ['high'])]
    const { data } = await made([['Clip', inputs, ['y']]], row(...x), constants)
    expect(data.map((value) => value + 0)).toEqual(expected.map(Math.fround))
  })

  test('a relu and a bound behind it are as many layers', async () => {
    const nodes: NodeText[] = [
      ['Relu', ['x'], ['a']],
      ['Min', ['a', 'six'], ['y']],
    ]
    const { data, types } = await made(nodes, row(-1, 2, 7), { six: floats([], [6]) })
    expect([data, types]).toEqual([
      [0, 2, 6],
      ['relu', 'linearThreshold'],
    ])
  })

  test('the states of an RNN, beside a node that leaves an input out', async () => {
    const nodes: NodeText[] = [
      ['Clip', ['x', '', 'one'], ['c']],
      ['Transpose', ['c'], ['t'], { perm: [1, 0, 2] }],
      ['RNN', ['t', 'w', 'r'], ['s'], { hidden_size: 1 }],
      ['Squeeze', ['s', 'axis'], ['q']],
      ['Transpose', ['q'], ['y'], { perm: [1, 0, 2] }],
    ]
    const constants = { one: floats([], [1]), w: floats([1, 1, 1], [0.5]), r: floats([1, 1, 1], [0]), axis: wholes(1) }
    const { data } = await made(nodes, { shape: [1, 2, 1], data: Float32Array.of(0.5, 3) }, constants)
    expect(data[0]).toBeCloseTo(Math.tanh(0.25), 6)
    expect(data[1]).toBeCloseTo(Math.tanh(0.5), 6)
  })

  test('windows larger than the image, where sizes are rounded up', async () => {
    const nodes: NodeText[] = [
      ['AveragePool', ['x'], ['a'], { kernel_shape: [4], strides: [3], ceil_mode: 1 }],
      ['MaxPool', ['x'], ['m'], { kernel_shape: [4], strides: [3], ceil_mode: 1 }],
      ['Sub', ['m', 'a'], ['y']],
    ]
    const { shape, data } = await made(nodes, { shape: [1, 1, 3], data: Float32Array.of(1, 2, 6) })
    expect([shape, data]).toEqual([[1, 1, 1], [3]])
  })

  test('LayerNormalization whose scale is one number', async () => {
    const { data } = await made([['LayerNormalization', ['x', 's'], ['y'], { epsilon: 1e-9 }]], row(-1, 1), { s: floats([1], [2]) })
    expect(data[1]).toBeCloseTo(2, 5)
  })
})
