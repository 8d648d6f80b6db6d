import { homedir } from 'node:os'
import { join } from 'node:path'
import { checkBoolean, checkOptions, checkPath, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { checkInteger } from '../shape'
import { checkSignal } from '../train/options'
import type { TrainTest } from './dataset'
import { fromIdx, type IdxPart, idxFolder, idxNames } from './folder'
import { cachedIdx } from './idx-cache'

const MIRROR = 'https://ossci-datasets.s3.amazonaws.com/mnist/'

/** Of the uncompressed files, as published. */
const originals: Readonly<Record<IdxPart, { readonly bytes: number; readonly sha256: string }>> = {
  'train-images': { bytes: 47040016, sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db' },
  'train-labels': { bytes: 60008, sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5' },
  't10k-images': { bytes: 7840016, sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7' },
  't10k-labels': { bytes: 10008, sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2' },
}

/** Options of {@link mnist}. */
export interface MnistOptions {
  /**
   * Folder with the four IDX files under their usual names, gzipped or not. Then nothing is downloaded, and the content is not compared with the original.
   * Default: the cache, or a download.
   */
  readonly dir?: string
  /** Whether to download what the cache lacks. Default true. */
  readonly download?: boolean
  /** Where to download from. Default: environment variable `CONVLANE_MNIST_URL`, else the public mirror. */
  readonly url?: string
  /** Where downloads are kept. Default `$XDG_CACHE_HOME/convlane/mnist`, else `~/.cache/convlane/mnist`. */
  readonly cacheDir?: string
  /** Longest wait for the next bytes of a download, in milliseconds. Default 30,000. */
  readonly stallMs?: number
  /** Ends a download with ABORTED. Default: nothing does. */
  readonly signal?: AbortSignal
  /** Called before each file that is downloaded. Default: nothing is. */
  onDownload?(url: string): void
}

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 × 28. Read from `dir`, or from a cache that is filled on first use (11 MB);
 * what is downloaded or cached must have the SHA-256 of the original files.
 *
 * Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".
 * @returns x `[N, 28, 28, 1]` as bytes, y `[N]`
 * @throws `OFFLINE` when the download fails, `INVALID_FILE` when content is damaged or differs from the original, `FILE_ERROR`, `INVALID_ARGUMENT`, `ABORTED`.
 */
export async function mnist(options: MnistOptions = {}): Promise<TrainTest> {
  checkOptions('mnist', options, ['dir', 'download', 'url', 'cacheDir', 'stallMs', 'signal', 'onDownload'])
  const signal = checkSignal(options.signal, 'mnist')
  if (options.dir !== undefined) return idxFolder(checkPath(options.dir, 'mnist', 'dir'), signal)
  if (options.cacheDir !== undefined) checkPath(options.cacheDir, 'mnist', 'cacheDir')
  const cacheDir = options.cacheDir ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'convlane', 'mnist')
  const base = options.url ?? (process.env.CONVLANE_MNIST_URL || MIRROR)
  const { onDownload } = options
  if (onDownload !== undefined && typeof onDownload !== 'function') throw invalid('mnist', 'onDownload', 'a function', onDownload)
  const download = checkBoolean(options.download ?? true, 'mnist', 'download')
  const stallMs = checkInteger(options.stallMs ?? 30_000, 'mnist', 'stallMs', 1, 2 ** 31 - 1)
  const read = (part: IdxPart) => {
    const name = `${idxNames(part)[0]}.gz`
    return cachedIdx(join(cacheDir, name), { ...originals[part], url: joinUrl(base, name) }, { download, stallMs, signal, onDownload })
  }
  return fromIdx('MNIST', {
    'train-images': await read('train-images'),
    'train-labels': await read('train-labels'),
    't10k-images': await read('t10k-images'),
    't10k-labels': await read('t10k-labels'),
  })
}

function joinUrl(base: string, name: string): string {
  const url = URL.canParse(base) ? new URL(name, base.endsWith('/') ? base : `${base}/`) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new ConvlaneError('INVALID_ARGUMENT', `mnist: the download URL must start with http:// or https://, received ${base}`, {
      received: base,
    })
  }
  return url.href
}
