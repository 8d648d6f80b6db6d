import { join } from 'node:path'
import { checkOptions, checkPath } from '../check'
import { ConvlaneError } from '../errors'
import { listFolder } from '../io/files'
import { checkSignal } from '../train/options'
import { cifar10 } from './cifar'
import { checkLabels, type Dataset, dataset, type TrainTest } from './dataset'
import { type IdxArray, readIdx } from './idx'

/** The parts of a data set in IDX files, and the usual starts of their names. */
export type IdxPart = 'train-images' | 'train-labels' | 't10k-images' | 't10k-labels'

/** Usual names of a part's file: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, either with `.gz`. */
export function idxNames(part: IdxPart): string[] {
  const suffix = part.endsWith('images') ? 'idx3-ubyte' : 'idx1-ubyte'
  return [`${part}-${suffix}`, `${part}-${suffix}.gz`, `${part}.${suffix}`, `${part}.${suffix}.gz`]
}

/**
 * The data set in a folder: the four IDX files of MNIST and its kin with their usual names, gzipped or not, or CIFAR-10's batches.
 * @returns x as bytes, `[N, H, W, 1]` of IDX images and `[N, 32, 32, 3]` of CIFAR-10; y `[N]`
 * @throws `FILE_ERROR` when the folder holds neither, `INVALID_ARGUMENT` when it holds both, `INVALID_FILE` when a file is damaged.
 */
export async function fromFolder(dir: string, options: { readonly signal?: AbortSignal } = {}): Promise<TrainTest> {
  checkPath(dir, 'fromFolder', 'dir')
  checkOptions('fromFolder', options, ['signal'])
  const signal = checkSignal(options.signal, 'fromFolder')
  const names = await listFolder(dir)
  const { idx, cifar } = setsIn(names)
  if (idx && cifar) throw new ConvlaneError('INVALID_ARGUMENT', `${dir}: holds both IDX files and CIFAR-10 batches, expected one data set`)
  if (cifar) return cifar10({ dir, ...options })
  if (idx) return idxFolder(dir, signal)
  throw new ConvlaneError(
    'FILE_ERROR',
    `${dir}: holds no data set: neither ${idxNames('train-images')[0]}[.gz] nor data_batch_1.bin is there${hintFor(names)}`,
  )
}

/** Which data sets in files of many images these names are of. */
export function setsIn(names: readonly string[]): { readonly idx: boolean; readonly cifar: boolean } {
  return {
    idx: idxNames('train-images').some((name) => names.includes(name)),
    cifar: names.some((name) => /^data_batch_[1-5]\.bin$/.test(name)),
  }
}

/** What else may be there where CIFAR-10's archives were unpacked. */
export function hintFor(names: readonly string[]): string {
  if (names.includes('cifar-10-batches-bin')) return '; cifar-10-batches-bin is: name that folder'
  return names.includes('data_batch_1') ? '; data_batch_1 is, of the version for Python: take the binary version' : ''
}

/** The data set of the four IDX files in a folder. */
export async function idxFolder(dir: string, signal?: AbortSignal): Promise<TrainTest> {
  const names = await listFolder(dir)
  const read = (part: IdxPart): Promise<IdxArray> => {
    const name = idxNames(part).find((candidate) => names.includes(candidate))
    if (!name) throw new ConvlaneError('FILE_ERROR', `${dir}: ${idxNames(part)[0]}[.gz] is missing`)
    return readIdx(join(dir, name), signal)
  }
  return fromIdx(dir, {
    'train-images': await read('train-images'),
    'train-labels': await read('train-labels'),
    't10k-images': await read('t10k-images'),
    't10k-labels': await read('t10k-labels'),
  })
}

/** Joins images and labels; the classes are 0 to the largest training label. @param what what errors call the data set */
export function fromIdx(what: string, parts: Readonly<Record<IdxPart, IdxArray>>): TrainTest {
  const labels = parts['train-labels'].data
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1
  const classNames = Array.from({ length: classes }, (_, label) => String(label))
  const train = pair(what, 'train', parts['train-images'], parts['train-labels'], classNames)
  const test = pair(what, 't10k', parts['t10k-images'], parts['t10k-labels'], classNames)
  const size = (data: Dataset) => data.x.shape.slice(1).join(' x ')
  if (size(train) !== size(test)) {
    throw new ConvlaneError('INVALID_FILE', `${what}: training images are ${size(train)}, test images ${size(test)}`)
  }
  return { train, test }
}

function pair(what: string, part: string, images: IdxArray, labels: IdxArray, classNames: readonly string[]): Dataset {
  const refuse = (message: string, cause?: unknown) => new ConvlaneError('INVALID_FILE', `${what}: ${part}-${message}`, { cause })
  if (images.shape.length !== 3) throw refuse(`images has ${images.shape.length} axes, expected 3 (images, rows, columns)`)
  if (labels.shape.length !== 1) throw refuse(`labels has ${labels.shape.length} axes, expected 1`)
  const [count] = images.shape as [number, number, number]
  if (labels.data.length !== count) throw refuse(`images has ${count} images, ${part}-labels has ${labels.data.length} labels`)
  try {
    checkLabels(`${part}-labels`, labels.data, classNames.length)
  } catch (cause) {
    throw new ConvlaneError('INVALID_FILE', `${what}: ${(cause as Error).message}`, { cause })
  }
  return dataset({ x: { shape: [...images.shape, 1], data: images.data }, y: { shape: [count], data: labels.data }, classNames })
}
