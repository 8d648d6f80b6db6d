import { join } from 'node:path'
import { checkOptions, checkPath } from '../check'
import { ConvlaneError } from '../errors'
import { listFolder, readWhole } from '../io/files'
import { checkSignal } from '../train/options'
import { checkLabels, type Dataset, dataset, type TrainTest } from './dataset'

export const CIFAR10_CLASSES: readonly string[] = Object.freeze([
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
])

const PIXELS = 32 * 32
const RECORD = 1 + 3 * PIXELS

/**
 * Reads the content of CIFAR-10 binary files, one after another: records of a label, then 1,024 red, green and blue bytes.
 * Source: https://www.cs.toronto.edu/~kriz/cifar.html (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009).
 * @returns x `[N, 32, 32, 3]` (channels last), y `[N]`
 * @throws `INVALID_FILE` for a length that is no whole number of records, or a label above 9.
 */
export function parseCifar10(files: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Dataset {
  let count = 0
  for (const { name, bytes } of files) {
    if (bytes.length === 0 || bytes.length % RECORD !== 0) {
      throw new ConvlaneError('INVALID_FILE', `${name}: ${bytes.length} bytes are no whole number of CIFAR-10 records of ${RECORD} bytes`, {
        expected: RECORD,
        received: bytes.length,
      })
    }
    count += bytes.length / RECORD
  }
  const x = new Uint8Array(count * 3 * PIXELS)
  const y = new Uint8Array(count)
  let n = 0
  for (const { name, bytes } of files) {
    const first = n
    for (let at = 0; at < bytes.length; at += RECORD, n++) {
      y[n] = bytes[at]!
      interleave(bytes, at + 1, x, n * 3 * PIXELS)
    }
    fileLabels(name, y.subarray(first, n))
  }
  return dataset({ x: { shape: [count, 32, 32, 3], data: x }, y: { shape: [count], data: y }, classNames: CIFAR10_CLASSES })
}

/** Planes of red, green and blue become pixels of three bytes. */
function interleave(from: Uint8Array, start: number, to: Uint8Array, offset: number): void {
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let channel = 0; channel < 3; channel++) to[offset + 3 * pixel + channel] = from[start + channel * PIXELS + pixel]!
  }
}

function fileLabels(name: string, labels: Uint8Array): void {
  try {
    checkLabels(name, labels, CIFAR10_CLASSES.length)
  } catch (cause) {
    throw new ConvlaneError('INVALID_FILE', (cause as Error).message, { cause })
  }
}

/**
 * CIFAR-10 in its binary form: the files `data_batch_1.bin` … `data_batch_5.bin` (those that are there) and `test_batch.bin` in `dir`.
 * @returns x `[N, 32, 32, 3]` as bytes, y `[N]`, the ten class names
 * @throws `FILE_ERROR` when a file is missing or cannot be read, `INVALID_FILE` when one is damaged.
 */
export async function cifar10(options: { readonly dir: string; readonly signal?: AbortSignal }): Promise<TrainTest> {
  checkOptions('cifar10', options, ['dir', 'signal'])
  const dir = checkPath(options.dir, 'cifar10', 'dir')
  const signal = checkSignal(options.signal, 'cifar10')
  const names = await listFolder(dir)
  const batches = names.filter((name) => /^data_batch_[1-5]\.bin$/.test(name)).sort()
  if (batches.length === 0) throw new ConvlaneError('FILE_ERROR', `${dir}: no data_batch_1.bin to data_batch_5.bin there`)
  const read = async (name: string) => ({ name: join(dir, name), bytes: await readWhole(join(dir, name), signal) })
  const train: { name: string; bytes: Uint8Array }[] = []
  for (const name of batches) train.push(await read(name))
  return { train: parseCifar10(train), test: parseCifar10([await read('test_batch.bin')]) }
}
