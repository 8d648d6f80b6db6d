import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { permuted } from '../../../lib/convert/onnx/arrange'
import { onnxPieces } from '../../../lib/convert/onnx/export'
import { filePieces } from '../../../lib/convert/onnx/file'
import { type ModelProto, onnx } from '../../../lib/convert/onnx/schema'
import {
  batchNorm,
  conv2d,
  dense,
  exportOnnx,
  flatten,
  input,
  type Model,
  network,
  type RankedTensor,
  relu,
  rmsNorm,
  rnn,
  sequential,
  sgd,
  softmax,
  type Tensor,
} from '../../../lib/index'
import { batchNorm as batchNormOp } from '../../../lib/ops'
import { temporaryFolder } from '../../support/folder'
import { layerModels } from '../../support/layerModels'
import { expectError, someLabels } from '../../support/models'
import { ownModel } from '../../support/ownLayer'

async function exported<X, Y>(model: Model<X, Y>, options = {}): Promise<ModelProto> {
  return onnx.decode('Model', Buffer.concat([...(await onnxPieces(model, options))]), 'exported')
}

const small = () =>
  sequential(
    { input: [6, 5, 3], seed: 2 },
    conv2d(4, [3, 2], { name: 'stem' }),
    batchNorm({ activation: 'relu', epsilon: 0.01 }),
    flatten(),
    dense(7, { name: 'logits' }),
    softmax({ name: 'chances' }),
  )

type End = ModelProto['graph'] extends infer G | undefined ? (G extends { input: readonly (infer E)[] } ? E : never) : never
const shapeOf = (end: End) => end.type!.tensorType!.shape!.dim.map(({ dimParam, dimValue }) => dimParam || Number(dimValue))
const ends = (model: ModelProto) => [...model.graph!.input, ...model.graph!.output].map((end) => [end.name, ...shapeOf(end)])
const types = (model: ModelProto) => model.graph!.node.map(({ opType }) => opType)
const metadata = (model: ModelProto) => Object.fromEntries(model.metadata.map(({ key, value }) => [key, value]))
const floatsOf = (bytes: Uint8Array) => new Float32Array(Uint8Array.from(bytes).buffer)

