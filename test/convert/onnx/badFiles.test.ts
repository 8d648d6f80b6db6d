import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importOnnx } from '../../../lib/convert/onnx/import'
import { onnx } from '../../../lib/convert/onnx/schema'
import { ConvlaneError } from '../../../lib/index'
import { temporaryFolder } from '../../support/folder'
import { floats, type NodeText, onnxModel, wholes } from '../../support/onnxModel'

const image = { x: ['N', 2, 6, 6] } as const
const conv: NodeText = ['Conv', ['x', 'w'], ['y'], {}]
const weights = { w: floats([3, 2, 3, 3]) }
const whole = onnxModel({ nodes: [conv], inputs: image, constants: weights })
const external = (location: string, more: Readonly<Record<string, string>> = {}) =>
  onnx.encode('Model', {
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      node: [{ opType: 'Gemm', input: ['x', 'w'], output: ['y'] }],
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }, { dimValue: 2n }] } } } }],
      output: [{ name: 'y' }],
      initializer: [
        {
          name: 'w',
          dims: [2n, 3n],
          dataType: 1,
          dataLocation: 1,
          externalData: Object.entries({ location, ...more }).map(([key, value]) => ({ key, value })),
        },
      ],
    },
  })

const one = (node: NodeText, more: object = {}) => onnxModel({ nodes: [node], inputs: image, constants: weights, ...more })
const huge = 2n ** 62n

