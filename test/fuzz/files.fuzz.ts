import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  adam,
  batchNorm,
  conv2d,
  dense,
  exportOnnx,
  exportTfjs,
  flatten,
  fromFolder,
  importOnnx,
  importTfjs,
  loadModel,
  readCsv,
  readIdx,
  readImage,
  readNpy,
  readNpz,
  readSafetensors,
  sequential,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { idxBytes } from '../support/idx'
import { drawn, kinds } from '../support/images'
import { randomTensor, someLabels } from '../support/models'
import { numpyFiles } from '../support/npy'
import { floats, onnxModel, wholes } from '../support/onnxModel'
import type { Random } from '../support/random'
import type { Encoded } from './encoded'
import { fuzz } from './fuzz'

/** A change of a file's bytes; places are shares of its length, so that inputs stay small and mean something for any file. */
type Edit =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'bit'; readonly at: number; readonly value: number }
  | { readonly kind: 'end'; readonly at: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly value: number }
  | { readonly kind: 'remove'; readonly at: number; readonly value: number }
  | { readonly kind: 'length'; readonly at: number; readonly value: string }
  | { readonly kind: 'text'; readonly from: string; readonly to: string }

interface Input {
  readonly file: string
  readonly edits: readonly Edit[]
}

const data = { x: randomTensor([6, 6, 6, 1], 1), y: someLabels(6, 3) }
const fresh = () =>
  sequential({ input: [6, 6, 1], seed: 1 }, conv2d(3, 3), batchNorm({ activation: 'relu' }), flatten(), dense(3)).compile({
    optimizer: adam(),
    loss: 'softmaxCrossEntropy',
  })
const options = { epochs: 2, batchSize: 3, seed: 2 }

const records = (count: number) =>
  Buffer.from(Uint8Array.from({ length: count * 3073 }, (_, i) => (i % 3073 === 0 ? (i / 3073) % 10 : i & 255)))
const numpyArray = (name: string) => Buffer.from(numpyFiles.files.find((made) => made.name === name)!.file, 'base64')
const original: Record<string, Buffer> = {
  'one.idx': idxBytes([4, 5, 6]),
  'one.idx.gz': idxBytes([4, 5, 6], { gzip: true }),
  'data_batch_1.bin': records(2),
  'one.npy': numpyArray('>f8'),
  'fortran.npy': numpyArray('Fortran order'),
  'one.npz': Buffer.from(numpyFiles.archives.savez_compressed, 'base64'),
  'one.csv': Buffer.from('a,b,"kind"\r\n1,-2.5e3,cat\r\n"4",,"dog ""x"""\r\n7,8,cat\r\n'),
}

/** What reads each file, from a folder in which all is well but for it. */
const readers: Record<string, (file: string, dir: string) => Promise<unknown>> = {
  'one.idx': (file) => readIdx(file),
  'one.idx.gz': (file) => readIdx(file),
  'train-images-idx3-ubyte': (_, dir) => fromFolder(join(dir, 'idx')),
  'train-labels-idx1-ubyte': (_, dir) => fromFolder(join(dir, 'idx')),
  'data_batch_1.bin': (_, dir) => fromFolder(join(dir, 'cifar')),
  'one.npy': (file) => readNpy(file),
  'fortran.npy': (file) => readNpy(file),
  'one.npz': (file) => readNpz(file),
  'one.csv': (file) => readCsv(file, { label: 'kind', missing: 'skip' }),
  ...Object.fromEntries(kinds.map((kind) => [`one.${kind}`, (file: string) => readImage(file, { size: 5, limitInputPixels: 2 ** 20 })])),
  safetensors: readSafetensors,
  'model.onnx': onnx,
  'nodes.onnx': onnx,
  'model.json': (_, dir) => tfjs(dir),
  'weights.bin': (_, dir) => tfjs(dir),
  model: async (file) => {
    const model = await loadModel(file)
    await model.predict(data.x)
    model.dispose()
  },
  checkpoint: async (file) => {
    const model = fresh()
    try {
      await model.fit(data, { ...options, resume: file })
    } finally {
      model.dispose()
    }
  },
}
/** Whatever shapes a file has by now, where they are no larger than a test should run. */
async function onnx(file: string): Promise<void> {
  const model = await importOnnx(file)
  const { inputs, calls } = model.architecture
  const count = (shape: readonly (number | null)[]) => shape.reduce<number>((product, size) => product * (size ?? 1), 1)
  if ([...inputs, ...calls].every(({ shape }) => count(shape) <= 2 ** 16)) {
    const x = inputs.map(({ shape }) => randomTensor([2, ...shape], 1))
    await model.predict((x.length === 1 ? x[0] : x) as never)
  }
  model.dispose()
}
async function tfjs(dir: string): Promise<void> {
  const model = await importTfjs(join(dir, 'tfjs', 'model.json'))
  await model.predict(data.x)
  model.dispose()
}
const nameOf: Record<string, string> = { safetensors: 'model' }
const folderOf = (file: string) => {
  if (file === 'model.json' || file === 'weights.bin') return 'tfjs'
  return file.endsWith('-ubyte') ? 'idx' : file.endsWith('.bin') ? 'cifar' : '.'
}