describe('the file', () => {
  test('says what it is', async () => {
    const model = await exported(small())
    expect(model.producerName).toBe('convlane')
    expect(model.irVersion).toBe(13n)
    expect(model.opsetImport).toMatchObject([{ domain: '', version: 26n }])
    expect(metadata(model)).toEqual({ layout: 'nchw' })
  })

  test('has the layers by their names, nothing folded', async () => {
    const { graph } = await exported(small())
    expect(graph!.node.at(-1)!.output).toEqual(['chances'])
    expect(graph!.node.map(({ name, opType }) => [name, opType])).toEqual([
      ['stem', 'Conv'],
      ['batchNorm', 'BatchNormalization'],
      ['batchNorm/relu', 'Relu'],
      ['flatten/transpose', 'Transpose'],
      ['flatten', 'Reshape'],
      ['logits', 'Gemm'],
      ['chances', 'Softmax'],
    ])
  })

  test('has inputs and outputs by their names, the batch of any size, the channels where they are wanted', async () => {
    const images = () => sequential({ input: [6, 5, 3], seed: 2 }, conv2d(4, [3, 2], { name: 'stem' }))
    const [first, last] = [
      [
        ['input', 'N', 3, 6, 5],
        ['stem', 'N', 4, 4, 4],
      ],
      [
        ['input', 'N', 6, 5, 3],
        ['stem', 'N', 4, 4, 4],
      ],
    ]
    expect(ends(await exported(images()))).toEqual(first)
    expect(ends(await exported(images(), { layout: 'nhwc' }))).toEqual(last)
    expect(types(await exported(images()))).toEqual(['Conv'])
    expect(types(await exported(images(), { layout: 'nhwc' }))).toEqual(['Transpose', 'Conv', 'Transpose'])
  })

  test('has the bits of the weights, filters with the channels first', async () => {
    const model = small()
    const weights = await model.getWeights()
    const { graph } = await exported(model)
    const found = Object.fromEntries(
      graph!.initializer.map(({ name, dims, rawData }) => [name, { shape: dims.map(Number), data: rawData }]),
    )
    for (const [name, { shape, data }] of Object.entries(weights)) {
      const order = name === 'stem/kernel' ? [3, 2, 0, 1] : shape.map((_, axis) => axis)
      expect(found[name]!.shape, name).toEqual(order.map((axis) => shape[axis]))
      expect(floatsOf(found[name]!.data), name).toEqual(permuted(data as Float32Array, shape, order))
    }
    expect(found['logits/kernel']!.shape).toEqual([64, 7])
  })

  test('has the same bytes each time', async () => {
    const folder = temporaryFolder()
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await exportOnnx(small(), a)
    await exportOnnx(small(), b)
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true)
  })

  test('keeps what the model knows of its data', async () => {
    const x = input([4, 4, 1], { name: 'image', normalize: { scale: 1 / 64, offset: -2 } })
    const model = network({ inputs: x, outputs: dense(2).apply(flatten().apply(x)) })
    model.classNames = ['cat', 'dog']
    const kept = metadata(await exported(model))
    expect(JSON.parse(kept.classNames!)).toEqual(['cat', 'dog'])
    expect(JSON.parse(kept.normalize!)).toEqual({ image: { scale: 1 / 64, offset: -2 } })
    // The file scales bytes by itself.
    const bytes = await exported(model, { input: 'uint8' })
    expect(metadata(bytes).normalize).toBeUndefined()
    expect(types(bytes).slice(0, 3)).toEqual(['Cast', 'Mul', 'Add'])
    expect(bytes.graph!.input[0]!.type!.tensorType!.elemType).toBe(2)
  })

  test('is written in older operator sets, too', async () => {
    const model = () => sequential({ input: [6], seed: 1 }, rmsNorm())
    const [now, then] = [await exported(model()), await exported(model(), { opset: 21 })]
    expect(types(now)).toEqual(['RMSNormalization'])
    expect(then.opsetImport[0]!.version).toBe(21n)
    expect(then.irVersion).toBe(10n)
    expect(types(then)).toEqual(['Mul', 'ReduceMean', 'Add', 'Sqrt', 'Div', 'Mul'])
  })

  test('has a recurrent layer as one node', async () => {
    const model = await exported(sequential({ input: [9, 4], seed: 1 }, rnn(5, { activation: 'relu' })))
    expect(types(model)).toEqual(['Transpose', 'RNN', 'Squeeze'])
    expect(model.graph!.initializer.slice(0, 3).map(({ name, dims }) => [name, dims.map(Number)])).toEqual([
      ['rnn/bias', [1, 10]],
      ['rnn/kernel', [1, 5, 4]],
      ['rnn/recurrentKernel', [1, 5, 5]],
    ])
  })

  test('has the averages of the weights, where these are wanted', async () => {
    const model = sequential({ input: [3], seed: 1 }, dense(2))
    model.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: 'softmaxCrossEntropy', ema: { decay: 0.9 } })
    await model.trainOnBatch({ shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, index) => index / 12) }, someLabels(4, 2))
    const kernel = async (options: object) => floatsOf((await exported(model, options)).graph!.initializer[0]!.rawData)
    expect(await kernel({})).toEqual((await model.getWeights())['dense/kernel']!.data)
    expect(await kernel({ weights: 'average' })).toEqual((await model.getWeights({ weights: 'average' }))['dense/kernel']!.data)
  })

  test('names an output otherwise that would be called as an input', async () => {
    const x = input([4, 4, 2], { name: 'relu' })
    const model = await exported(network({ inputs: x, outputs: [x, relu().apply(x)] }))
    const names = ends(model).map(([name]) => name)
    expect(new Set(names).size).toBe(3)
    expect(names[0]).toBe('relu')
  })
})

