import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  add,
  batchNorm,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dense,
  depthwiseConv1d,
  depthwiseConv2d,
  exportPytorch,
  flatten,
  globalAveragePool2d,
  groupNorm,
  importPytorch,
  input,
  instanceNorm,
  type Layer,
  layerNorm,
  lenet,
  type Model,
  maxout,
  mlp,
  mobilenetV2Small,
  network,
  permute,
  prelu,
  readSafetensors,
  relu,
  reshape,
  resnet20,
  rmsNorm,
  rnn,
  separableConv1d,
  separableConv2d,
  sequential,
  type Tensor,
  weightsSha256,
  writeSafetensors,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError } from '../support/models'
import { scattered } from './tfjsModels'

const chain = (shape: readonly number[], ...layers: readonly Layer[]): Model =>
  (sequential as (options: object, ...layers: readonly Layer[]) => Model)({ input: shape }, ...layers)
const newFile = () => join(temporaryFolder(), 'net.safetensors')
const saved = async (tensors: Record<string, Tensor>) => {
  const file = newFile()
  await writeSafetensors(file, tensors)
  return file
}
const counted = (...shape: number[]): Tensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
})

const zoo = { input: [16, 16, 3], classes: 5 } as const
const models: Record<string, () => Model> = {
  mlp: () => mlp(zoo),
  lenet: () => lenet(zoo),
  resnet20: () => resnet20(zoo),
  mobilenetV2Small: () => mobilenetV2Small({ ...zoo, width: 0.25 }),
  images: () =>
    chain(
      [8, 8, 4],
      conv2d(6, [3, 2], { groups: 2 }),
      depthwiseConv2d(2, { depthMultiplier: 2 }),
      separableConv2d(4, 2, { bias: false }),
      convTranspose2d(6, 3, { groups: 2 }),
      groupNorm(2),
      instanceNorm(),
      layerNorm(),
      prelu(),
      prelu({ sharedAxes: [1, 2, 3] }),
      layerNorm({ axes: 3 }),
      rmsNorm({ axes: 3 }),
      flatten(),
      batchNorm(),
      layerNorm(),
      prelu(),
      rmsNorm(),
      dense(3),
    ),
  sequences: () =>
    chain(
      [9, 2],
      conv1d(4, 3),
      depthwiseConv1d(2),
      separableConv1d(3, 2),
      convTranspose1d(4, 2),
      rnn(3, { all: true }),
      layerNorm({ axes: 2 }),
      flatten(),
      dense(2),
    ),
  volumes: () => chain([3, 4, 5, 2], conv3d(3, 2), convTranspose3d(2, [2, 1, 2]), flatten(), dense(2)),
}

test.each(Object.entries(models))('%s: weights keep their bits on the way there and back', async (_, make) => {
  const [model, other] = [await scattered(make()), make()]
  const file = newFile()
  await exportPytorch(model, file)
  expect(await importPytorch(other, file)).toEqual({ unused: [] })
  expect(weightsSha256(await other.getWeights())).toBe(weightsSha256(await model.getWeights()))
})

test('filters and matrices are turned round', async () => {
  const model = chain([4, 4, 2], conv2d(3, [2, 1], { name: 'conv' }), globalAveragePool2d(), dense(2, { name: 'fc', bias: false }))
  const file = await saved({ 'conv.weight': counted(3, 2, 2, 1), 'conv.bias': counted(3), 'fc.weight': counted(2, 3) })
  await importPytorch(model, file)
  const weights = await model.getWeights()
  // [KH, KW, C, filters] of [filters, C, KH, KW].
  expect([...weights['conv/kernel']!.data]).toEqual([0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11])
  expect([...weights['fc/kernel']!.data]).toEqual([0, 3, 1, 4, 2, 5])
})

test('rows behind flatten stand in the order of channels first, also through normalization, sums and concatenation', async () => {
  const x = input([1, 2, 3])
  const flat = relu().apply(batchNorm({ name: 'bn' }).apply(flatten().apply(x)))
  const joined = concat().apply(add().apply(flat, flat), dense(2, { name: 'side' }).apply(flat))
  const model = network({ inputs: x, outputs: dense(1, { name: 'fc' }).apply(joined) })
  const file = newFile()
  await exportPytorch(model, file)
  const { tensors } = await readSafetensors(file)
  const given = { ...tensors, 'bn.weight': counted(6), 'side.weight': counted(2, 6), 'fc.weight': counted(1, 8) }
  await importPytorch(model, await saved(given))
  const weights = await model.getWeights()
  // Pixel 0 has channels 0, 2, 4 there, pixel 1 the others.
  expect([...weights['bn/gamma']!.data]).toEqual([0, 2, 4, 1, 3, 5])
  expect([...weights['side/kernel']!.data]).toEqual([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11])
  expect([...weights['fc/kernel']!.data]).toEqual([0, 2, 4, 1, 3, 5, 6, 7])
  await exportPytorch(model, file)
  expect((await readSafetensors(file)).tensors).toEqual(given)
})