describe('files that are refused', () => {
  test.each<[string, Uint8Array, string, RegExp]>([
    ['text', Buffer.from('{ "this": "is no model" }'), 'INVALID_FILE', /importOnnx/],
    ['nothing', new Uint8Array(0), 'INVALID_FILE', /no ONNX model/],
    ['an end that is missing', whole.subarray(0, whole.length - 40), 'INVALID_FILE', /damaged|bytes/],
    ['an empty graph', onnxModel({ nodes: [], outputs: [] }), 'INVALID_FILE', /no inputs, or no outputs/],
    ['an output that nothing makes', one(conv, { outputs: ['z'] }), 'INVALID_FILE', /output "z": nothing makes it/],
    [
      'weights that are missing',
      one(conv, { constants: {} }),
      'INVALID_FILE',
      /node "Conv of y" \(Conv\): reads "w", which nothing before it makes/,
    ],
    [
      'a cycle',
      onnxModel({
        nodes: [
          ['Add', ['x', 'b'], ['a']],
          ['Relu', ['a'], ['b']],
        ],
        inputs: image,
        outputs: ['b'],
      }),
      'INVALID_FILE',
      /reads "b", which nothing before it makes/,
    ],
    [
      'a name twice',
      onnxModel({
        nodes: [
          ['Relu', ['x'], ['y']],
          ['Tanh', ['x'], ['y']],
        ],
        inputs: image,
      }),
      'INVALID_FILE',
      /makes "y", which there is already/,
    ],
    ['an old operator set', one(conv, { opset: 8 }), 'UNSUPPORTED', /operator set 8, understood are 9 to 26/],
    ['a newer operator set than is known', one(conv, { opset: 27 }), 'UNSUPPORTED', /operator set 27, understood are 9 to 26/],
    ...(['AveragePool', 'LpPool'] as const).map((op): [string, Uint8Array, string, RegExp] => [
      `${op} with dilations and pads by rule`,
      one([op, ['x'], ['y'], { kernel_shape: [2, 2], dilations: [2, 1], auto_pad: 'SAME_UPPER' }], { opset: 19 }),
      'UNSUPPORTED',
      /auto_pad is "SAME_UPPER" with dilations \[2,1\]: readers differ/,
    ]),
    [
      'ceil_mode and a dilated window that is wider than the image',
      one(['MaxPool', ['x'], ['y'], { kernel_shape: [2, 2], dilations: [6, 6], strides: [2, 2], ceil_mode: 1 }]),
      'UNSUPPORTED',
      /ceil_mode with dilations/,
    ],
    ['an operator', one(['LSTM', ['x'], ['y']]), 'UNSUPPORTED', /node "LSTM of y" \(LSTM\): the operator has no counterpart/],
    ['an attribute', one(['Conv', ['x', 'w'], ['y'], { colour: 3 }]), 'UNSUPPORTED', /attribute colour is not understood/],
    ['a word', one(['Conv', ['x', 'w'], ['y'], { auto_pad: 'SOME' }]), 'UNSUPPORTED', /attribute auto_pad is "SOME"/],
    ['a type of attribute', one(['Conv', ['x', 'w'], ['y'], { strides: 2 }]), 'INVALID_FILE', /attribute strides must be of type 7/],
    ['a negative stride', one(['Conv', ['x', 'w'], ['y'], { strides: [-1, 1] }]), 'INVALID_FILE', /attribute strides/],
    ['a huge padding', one(['Conv', ['x', 'w'], ['y'], { pads: [2 ** 40, 0, 0, 0] }]), 'UNSUPPORTED', /beyond 2\^24/],
    ['channels', one(conv, { constants: { w: floats([3, 5, 3, 3]) } }), 'INVALID_FILE', /the weights' shape is \[3,5,3,3\]/],
    ['a kernel that is larger', one(conv, { constants: { w: floats([3, 2, 9, 9]) } }), 'INVALID_FILE', /larger than/],
    ['an open size', one(conv, { inputs: { x: ['N', 2, 'H', 6] } }), 'UNSUPPORTED', /open sizes: \[N, \?, 6, 2\].*option input/],
    ['whole numbers as input', one(conv, { elemType: 7 }), 'UNSUPPORTED', /elements of type int64/],
    [
      'text as weights',
      one(conv, { constants: { w: { ...floats([3, 2, 3, 3]), type: 8 } } }),
      'UNSUPPORTED',
      /initializer "w": elements of type number 8/,
    ],
    ['data of another length', one(conv, { constants: { w: floats([3, 2, 3, 3], [1, 2]) } }), 'INVALID_FILE', /216 bytes, but 8 bytes/],
    ['sizes that overflow', one(conv, { constants: { w: { ...floats([1]), dims: [2 ** 40, 2 ** 40] } } }), 'INVALID_FILE', /has shape/],
    ['a huge input', one(['Relu', ['x'], ['y']], { inputs: { x: ['N', 2, 2 ** 25] } }), 'UNSUPPORTED', /at most 2\^31 elements/],
    [
      'a huge constant of a small file',
      onnxModel({
        nodes: [
          ['ConstantOfShape', ['s'], ['c']],
          ['Add', ['x', 'c'], ['y']],
        ],
        inputs: image,
        constants: { s: wholes(2 ** 20, 2 ** 20) },
      }),
      'UNSUPPORTED',
      /constant/,
    ],
    [
      'constants that double',
      onnxModel({
        nodes: [
          ...Array.from({ length: 60 }, (_, i): NodeText => ['Concat', [`c${i}`, `c${i}`], [`c${i + 1}`], { axis: 0 }]),
          ['Add', ['x', 'c60'], ['y']],
        ],
        inputs: image,
        constants: { c0: floats([4]) },
      }),
      'UNSUPPORTED',
      /constant/,
    ],
    [
      'the batch as another axis',
      onnxModel({ nodes: [['Reshape', ['x', 's'], ['y']]], inputs: { x: ['N', 2, 6] }, constants: { s: wholes(-1, 4) } }),
      'UNSUPPORTED',
      /mixes the batch/,
    ],
    [
      'the batch taken away',
      onnxModel({ nodes: [['Squeeze', ['x'], ['y']]], inputs: { x: [1, 2, 6] } }),
      'UNSUPPORTED',
      /takes the batch away/,
    ],
    [
      'the batch taken away by name',
      onnxModel({ nodes: [['Squeeze', ['x', 's'], ['y']]], inputs: { x: [1, 2, 6] }, constants: { s: wholes(0) } }),
      'UNSUPPORTED',
      /takes the batch away/,
    ],
    [
      'a bias with more axes than the product',
      onnxModel({
        nodes: [
          ['MatMul', ['x', 'w'], ['a']],
          ['Add', ['a', 'b'], ['y']],
        ],
        inputs: { x: ['N', 6] },
        constants: { w: floats([6, 5]), b: floats([1, 1, 5]) },
      }),
      'UNSUPPORTED',
      /with a constant of shape \[1,1,5\]/,
    ],
    [
      'windows narrower than strides, of a size that readers do not agree on',
      one(['ConvTranspose', ['x', 'w'], ['y'], { strides: [4, 4], auto_pad: 'SAME_UPPER' }], { constants: { w: floats([2, 3, 3, 3]) } }),
      'UNSUPPORTED',
      /attribute auto_pad is "SAME_UPPER" with windows narrower than strides/,
    ],
    ['data in a file of its own, of bytes', external('weights.bin'), 'INVALID_ARGUMENT', /give the path/],
  ])('%s', async (_, bytes, code, message) => {
    const error = await importOnnx(bytes).then(
      () => undefined,
      (thrown) => thrown,
    )
    expect(error).toBeInstanceOf(ConvlaneError)
    expect(`${error.code} ${error.message}`).toMatch(new RegExp(`^${code} .*${message.source}`, 's'))
  })

  test('data in files of their own: those in the folder are read, no others', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'model.onnx')
    mkdirSync(join(folder, 'inner'))
    writeFileSync(join(folder, 'inner', 'w.bin'), Buffer.from(Float32Array.of(9, 1, 2, 3, 4, 5, 6).buffer))
    const outside = join(temporaryFolder(), 'secret.bin')
    writeFileSync(outside, Buffer.alloc(24))
    symlinkSync(outside, join(folder, 'link.bin'))
    const run = async (location: string, more?: Readonly<Record<string, string>>) => {
      writeFileSync(file, external(location, more))
      return importOnnx(file).then(
        async (model) => Array.from((await model.getWeights())['w/kernel']!.data),
        (error) => `${error.code} ${error.message}`,
      )
    }
    expect(await run('inner/w.bin', { offset: '4', length: '24' })).toEqual([1, 2, 3, 4, 5, 6])
    expect(await run('./inner/../inner/w.bin', { offset: '0', length: '24' })).toEqual([9, 1, 2, 3, 4, 5])
    expect(await run('inner/w.bin')).toMatch(/^INVALID_FILE .*24 bytes, but 28 bytes/)
    for (const location of [outside, '../secret.bin', 'inner/../../x', '', '.', 'a\0b'])
      expect(await run(location)).toMatch(/^INVALID_FILE .*not in the folder/)
    expect(await run('link.bin')).toMatch(/^INVALID_FILE .*a link that leads out/)
    expect(await run('inner')).toMatch(/^INVALID_FILE .*not a regular file|^FILE_ERROR/)
    expect(await run('none.bin')).toMatch(/^FILE_ERROR .*no such file/)
    expect(await run('inner/w.bin', { offset: '-4' })).toMatch(/^INVALID_FILE .*offset/)
    expect(await run('inner/w.bin', { offset: '8', length: String(huge) })).toMatch(/^INVALID_FILE/)
  })

  test('options', async () => {
    const refused = (options: object) => expect(importOnnx(whole, options)).rejects
    await refused({ inputs: [6, 6, 2] }).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await refused({ input: [6, 5, 2] }).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await refused({ input: { z: [6, 6, 2] } }).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await refused({ layout: 'hwc' }).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await refused({ classNames: ['a'] }).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(importOnnx('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(importOnnx(join(temporaryFolder(), 'none.onnx'))).rejects.toMatchObject({ code: 'FILE_ERROR' })
  })
})

test('bytes that are changed anywhere give a model or a coded error', async () => {
  const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(edits, fc.nat(whole.length), async (changes, cut) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      const given = cut % 4 === 0 ? bytes.subarray(0, cut) : bytes
      const error = await importOnnx(given).then(
        (model) => model.dispose(),
        (thrown) => thrown,
      )
      if (error) expect(['INVALID_FILE', 'UNSUPPORTED', 'INVALID_ARGUMENT']).toContain(error.code)
    }),
    { numRuns: 200 },
  )
})

test('the size of the batch in a file is any: a reshape that says it means the batch', async () => {
  const nodes: NodeText[] = [['Reshape', ['x', 's'], ['y']]]
  const model = await importOnnx(onnxModel({ nodes, inputs: { x: [2, 1, 2] }, constants: { s: wholes(2, -1) } }))
  const { shape } = await model.predict({ shape: [3, 2, 1], data: new Float32Array(6) })
  expect(shape).toEqual([3, 2])
})
