import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adam, batchNorm, conv2d, dense, flatten, fromFolder, loadModel, readIdx, readSafetensors, sequential } from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { idxBytes } from '../support/idx'
import { randomTensor, someLabels } from '../support/models'
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
const original: Record<string, Buffer> = {
  'one.idx': idxBytes([4, 5, 6]),
  'one.idx.gz': idxBytes([4, 5, 6], { gzip: true }),
  'data_batch_1.bin': records(2),
}

/** What reads each file, from a folder in which all is well but for it. */
const readers: Record<string, (file: string, dir: string) => Promise<unknown>> = {
  'one.idx': (file) => readIdx(file),
  'one.idx.gz': (file) => readIdx(file),
  'train-images-idx3-ubyte': (_, dir) => fromFolder(join(dir, 'idx')),
  'train-labels-idx1-ubyte': (_, dir) => fromFolder(join(dir, 'idx')),
  'data_batch_1.bin': (_, dir) => fromFolder(join(dir, 'cifar')),
  safetensors: readSafetensors,
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
const nameOf: Record<string, string> = { safetensors: 'model' }
const folderOf = (file: string) => (file.endsWith('-ubyte') ? 'idx' : file.endsWith('.bin') ? 'cifar' : '.')

let dir = ''
async function prepare(): Promise<void> {
  dir = temporaryFolder()
  const model = fresh()
  await model.fit(data, { ...options, epochs: 1, checkpoint: { file: join(dir, 'checkpoint') } })
  await model.save(join(dir, 'model'))
  model.dispose()
  for (const file of ['model', 'checkpoint']) original[file] = readFileSync(join(dir, file))
  for (const [part, shape] of Object.entries({ images: [4, 5, 6], labels: [4] }))
    for (const set of ['train', 't10k']) original[`${set}-${part}-idx${shape.length}-ubyte`] = idxBytes(shape)
  for (let i = 2; i <= 5; i++) original[`data_batch_${i}.bin`] = records(1)
  original['test_batch.bin'] = records(1)
  for (const folder of ['idx', 'cifar']) mkdirSync(join(dir, folder))
  for (const [name, bytes] of Object.entries(original)) writeFileSync(join(dir, folderOf(name), name), bytes)
}

const lengths = ['0', '1', '7', '8', '255', '65536', '2147483647', '4294967295', '4294967296', '9007199254740993', '18446744073709551615']
const texts: readonly (readonly [string, string])[] = [
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