test('the two biases of a recurrent layer are one', async () => {
  const model = chain([3, 2], rnn(2, { name: 'rnn' }))
  const rest = { 'rnn.weight_ih_l0': counted(2, 2), 'rnn.weight_hh_l0': counted(2, 2) }
  await importPytorch(
    model,
    await saved({ ...rest, 'rnn.bias_ih_l0': counted(2), 'rnn.bias_hh_l0': { shape: [2], data: Float32Array.of(5, 7) } }),
  )
  expect([...(await model.getWeights())['rnn/bias']!.data]).toEqual([5, 8])
})

const two = () => chain([2], dense(2, { name: 'first' }), dense(1, { name: 'last' }))
const theirs = { 'a.weight': counted(2, 2), 'a.bias': counted(2), 'b.proj': counted(1, 2), 'b.bias': counted(1) }

test('layers and weights may be called otherwise', async () => {
  const model = two()
  await importPytorch(model, await saved(theirs), { names: { first: 'a', 'last/kernel': 'b.proj', last: 'b' } })
  const weights = await model.getWeights()
  expect([...weights['first/kernel']!.data, ...weights['last/kernel']!.data]).toEqual([0, 2, 1, 3, 0, 1])
  const file = newFile()
  await exportPytorch(model, file, { names: (layer) => `net.${layer}` })
  expect(Object.keys((await readSafetensors(file)).tensors).sort()).toEqual([
    'net.first.bias',
    'net.first.weight',
    'net.last.bias',
    'net.last.weight',
  ])
  expect((await readSafetensors(file)).metadata).toEqual({ format: 'pt' })
})

test('weights that are left out stay as they are, whatever the file has for them', async () => {
  const model = two()
  const before = await model.getWeights()
  const file = await saved({
    'first.weight': counted(2, 2),
    'first.bias': counted(2),
    'last.weight': counted(1000, 2),
    'last.bias': counted(1000),
    extra: counted(1),
  })
  await expectError(() => importPytorch(model, file, { skip: 'last' }), 'INVALID_FILE', 'nothing takes extra')
  expect(await importPytorch(model, file, { skip: 'last', strict: false })).toEqual({ unused: ['extra'] })
  const after = await model.getWeights()
  expect(after['last/kernel']).toEqual(before['last/kernel'])
  expect([...after['first/bias']!.data]).toEqual([0, 1])
  await exportPytorch(model, file, { skip: '*/bias' })
  expect(Object.keys((await readSafetensors(file)).tensors)).toEqual(['first.weight', 'last.weight'])
})

/** A safetensors file with tensors of other element types. */
function raw(tensors: Record<string, readonly [dtype: string, shape: readonly number[], data: Uint8Array]>): string {
  const starts = Object.values(tensors).map((_, index, all) => all.slice(0, index).reduce((sum, [, , data]) => sum + data.length, 0))
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, [dtype, shape, { length }]], i) => [
      name,
      { dtype, shape, data_offsets: [starts[i]!, starts[i]! + length] },
    ]),
  )
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const file = newFile()
  writeFileSync(file, Buffer.concat([length, json, ...Object.values(tensors).map(([, , data]) => data)]))
  return file
}

test('float16 and bfloat16 are read; counters of batches are not', async () => {
  const model = chain([2, 1, 1], batchNorm({ name: 'bn' }))
  const bytes = (value: number) => new Uint8Array(Uint16Array.of(value).buffer)
  const file = raw({
    'bn.weight': ['F16', [1], bytes(0x3e00)],
    'bn.bias': ['BF16', [1], bytes(0xc020)],
    'bn.running_mean': ['F16', [1], bytes(0)],
    'bn.running_var': ['F16', [1], bytes(0x3c00)],
    'bn.num_batches_tracked': ['I64', [], new Uint8Array(8)],
  })
  expect(await importPytorch(model, file)).toEqual({ unused: [] })
  const { 'bn/gamma': gamma, 'bn/beta': beta } = await model.getWeights()
  expect([gamma!.data[0], beta!.data[0]]).toEqual([1.5, -2.5])
  const wide = raw({ 'bn.weight': ['F64', [1], new Uint8Array(8)] })
  await expectError(() => importPytorch(model, wide, { skip: ['*/beta', '*/moving*'] }), 'UNSUPPORTED', '"bn.weight" has element type F64')
})