/** An ONNX file with constants, shapes that are computed, and attributes of each kind. */
const manyNodes = (): Uint8Array =>
  onnxModel({
    inputs: { x: ['N', 4, 6, 6] },
    constants: {
      w: floats([4, 2, 3, 3]),
      b: floats([4]),
      slope: floats([4, 1, 1]),
      scales: floats([4], [1, 1, 2, 2]),
      pads: wholes(0, 0, 1, 1, 0, 0, 0, 1),
      start: wholes(0),
      end: wholes(1),
      rest: wholes(-1),
      two: floats([1], [2]),
      v: floats([1792, 3]),
    },
    nodes: [
      ['Conv', ['x', 'w', 'b'], ['a'], { group: 2, pads: [1, 1, 1, 1], strides: [1, 1] }],
      ['PRelu', ['a', 'slope'], ['c']],
      ['Add', ['c', 'x'], ['d']],
      ['Mul', ['d', 'two'], ['e']],
      ['Pad', ['e', 'pads'], ['f'], { mode: 'constant' }],
      ['MaxPool', ['f'], ['g'], { kernel_shape: [2, 2], strides: [1, 1], auto_pad: 'SAME_UPPER' }],
      ['Resize', ['g', '', 'scales'], ['h'], { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }],
      ['Concat', ['h', 'h'], ['i'], { axis: 1 }],
      ['Transpose', ['i'], ['j'], { perm: [0, 2, 3, 1] }],
      ['Shape', ['j'], ['k']],
      ['Slice', ['k', 'start', 'end'], ['l']],
      ['Concat', ['l', 'rest'], ['m'], { axis: 0 }],
      ['Reshape', ['j', 'm'], ['n']],
      ['MatMul', ['n', 'v'], ['o']],
      ['Softmax', ['o'], ['y'], { axis: -1 }],
    ],
  })

let dir = ''
async function prepare(): Promise<void> {
  dir = temporaryFolder()
  const model = fresh()
  await model.fit(data, { ...options, epochs: 1, checkpoint: { file: join(dir, 'checkpoint') } })
  await model.save(join(dir, 'model'))
  await exportTfjs(model, join(dir, 'tfjs'))
  await exportOnnx(model, join(dir, 'model.onnx'))
  original['model.onnx'] = readFileSync(join(dir, 'model.onnx'))
  original['nodes.onnx'] = Buffer.from(manyNodes())
  model.dispose()
  const json = readFileSync(join(dir, 'tfjs', 'model.json'), 'utf8')
  const [shard] = JSON.parse(json).weightsManifest[0].paths
  original['model.json'] = Buffer.from(json.replace(shard, 'weights.bin'))
  original['weights.bin'] = readFileSync(join(dir, 'tfjs', shard))
  for (const file of ['model', 'checkpoint']) original[file] = readFileSync(join(dir, file))
  for (const kind of kinds) original[`one.${kind}`] = await drawn({ kind, height: 20, width: 24, right: [0, 240, 90] })
  for (const [part, shape] of Object.entries({ images: [4, 5, 6], labels: [4] }))
    for (const set of ['train', 't10k']) original[`${set}-${part}-idx${shape.length}-ubyte`] = idxBytes(shape)
  for (let i = 2; i <= 5; i++) original[`data_batch_${i}.bin`] = records(1)
  original['test_batch.bin'] = records(1)
  for (const folder of ['idx', 'cifar']) mkdirSync(join(dir, folder))
  for (const [name, bytes] of Object.entries(original)) writeFileSync(join(dir, folderOf(name), name), bytes)
}

