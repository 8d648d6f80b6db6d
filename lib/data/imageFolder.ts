import { ConvlaneError } from '../errors'
import { type Dataset, dataset, type TrainTest } from './dataset'
import type { ImageFile } from './imageFiles'
import {
  type BrokenImage,
  datasetOptionNames,
  folderOptionNames,
  type ImageDatasetOptions,
  type ImageFolderOptions,
  ImageReader,
} from './imageReader'

/** Images as bytes `[N, H, W, C]` with class numbers `[N]`, and which files they are. */
export interface ImageDataset extends Dataset {
  /** Names of the classes, by class number. */
  readonly classNames: readonly string[]
  /** The file of each image, from the folder that was given, with `/` between the names. */
  readonly files: readonly string[]
}

/** What was left out of a folder of images. */
export interface LeftOut {
  /** Images that could not be read, in the order of their names. */
  readonly skipped: readonly BrokenImage[]
  /** Files that are no images by their names or lie in no class's folder, and folders that are none of classes. Hidden ones are not told. */
  readonly ignored: readonly string[]
}

/** What {@link imageFolder} gives. */
export interface ImageFolder extends TrainTest, LeftOut {
  /** To train on. */
  readonly train: ImageDataset
  /** Never to train on: the ready-made part, or what was drawn. */
  readonly test: ImageDataset
  /** Where the folder has parts for both, `validation` (or `val`) and `test`. */
  readonly validation?: ImageDataset
  /** Names of the folders, by class number. */
  readonly classNames: readonly string[]
}

/**
 * Reads a folder with a folder of images per class, in two parts: those that are there (`train`, and `test`, `val` or `validation`), or a share that is drawn by a
 * seed. PNG, JPEG, WebP, AVIF and GIF, of which what they hold counts and not their names; decoded, turned and fitted by `sharp`, an optional peer
 * dependency, on its own threads. All images lie in memory, as bytes: {@link streamImageFolder} is for more than that. Class folders may have folders in them.
 * Hidden files are not looked at, links to folders are not followed but where they stand for a class.
 * @param dir a folder per class, or parts with a folder per class each
 * @throws FILE_ERROR where folder, classes or images are missing or cannot be read; INVALID_FILE for an image that is damaged, cut off, none at all or above
 *   `limitInputPixels`; UNSUPPORTED for other kinds of images, and where sharp is not installed; INVALID_ARGUMENT; OUT_OF_MEMORY; ABORTED
 */
export async function imageFolder(dir: string, options: ImageFolderOptions): Promise<ImageFolder> {
  const reader = new ImageReader(dir, options, 'imageFolder', folderOptionNames)
  const files = await reader.list(true)
  const { train, test, validation } = reader.split(files)
  const total = train.length + test.length + (validation?.length ?? 0)
  const load = (part: readonly ImageFile[], before: number) =>
    loadImages(reader, part, files.classNames, { before, total, dir, isHeld: before > 0 })
  return {
    train: await load(train, 0),
    test: await load(test, train.length),
    ...(validation && { validation: await load(validation, train.length + test.length) }),
    classNames: files.classNames,
    skipped: reader.skipped,
    ignored: files.ignored,
  }
}

/**
 * Reads all images of a folder with a folder per class as one data set: {@link imageFolder} without parts.
 * @throws what {@link imageFolder} throws; FILE_ERROR for a folder with parts
 */
export async function imageDataset(dir: string, options: ImageDatasetOptions): Promise<ImageDataset & LeftOut> {
  const reader = new ImageReader(dir, options, 'imageDataset', datasetOptionNames)
  const { classNames, parts, ignored } = await reader.list(false)
  if (!('all' in parts)) {
    throw new ConvlaneError('FILE_ERROR', `${dir}: expected a folder of images per class, found the parts train and test: name one of them`)
  }
  const loaded = await loadImages(reader, parts.all, classNames, { before: 0, total: parts.all.length, dir, isHeld: false })
  return { ...loaded, skipped: reader.skipped, ignored }
}

interface Place {
  /** Images read before these, and in all: for progress. */
  readonly before: number
  readonly total: number
  readonly dir: string
  /** Not to train on: some class may be lost there. */
  readonly isHeld: boolean
}

async function loadImages(
  reader: ImageReader,
  images: readonly ImageFile[],
  classNames: readonly string[],
  { before, total, dir, isHeld }: Place,
): Promise<ImageDataset> {
  const { size, channels } = reader.form
  const row = size[0] * size[1] * channels
  const pixels = allocateBytes(images.length * row, `${dir}: ${images.length} images of ${size[0]} x ${size[1]} x ${channels}`)
  const kept: ImageFile[] = []
  let done = 0
  for await (const image of reader.read(images)) {
    if (image) pixels.set(image, kept.length * row)
    if (image) kept.push(images[done]!)
    reader.progress(before + ++done, total)
  }
  const lost = isHeld ? kept.length === 0 && images[0] : lostClass(images, kept)
  if (lost) throw nothingLeft(lost, classNames, reader.skipped, dir)
  const data = dataset({
    x: { shape: [kept.length, size[0], size[1], channels], data: pixels.subarray(0, kept.length * row) },
    y: { shape: [kept.length], data: Int32Array.from(kept, ({ label }) => label) },
    classNames,
  })
  return Object.freeze({ ...data, classNames, files: kept.map(({ file }) => file) })
}

/** An image of a class of which none could be read. */
function lostClass(images: readonly ImageFile[], kept: readonly ImageFile[]): ImageFile | undefined {
  const left = new Set(kept.map(({ label }) => label))
  return images.find(({ label }) => !left.has(label))
}

function nothingLeft(
  { file, label }: ImageFile,
  classNames: readonly string[],
  skipped: readonly BrokenImage[],
  dir: string,
): ConvlaneError {
  const first = skipped.find((broken) => broken.file === file)?.error
  const message = `${dir}: no image of class "${classNames[label]}" could be read${first ? `: ${first.message}` : ''}`
  return new ConvlaneError('INVALID_FILE', message, { cause: first })
}

function allocateBytes(count: number, what: string): Uint8Array {
  try {
    return new Uint8Array(count)
  } catch (cause) {
    const message = `${what}: no memory for ${count} bytes: take smaller ones, or streamImageFolder`
    throw new ConvlaneError('OUT_OF_MEMORY', message, { cause })
  }
}
