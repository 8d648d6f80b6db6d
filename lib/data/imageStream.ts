import { checkBoolean } from '../check'
import { permutation, RandomStream } from '../random'
import { checkInteger } from '../shape'
import { type Batches, batched, type Sample } from './batched'
import type { ImageFile } from './imageFiles'
import type { LeftOut } from './imageFolder'
import { folderOptionNames, type ImageFolderOptions, ImageReader } from './imageReader'

/** Options of {@link streamImageFolder}. */
export interface ImageStreamOptions extends Omit<ImageFolderOptions, 'onProgress'> {
  /** Images in a batch. Default 32. */
  readonly batchSize?: number
  /** Whether `train` has another order in each epoch, by the seed. Default true. */
  readonly shuffle?: boolean
}

/** Batches of images, read as they are needed. */
export interface ImageStream extends Batches {
  /** Images in an epoch, those that turn out broken among them. */
  readonly length: number
  /** Their files, from the folder that was given, with `/` between the names: by path, not in the order of an epoch. */
  readonly files: readonly string[]
  /** Names of the classes, by class number. */
  readonly classNames: readonly string[]
}

/** What {@link streamImageFolder} gives. */
export interface ImageStreamFolder extends LeftOut {
  /** To train on. */
  readonly train: ImageStream
  /** Never to train on: the ready-made part, or what was drawn. */
  readonly test: ImageStream
  /** Where the folder has parts for both, `validation` (or `val`) and `test`. */
  readonly validation?: ImageStream
  /** Names of the folders, by class number. */
  readonly classNames: readonly string[]
}

/**
 * A folder with a folder of images per class as batches that are read while the network learns: {@link imageFolder} for more images than fit into memory. Beside
 * the step under way `concurrency` images are read and decoded, off the main thread, and one batch waits: no more. With the seed and batch size of `fit` itself, and no
 * broken images, a network learns to the same bits as from {@link imageFolder}. Broken images are met when their turn comes; `skipped` grows as they are.
 * @param dir a folder per class, or parts with a folder per class each
 * @throws what {@link imageFolder} throws: for the folders at once, for images while they are read
 */
export async function streamImageFolder(dir: string, options: ImageStreamOptions): Promise<ImageStreamFolder> {
  const names = folderOptionNames.filter((name) => name !== 'onProgress')
  const reader = new ImageReader(dir, options, 'streamImageFolder', [...names, 'batchSize', 'shuffle'])
  const batchSize = checkInteger(options.batchSize ?? 32, 'streamImageFolder', 'batchSize')
  const isShuffled = checkBoolean(options.shuffle ?? true, 'streamImageFolder', 'shuffle')
  const files = await reader.list(true)
  const { train, test, validation } = reader.split(files)
  const { classNames, ignored } = files
  const shape = [...reader.form.size, reader.form.channels]
  const stream = (images: readonly ImageFile[], shuffled: boolean): ImageStream => {
    const samples = async function* (epoch: number): AsyncGenerator<Sample, void> {
      const order = shuffled ? permutation(images.length, new RandomStream(reader.seed, 'shuffle', epoch)) : undefined
      const taken = order ? Array.from(order, (at) => images[at]!) : images
      let at = 0
      for await (const data of reader.read(taken)) {
        const { label } = taken[at++]!
        if (data) yield { x: { shape, data }, y: label }
      }
    }
    const batches = batched(samples, { batchSize, classNames })
    return Object.freeze({ ...batches, classNames, length: images.length, files: images.map(({ file }) => file) })
  }
  return {
    train: stream(train, isShuffled),
    test: stream(test, false),
    ...(validation && { validation: stream(validation, false) }),
    classNames,
    skipped: reader.skipped,
    ignored,
  }
}