test.each<[what: string, model: () => Model, message: string]>([
  [
    'a reshape',
    () => chain([2, 2, 2], reshape([8]), dense(1, { name: 'fc' })),
    'dense "fc": reads what reshape "reshape" has put into another order',
  ],
  ['a permute', () => chain([2, 3], permute([2, 1]), flatten(), dense(1)), 'reads what permute "permute"'],
  ['neighbours that flatten has moved', () => chain([2, 2, 2], flatten(), maxout(2), dense(1)), 'reads what maxout "maxout"'],
  [
    'groups of what flatten has moved',
    () => chain([2, 2, 2], flatten(), groupNorm(2, { name: 'g' })),
    'groupNorm "g": puts other features',
  ],
  ['a bias for each position', () => chain([3, 3, 1], conv2d(1, 2, { bias: 'position' })), 'no bias for each position'],
  ['slopes for each row', () => chain([3, 3, 2], prelu({ sharedAxes: [2] })), 'slopes for channels, or one for all'],
  ['outputs of a recurrent layer', () => chain([3, 3], rnn(2, { outputs: 2 })), 'has no outputs'],
  ['a norm over channels and columns', () => chain([3, 3, 2], layerNorm({ axes: 2 })), 'some of the other axes'],
])('%s is refused', async (_, make, message) => {
  const file = newFile()
  await expectError(() => exportPytorch(make(), file), 'UNSUPPORTED', message)
  expect(readdirSync(join(file, '..'))).toEqual([])
})

test('what does not fit changes nothing', async () => {
  const model = two()
  const before = await model.getWeights()
  const good = { 'first.weight': counted(2, 2), 'first.bias': counted(2), 'last.weight': counted(1, 2), 'last.bias': counted(1) }
  const { 'last.bias': _, ...less } = good
  const lacking = await saved(less)
  await expectError(() => importPytorch(model, lacking), 'INVALID_FILE', /lacks "last\.bias", for "last\/bias"; it has first\.weight/)
  const wide = await saved({ ...good, 'last.weight': counted(3, 2) })
  await expectError(() => importPytorch(model, wide), 'INVALID_SHAPE', '"last.weight" has shape [3, 2], expected [1, 2] for "last/kernel"')
  const more = await saved({ ...good, 'fc.weight': counted(1) })
  await expectError(() => importPytorch(model, more), 'INVALID_FILE', 'nothing takes fc.weight')
  writeFileSync(more, readFileSync(more).subarray(0, -1))
  await expectError(() => importPytorch(model, more), 'INVALID_FILE', 'truncated')
  const fine = await saved(good)
  await expectError(() => importPytorch(model, join(fine, 'none')), 'FILE_ERROR', 'cannot read')
  await expectError(() => importPytorch(model, fine, { names: { frist: 'x' } }), 'INVALID_ARGUMENT', 'frist')
  await expectError(() => importPytorch(model, fine, { names: { first: '' } }), 'INVALID_ARGUMENT', 'names["first"]')
  await expectError(() => importPytorch(model, fine, { names: { first: 'last' } }), 'INVALID_ARGUMENT', 'both called "last.weight"')
  await expectError(() => importPytorch(model, fine, { names: (() => 3) as never }), 'INVALID_ARGUMENT', 'gives a name for "first"')
  await expectError(() => importPytorch(model, fine, { names: ['a'] as never }), 'INVALID_ARGUMENT', 'names')
  await expectError(() => importPytorch(model, fine, { skip: 'head' }), 'INVALID_ARGUMENT', 'head')
  await expectError(() => importPytorch(model, fine, { strict: 1 as never }), 'INVALID_ARGUMENT', 'strict')
  await expectError(() => importPytorch(model, fine, { sort: true } as never), 'INVALID_ARGUMENT', 'sort')
  await expectError(() => importPytorch({} as never, fine), 'INVALID_ARGUMENT', 'a model')
  await expectError(() => exportPytorch(model, ''), 'INVALID_ARGUMENT', 'a path')
  expect(await model.getWeights()).toEqual(before)
})
