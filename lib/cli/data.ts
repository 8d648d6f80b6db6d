import { basename, resolve } from 'node:path'
import type { TrainTest } from '../data/dataset'
import { digits } from '../data/digits'
import { fromFolder } from '../data/folder'
import { mnist } from '../data/mnist'

export const dataOption = {
  value: 'digits|mnist|DIR',
  about:
    'the embedded digits (default); MNIST, downloaded once (11 MB); or a folder with\nIDX files of the usual names, gzipped or not, or with CIFAR-10 binary batches',
} as const

export interface OpenedData extends TrainTest {
  /** Short, for file names. */
  readonly name: string
}

/** Opens what `--data` names. */
export async function openData(given: string, say: (line: string) => void, signal?: AbortSignal): Promise<OpenedData> {
  const options = signal ? { signal } : {}
  if (given === 'digits') return { name: given, ...(await digits()) }
  if (given === 'mnist') return { name: given, ...(await mnist({ ...options, onDownload: (url) => say(`downloading ${url}`) })) }
  return { name: basename(resolve(given)), ...(await fromFolder(given, options)) }
}
