import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { aborted } from '../io/files'
import { checkSeed } from '../random'
import { checkChoice, checkInteger, checkNumber } from '../shape'
import { checkSignal } from '../train/options'
import { type ImageFile, type ImageFiles, listImages, splitImages } from './imageFiles'
import { inOrder } from './inOrder'
import { checkImageOptions, decodeImage, type ImageForm, type ImageOptions, imageOptionNames, readImageFile } from './readImage'
import { loadSharp, type Sharp } from './sharp'

/** An image that could not be read. */
export interface BrokenImage {
  /** From the folder that was given, with `/` between the names. */
  readonly file: string
  /** What is wrong with it: INVALID_FILE, UNSUPPORTED or FILE_ERROR. */
  readonly error: ConvlaneError
}

/** Options of {@link imageDataset}, and of all that reads folders of images. */
export interface ImageDatasetOptions extends ImageOptions {
  /** Height and width that each image gets, or one number for both; up to 16,384. */
  readonly size: number | readonly [height: number, width: number]
  /** Classes by number: the names of the folders. Default: the folders that are there, in the order of their code units. */
  readonly classNames?: readonly string[]
  /**
   * What to do with an image that cannot be read: `'throw'` ends with its error; `'skip'` leaves it out; a function is told of it, and may throw. Default
   * `'throw'`.
   */
  readonly onBroken?: 'throw' | 'skip' | ((image: BrokenImage) => void)
  /** Images that are read and decoded at a time. Default: the CPUs that this process may use, 2 at least, 8 at most. */
  readonly concurrency?: number
  /** Called as images are read, of so many. Default: nothing is. */
  readonly onProgress?: (done: number, total: number) => void
  /** Ends it with ABORTED. Default: nothing does. */
  readonly signal?: AbortSignal
}

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions extends ImageDatasetOptions {
  /**
   * Share of each class, above 0 and below 1, that is kept out of training. Which images these are follows from `seed` and their names alone. Default 0.2. Where
   * the folder has parts of its own (`train` and `test`, `val` or `validation`), these count, and giving this is refused.
   */
  readonly validationSplit?: number
  /** Of the split. Default 0. */
  readonly seed?: number
}

export const datasetOptionNames = [...imageOptionNames, 'classNames', 'onBroken', 'concurrency', 'onProgress', 'signal']
export const folderOptionNames = [...datasetOptionNames, 'validationSplit', 'seed']

/** Lists of images, and how they are read. */
export class ImageReader {
  readonly form: ImageForm & { readonly size: readonly [number, number] }
  readonly skipped: BrokenImage[] = []
  readonly signal: AbortSignal | undefined
  readonly seed: number
  readonly #dir: string
  readonly #share: number | undefined
  readonly #options: ImageFolderOptions
  readonly #atOnce: number
  readonly #sharp: Sharp

  constructor(dir: unknown, options: ImageFolderOptions, label: string, known: readonly string[]) {
    if (typeof dir !== 'string' || dir === '') throw invalid(label, 'dir', 'the path of a folder', dir)
    checkOptions(label, options, known)
    const form = checkImageOptions(options, label)
    if (!form.size) throw invalid(label, 'size', 'given: [height, width] or one number for both', undefined)
    const { onBroken = 'throw', classNames, onProgress, validationSplit } = options
    if (typeof onBroken !== 'function') checkChoice(onBroken, ['throw', 'skip'], label, 'onBroken')
    if (onProgress !== undefined && typeof onProgress !== 'function') throw invalid(label, 'onProgress', 'a function', onProgress)
    const areNames =
      Array.isArray(classNames) && classNames.length > 1 && classNames.every((name) => typeof name === 'string' && name !== '')
    const areClasses = classNames === undefined || (areNames && new Set(classNames).size === classNames.length)
    if (!areClasses) throw invalid(label, 'classNames', 'two different names or more', classNames)
    if (validationSplit !== undefined) {
      checkNumber(validationSplit, label, 'validationSplit', { low: 0, high: 1, below: true })
      if (validationSplit === 0) throw invalid(label, 'validationSplit', 'above 0 (imageDataset takes all)', validationSplit)
    }
    this.#dir = dir
    this.#options = options
    this.#share = validationSplit
    this.form = { ...form, size: form.size }
    this.signal = checkSignal(options.signal, label)
    this.seed = checkSeed(options.seed ?? 0, label)
    this.#atOnce = checkInteger(options.concurrency ?? Math.max(2, Math.min(8, availableParallelism())), label, 'concurrency', 1, 64)
    this.#sharp = loadSharp(label)
  }

  /** @param everyClass whether each class must have a folder, in each part */
  list(everyClass: boolean): Promise<ImageFiles> {
    const classNames = this.#options.classNames?.map((name) => name.normalize('NFC'))
    return listImages(this.#dir, { classNames, everyClass, signal: this.signal })
  }

  /** The parts of a folder, ready-made or drawn. */
  split({ parts }: ImageFiles): { train: ImageFile[]; test: ImageFile[]; validation?: ImageFile[] } {
    if ('all' in parts) {
      const drawn = splitImages(parts.all, this.#share ?? 0.2, this.seed)
      if (drawn.test.length > 0) return drawn
      throw new ConvlaneError('FILE_ERROR', `${this.#dir}: each class has a single image, none is left to test with`)
    }
    if (this.#share === undefined) return parts
    const message = `${this.#dir}: has parts of its own, train and test: expected no validationSplit`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: this.#share })
  }

  /** The pixels of images, in order; nothing for one that is left out. */
  async *read(files: Iterable<ImageFile>): AsyncGenerator<Uint8Array | undefined, void> {
    const { onBroken = 'throw' } = this.#options
    for await (const image of inOrder(files, (file) => this.#load(file), this.#atOnce)) {
      if (this.signal?.aborted) throw aborted(this.signal)
      if (image instanceof Uint8Array) {
        yield image
        continue
      }
      if (onBroken === 'throw') throw image.error
      // An image is broken once, however often it is met.
      if (!this.skipped.some(({ file }) => file === image.file)) {
        this.skipped.push(image)
        if (typeof onBroken === 'function') onBroken(image)
      }
      yield undefined
    }
  }

  progress(done: number, total: number): void {
    this.#options.onProgress?.(done, total)
  }

  async #load({ file }: ImageFile): Promise<Uint8Array | BrokenImage> {
    const path = join(this.#dir, file)
    try {
      const bytes = await readImageFile(path, this.signal)
      return (await decodeImage(this.#sharp, bytes, path, this.form)).data
    } catch (error) {
      if (error instanceof ConvlaneError && error.code !== 'ABORTED') return { file, error }
      throw error
    }
  }
}