const lengths = ['0', '1', '7', '8', '255', '65536', '2147483647', '4294967295', '4294967296', '9007199254740993', '18446744073709551615']
const texts: readonly (readonly [string, string])[] = [
  ['Conv', 'Relu'],
  ['Concat', 'Reduce'],
  ['pads', 'axes'],
  ['SAME_UPPER', 'SAME_LOWER'],
  ['"F32"', '"F64"'],
  ['"F32"', '1'],
  ['"shape":[', '"shape":[-1,'],
  ['"shape":[', '"shape":[1e300,'],
  ['"shape":[3', '"shape":[4294967299'],
  ['"data_offsets":[0', '"data_offsets":[4'],
  ['"data_offsets":[', '"data_offsets":[-'],
  ['convlane', '__proto__'],
  ['\\"type\\":\\"conv2d\\"', '\\"type\\":\\"dense\\"'],
  ['conv2d', 'constructor'],
  ['\\"filters\\":3', '\\"filters\\":1e9'],
  ['\\"filters\\":3', '\\"filters\\":null'],
  ['\\"stride\\":', '\\"stride\\":0,\\"x\\":'],
  ['null', '[]'],
  ['"Conv2D"', '"Dense"'],
  ['"Conv2D"', '"Sequential"'],
  ['"filters":3', '"filters":1e9'],
  ['"units":3', '"units":-3'],
  ['"strides":', '"strides":0,"x":'],
  ['[["input",0,0', '[["dense",0,0'],
  ['weights.bin', '../weights.bin'],
  ['true', '\\"\\"'],
  ['1', '99999999999999999999'],
  ['2', '-2'],
  ['{', '{"a":1,"a":1,'],
  [':', ':{"a":'],
]

function editOf(random: Random): Edit {
  const at = random.next() < 0.5 ? random.next() : random.next() ** 4
  return random.of<() => Edit>([
    () => ({ kind: 'byte', at, value: random.of([0, 0x22, 0x2c, 0x2d, 0x39, 0x5b, 0x7b, 0x7d, 0x80, 0xff]) }),
    () => ({ kind: 'bit', at, value: random.whole(0, 7) }),
    () => ({ kind: 'end', at: random.next() }),
    () => ({ kind: 'repeat', at, value: random.whole(1, 64) }),
    () => ({ kind: 'remove', at, value: random.whole(1, 64) }),
    () => ({ kind: 'length', at: random.of([0, 0, at]), value: random.of(lengths) }),
    () => {
      const [from, to] = random.of(texts)
      return { kind: 'text', from, to }
    },
  ])()
}

function edited(bytes: Buffer, edit: Edit): Buffer {
  const at = 'at' in edit ? Math.floor(edit.at * bytes.length) : 0
  const copy = Buffer.from(bytes)
  if (edit.kind === 'byte' && at < copy.length) copy[at] = edit.value
  if (edit.kind === 'bit' && at < copy.length) copy[at] = copy[at]! ^ (1 << edit.value)
  if (edit.kind === 'end') return copy.subarray(0, at)
  if (edit.kind === 'repeat') return Buffer.concat([copy.subarray(0, at), copy.subarray(at, at + edit.value), copy.subarray(at)])
  if (edit.kind === 'remove') return Buffer.concat([copy.subarray(0, at), copy.subarray(at + edit.value)])
  if (edit.kind === 'length' && at + 8 <= copy.length) copy.writeBigUInt64LE(BigInt(edit.value), at)
  if (edit.kind === 'text') {
    const place = copy.indexOf(edit.from)
    if (place >= 0) return Buffer.concat([copy.subarray(0, place), Buffer.from(edit.to), copy.subarray(place + edit.from.length)])
  }
  return copy
}

fuzz({
  name: 'files',
  functions: Object.keys(readers),
  least: 200,
  prepare,
  generate: (random) => {
    const edits = random.next() < 0.3 ? [] : Array.from({ length: random.whole(1, 3) }, () => editOf(random))
    return { file: random.of(Object.keys(readers)), edits } as unknown as Encoded
  },
  async run(input, tally) {
    const { file, edits } = input as unknown as Input
    const name = nameOf[file] ?? file
    const path = join(dir, folderOf(name), name)
    writeFileSync(path, edits.reduce(edited, original[name]!))
    await tally.settle(file, readers[file]!(path, dir))
    writeFileSync(path, original[name]!)
  },
})