/** What every reader asks of a graph: each name is made once, before it is read, and each output is made. */
function expectWhole({ graph }: ModelProto): void {
  const { node, input, output, initializer } = graph!
  const known = new Set([...input, ...initializer].map(({ name }) => name))
  expect(known.size).toBe(input.length + initializer.length)
  for (const { input: read, output: made } of node) {
    for (const name of read) if (name !== '') expect(known).toContain(name)
    for (const name of made.filter((other) => other !== '')) {
      expect(known).not.toContain(name)
      known.add(name)
    }
  }
  for (const { name } of output) expect(known).toContain(name)
  expect(new Set(node.map(({ name }) => name)).size).toBe(node.length)
  for (const { dims, dataType, rawData } of initializer) {
    const width = dataType === 7 ? 8 : 4
    expect(rawData.length).toBe(width * dims.reduce((product, size) => product * Number(size), 1))
  }
}

test.each(layerModels)('$name gives a whole graph', async ({ make }) => {
  const model = make()
  expectWhole(await exported(model))
  expectWhole(await exported(model, { layout: 'nhwc', input: 'uint8', opset: 21 }))
  model.dispose()
})

describe('what cannot be written', () => {
  const refused = async (model: Model, message: string | RegExp) => {
    const file = join(temporaryFolder(), 'm.onnx')
    writeFileSync(file, 'before')
    await expectError(() => exportOnnx(model, file), 'UNSUPPORTED', message)
    expect(readFileSync(file, 'utf8')).toBe('before')
  }

  test('is named with its layer, and leaves the file that was', async () => {
    const statistics = ownModel([4], (x) => batchNormOp(x).y)
    await refused(statistics, 'exportOnnx: own "own": ONNX has no word for its op batchNorm')
  })

  test('more than 2 GiB, before anything is written', () => {
    const large = { dims: [2 ** 29], type: 1, byteLength: 2 ** 31, pieces: () => expect.unreachable() }
    const parts = { opset: 26, nodes: [], initializers: new Map([['w', large]]), inputs: [], outputs: [], metadata: {} }
    return expectError(() => filePieces(parts), 'UNSUPPORTED', /the model takes 21474\d+ bytes, an ONNX file has at most 2147483647/)
  })

  test('a folder that is not there; a folder in place of the file', async () => {
    const folder = temporaryFolder()
    await expectError(() => exportOnnx(small(), join(folder, 'none', 'm.onnx')), 'FILE_ERROR', 'no such file or directory')
    mkdirSync(join(folder, 'm.onnx'))
    await expectError(() => exportOnnx(small(), join(folder, 'm.onnx')), 'FILE_ERROR', 'cannot write')
    expect(readdirSync(folder)).toEqual(['m.onnx'])
  })

  test('what is no model, no path, no option', async () => {
    const model: Model<Tensor, RankedTensor<2>> = small() as never
    const file = join(temporaryFolder(), 'm.onnx')
    const all: [() => unknown, string][] = [
      [() => exportOnnx({} as Model, file), 'exportOnnx: model must be a model'],
      [() => exportOnnx(model, ''), 'exportOnnx: file must be a path'],
      [() => exportOnnx(model, 3 as never), 'exportOnnx: file must be a path, received 3'],
      [() => exportOnnx(model, file, { layout: 'chw' as never }), "exportOnnx: layout must be 'nchw', 'nhwc', received \"chw\""],
      [() => exportOnnx(model, file, { input: 'int8' as never }), "exportOnnx: input must be 'float32', 'uint8'"],
      [() => exportOnnx(model, file, { opset: 27 }), 'exportOnnx: opset must be an integer from 21 to 26, received 27'],
      [() => exportOnnx(model, file, { opset: 20 }), 'exportOnnx: opset must be'],
      [() => exportOnnx(model, file, { version: 1 } as never), 'exportOnnx: unknown option "version"'],
      [() => exportOnnx(model, file, null as never), 'exportOnnx: options must be an object'],
      [() => exportOnnx(model, file, { weights: 'average' }), ''],
    ]
    for (const [call, message] of all) await expectError(call, 'INVALID_ARGUMENT', message)
    model.dispose()
    await expectError(() => exportOnnx(model, file), 'DISPOSED', '')
    expect(existsSync(file)).toBe(false)
  })
})
