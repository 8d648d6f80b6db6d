import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { networks } from '../../lib/cli/networks'
import { exportOnnx } from '../../lib/convert/onnx/export'
import { importOnnx } from '../../lib/convert/onnx/import'
import type { Model, Tensor } from '../../lib/index'
import { weightsSha256 } from '../../lib/io/weights-hash'
import { temporaryFolder } from '../support/folder'
import { layerModels, shake } from '../support/layerModels'
import { randomTensor } from '../support/models'
import { floats, type NodeText, onnxModel, wholes } from '../support/onnxModel'
import { channelsFirst, channelsLast, predictAll, runOnnx, samplesFor } from './onnxRuntime'

/** The largest difference between what we and ONNX Runtime make of a file, as a share of the largest number. */
async function distance(file: string | Uint8Array, first: readonly Tensor[]): Promise<number> {
  const expected = (await runOnnx(file, first)).map(channelsLast)
  const model = (await importOnnx(file)) as Model
  const got = await predictAll(model, first.map(channelsLast))
  model.dispose()
  expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
  return Math.max(...expected.map(({ data }, index) => share(data as Float32Array, got[index]!.data as Float32Array)))
}

function share(expected: Float32Array, got: Float32Array): number {
  const most = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3)
  return expected.reduce((largest, value, at) => Math.max(largest, Math.abs(value - got[at]!)), 0) / most
}

interface Told {
  readonly file?: string
  readonly inputs?: readonly (readonly number[])[]
  readonly name?: string
  readonly skipped?: string
}

/** A Python that has onnx and PyTorch, if there is one. */
const python = ['/usr/bin/python3', 'python3'].find((name) => spawnSync(name, ['-c', 'import onnx, torch']).status === 0)

test.skipIf(!python)(`files of PyTorch${python ? '' : ' (no Python with onnx and torch here)'}`, { timeout: 600_000 }, async () => {
  const folder = temporaryFolder()
  const made = spawnSync(python!, [join(__dirname, 'onnxFiles.py'), folder], { encoding: 'utf8', maxBuffer: 2 ** 26 })
  expect(made.status, made.stderr).toBe(0)
  const lines = made.stdout.split('\n').filter(Boolean)
  const told = lines.map((line): Told => JSON.parse(line))
  const wrong: string[] = []
  for (const { file, inputs, name, skipped } of told) {
    if (!file) wrong.push(`${name}: ${skipped}`)
    else {
      const x = inputs!.map((shape, index) => randomTensor([...shape], index + 3))
      const far = await distance(file, x).catch((error: Error) => error.message)
      if (!(Number(far) < 1e-5)) wrong.push(`${file.slice(folder.length + 1)}: ${far}`)
    }
  }
  expect(wrong).toEqual([])
  expect(told.length).toBeGreaterThan(80)
})

describe('every kind of layer, written and read again: the same bits, or refused', () => {
  test.each(layerModels)('$name', async ({ make }) => {
    const model = make()
    await shake(model)
    const file = join(temporaryFolder(), 'layer.onnx')
    const x = samplesFor(model, 3)
    for (const options of [{}, { layout: 'nhwc', opset: 21 }] as const) {
      await exportOnnx(model, file, options)
      const read = await importOnnx(file).catch((error) => void expect(error).toMatchObject({ code: 'UNSUPPORTED' }))
      if (read) expect(await predictAll(read as Model, x)).toEqual(await predictAll(model, x))
    }
  })
})

describe('the networks of the zoo, written and read again: the same bits, and those of ONNX Runtime to 1e-4', () => {
  test.each(Object.keys(networks))('%s', async (name) => {
    const input = ['mlp', 'lenet', 'nielsen'].includes(name) ? ([28, 28, 1] as const) : ([32, 32, 3] as const)
    const model = networks[name]!.make({ input, classes: 10, seed: 1 })
    const file = join(temporaryFolder(), 'zoo.onnx')
    const x = samplesFor(model, 2)
    await exportOnnx(model, file)
    const read = (await importOnnx(file)) as Model
    expect(await predictAll(read, x)).toEqual(await predictAll(model, x))
    expect(weightsSha256(await read.getWeights())).toBe(weightsSha256(await model.getWeights()))
    expect(await distance(file, x.map(channelsFirst))).toBeLessThan(1e-4)
  })
})

