import { basename, resolve } from 'node:path'
import type { TrainTest } from '../data/dataset'
import { digits } from '../data/digits'
import { fromFolder } from '../data/folder'
import { mnist } from '../data/mnist'
import { type Command, usage } from './arguments'
import { holdsImages, type ImagePlan, openImages } from './images'

export const dataOption = {
  value: 'digits|mnist|DIR',
  about:
    'the embedded digits (default); MNIST, downloaded once (11 MB); or a folder: with a folder of images\n(PNG, JPEG, WebP, AVIF, GIF) for each class, with IDX files of the usual names, or with CIFAR-10 binary batches',
} as const

/** What a data set is called, for file names: short. */
export const dataName = (given: string): string => basename(resolve(given))

export interface OpenedData extends TrainTest {
  /** By {@link dataName}. */
  readonly name: string
  /** Whether the images come from files of their own. */
  readonly isPhotographs: boolean
}

/** Opens what `--data` names. Throws {@link UsageError} for options about images where it is no folder of such. */
export async function openData(
  command: Command,
  given: string,
  images: ImagePlan,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<OpenedData> {
  const options = signal ? { signal } : {}
  const isFolder = given !== 'digits' && given !== 'mnist'
  if (isFolder && (await holdsImages(given))) {
    return { name: dataName(given), isPhotographs: true, ...(await openImages(given, images, say, signal)) }
  }
  if (images.given.length > 0) throw usage(command, `--${images.given[0]} is for a folder of images, ${given} is none`)
  const opened = isFolder
    ? await fromFolder(given, options)
    : given === 'digits'
      ? await digits()
      : await mnist({ ...options, onDownload: (url) => say(`downloading ${url}`) })
  return { name: dataName(given), isPhotographs: false, ...opened }
}