const image = { x: [2, 4, 6, 5] } as const
const row = { x: [2, 12] } as const
const line = { x: [2, 3, 8] } as const
const conv = { w: floats([6, 4, 3, 3]), b: floats([6]) }
interface Case {
  readonly name: string
  readonly nodes: readonly NodeText[]
  readonly inputs?: Readonly<Record<string, readonly number[]>>
  readonly constants?: Parameters<typeof onnxModel>[0]['constants']
  readonly opsets?: readonly number[]
}
const one = (op: string, input: readonly string[], attributes: Readonly<Record<string, unknown>>, more: Partial<Case> = {}): Case => ({
  name: `${op} ${JSON.stringify(attributes)}`,
  nodes: [[op, ['x', ...input], ['y'], attributes]],
  ...more,
})

describe('operators in their old and new forms', () => {
  const transposed = { w: floats([4, 3, 3, 3]) }
  const cases: readonly Case[] = [
    ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].flatMap((auto_pad) => [
      one('Conv', ['w', 'b'], { auto_pad, strides: [2, 1] }, { constants: conv }),
      one('MaxPool', [], { auto_pad, kernel_shape: [3, 2], strides: [2, 2] }),
      one('AveragePool', [], { auto_pad, kernel_shape: [2, 2], strides: [2, 2] }),
      one('ConvTranspose', ['w'], { auto_pad, strides: [2, 3] }, { constants: transposed }),
    ]),
    one('Conv', ['w'], { pads: [0, 2, 1, 0], dilations: [2, 1], group: 2 }, { constants: { w: floats([6, 2, 2, 3]) } }),
    one('ConvTranspose', ['w'], { strides: [2, 2], output_shape: [13, 10] }, { constants: transposed }),
    one('ConvTranspose', ['w'], { strides: [2, 2], output_padding: [1, 0], pads: [1, 0, 0, 1], group: 2 }, { constants: transposed }),
    one('AveragePool', [], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    one('AveragePool', [], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    one('MaxPool', [], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, dilations: [1, 2] }),
    one('LpPool', [], { kernel_shape: [2, 2], p: 3 }),
    one('Gemm', ['w', 'b'], { transB: 1, alpha: 0.5, beta: 2.5 }, { inputs: row, constants: { w: floats([5, 12]), b: floats([1, 5]) } }),
    one('MatMul', ['w'], {}, { inputs: line, constants: { w: floats([8, 5]) } }),
    one('MatMul', ['w'], {}, { inputs: image, constants: { w: floats([5, 3]) } }),
    ...[1, 2, 3, -1].map((axis) => one('Softmax', [], { axis }, { opsets: [13, 17] })),
    one('Softmax', [], {}, { inputs: row, opsets: [9, 11, 13] }),
    one('Flatten', [], { axis: 1 }, { opsets: [9, 13] }),
    one('Clip', [], { min: -0.25, max: 0.5 }, { opsets: [9] }),
    ...[['low', 'high'], ['low'], ['', 'high'], ['zero', 'high'], ['zero']].map((bounds) => ({
      ...one(
        'Clip',
        bounds,
        {},
        { constants: { low: floats([], [-0.25]), high: floats([], [0.5]), zero: floats([], [0]) }, opsets: [12, 17] },
      ),
      name: `Clip ${bounds}`,
    })),
    one('Clip', ['low', 'high'], {}, { constants: { low: floats([], [-65504]), high: floats([], [65504]) } }),
    one('MaxPool', [], { kernel_shape: [8, 2], strides: [3, 2], ceil_mode: 1 }),
    one(
      'AveragePool',
      [],
      { kernel_shape: [8, 7], strides: [3, 3], pads: [1, 0, 0, 1], ceil_mode: 1, count_include_pad: 1 },
      { opsets: [19] },
    ),
    one('LayerNormalization', ['s'], { axis: 2 }, { constants: { s: floats([5]) } }),
    one('HardSigmoid', [], {}),
    one('PRelu', ['s'], {}, { constants: { s: floats([1]) } }),
    one('PRelu', ['s'], {}, { constants: { s: floats([4, 6, 1]) } }),
    ...[[2, 3], [1], [-1], [1, 3]].flatMap((axes) =>
      [0, 1].map((keepdims) => one('ReduceMean', [], { axes, keepdims }, { opsets: [9, 17] })),
    ),
    one('ReduceMean', ['axes'], { keepdims: 0 }, { constants: { axes: wholes(2) }, opsets: [18] }),
    one('ReduceMax', [], { axes: [1], keepdims: 1 }),
    one('ReduceSum', ['axes'], {}, { constants: { axes: wholes(3, 1) } }),
    one('Pad', [], { pads: [0, 0, 1, 2, 0, 0, 0, 1], mode: 'constant' }, { opsets: [9] }),
    one('Pad', ['pads'], {}, { constants: { pads: wholes(0, 1, 1, 2, 0, 2, 0, 1) }, opsets: [11, 17] }),
    one('Slice', [], { starts: [1, -3], ends: [99, 5], axes: [2, 3] }, { opsets: [9] }),
    one('Slice', ['s', 'e', 'a', 't'], {}, { constants: { s: wholes(0, 1), e: wholes(2 ** 40, 5), a: wholes(1, 2), t: wholes(2, 3) } }),
    one('Gather', ['i'], { axis: 1 }, { constants: { i: wholes(1, 2) } }),
    one('Upsample', ['s'], { mode: 'nearest' }, { constants: { s: floats([4], [1, 1, 2, 3]) }, opsets: [9] }),
    ...[
      ['half_pixel', 'round_prefer_floor'],
      ['asymmetric', 'floor'],
      ['pytorch_half_pixel', 'round_prefer_ceil'],
    ].map(([coordinate_transformation_mode, nearest_mode]) =>
      one(
        'Resize',
        ['', 's'],
        { mode: 'nearest', nearest_mode, coordinate_transformation_mode },
        { constants: { s: floats([4], [1, 1, 2, 2]) }, opsets: [13] },
      ),
    ),
    one('Resize', ['', '', 'to'], { mode: 'linear' }, { constants: { to: wholes(2, 4, 9, 3) } }),
    one('Resize', ['', '', 'to'], { mode: 'nearest', nearest_mode: 'round_prefer_ceil' }, { constants: { to: wholes(2, 4, 12, 5) } }),
    one('Sub', ['c'], {}, { constants: { c: floats([4, 1, 1]) } }),
    one('Div', ['c'], {}, { constants: { c: floats([6, 1], [1, 2, 3, 4, 5, 6]) } }),
    { name: 'a constant before', nodes: [['Sub', ['c', 'x'], ['y']]], constants: { c: floats([5]) } },
    { name: 'Min', nodes: [['Min', ['x', 'c'], ['y']]], constants: { c: floats([], [0.5]) } },
    { name: 'Sum', nodes: [['Sum', ['x', 'x', 'x'], ['y']]] },
    ...[9, 13].map((opset) => ({
      name: 'Squeeze and Unsqueeze',
      nodes: [
        ['Unsqueeze', opset < 13 ? ['x'] : ['x', 'a'], ['u'], opset < 13 ? { axes: [1, 4] } : {}],
        ['Squeeze', opset < 13 ? ['u'] : ['u', 'a'], ['v'], opset < 13 ? { axes: [1, 4] } : {}],
        ['Relu', ['v'], ['y']],
      ] as NodeText[],
      inputs: line,
      constants: opset < 13 ? {} : { a: wholes(1, 4) },
      opsets: [opset],
    })),
    {
      name: 'parts side by side',
      nodes: [
        ['Split', ['x'], ['a', 'b'], { axis: 1, split: [1, 3] }],
        ['Concat', ['b', 'a'], ['y'], { axis: 1 }],
      ],
      opsets: [9],
    },
    {
      name: 'rows side by side',
      nodes: [
        ['Flatten', ['x'], ['a'], { axis: 1 }],
        ['Relu', ['a'], ['b']],
        ['Concat', ['b', 'a'], ['c'], { axis: 1 }],
        ['Gemm', ['c', 'w'], ['y']],
      ],
      constants: { w: floats([240, 3]) },
    },
    {
      name: 'rows of an image, normalized and scaled before a product',
      nodes: [
        ['Flatten', ['x'], ['a'], { axis: 1 }],
        ['BatchNormalization', ['a', 'g', 'b', 'm', 'v'], ['c'], { epsilon: 0.01 }],
        ['Mul', ['c', 'g'], ['d']],
        ['Add', ['d', 'a'], ['e']],
        ['MatMul', ['e', 'w'], ['f']],
        ['Add', ['f', 'o'], ['y']],
      ],
      constants: {
        g: floats([120]),
        b: floats([120]),
        m: floats([120]),
        v: floats(
          [120],
          Array.from({ length: 120 }, (_, index) => 1 + index / 50),
        ),
        w: floats([120, 7]),
        o: floats([7]),
      },
    },
    {
      name: 'images of tf2onnx: channels last at the ends',
      nodes: [
        ['Transpose', ['x'], ['a'], { perm: [0, 3, 1, 2] }],
        ['Conv', ['a', 'w', 'b'], ['c'], {}],
        ['Transpose', ['c'], ['y'], { perm: [0, 2, 3, 1] }],
      ],
      constants: { w: floats([6, 5, 2, 3]), b: floats([6]) },
    },
    {
      name: 'a group norm of old exporters',
      nodes: [
        ['Reshape', ['x', 'to'], ['a']],
        ['InstanceNormalization', ['a', 'g', 'b'], ['c'], { epsilon: 0.01 }],
        ['Shape', ['x'], ['s']],
        ['Reshape', ['c', 's'], ['y']],
      ],
      constants: { to: wholes(0, 2, -1), g: floats([2]), b: floats([2]) },
    },
    {
      name: 'one number for each pixel and for each channel',
      nodes: [
        ['ReduceMean', ['x'], ['p'], { axes: [1], keepdims: 1 }],
        ['GlobalMaxPool', ['x'], ['c']],
        ['Mul', ['x', 'p'], ['a']],
        ['Add', ['c', 'a'], ['b']],
        ['Mul', ['c', 'p'], ['d']],
        ['Sub', ['b', 'd'], ['y']],
      ],
    },
  ]
  const all = cases.flatMap(({ opsets = [17], ...rest }) => opsets.map((opset) => ({ ...rest, opset })))
  test.each(all)('$name, operator set $opset', async ({ nodes, inputs = image, constants = {}, opset }) => {
    const bytes = onnxModel({ nodes, inputs, constants, opset })
    const isLast = nodes[0]![0] === 'Transpose'
    const x = Object.values(inputs).map((shape, index) => randomTensor([...shape], index + 3))
    if (!isLast) return expect(await distance(bytes, x)).toBeLessThan(1e-5)
    const [expected] = await runOnnx(bytes, x)
    const [got] = await predictAll((await importOnnx(bytes)) as Model, x)
    expect(got!.shape).toEqual(expected!.shape)
    return expect(share(expected!.data as Float32Array, got!.data as Float32Array)).toBeLessThan(1e-5)
  })
})
