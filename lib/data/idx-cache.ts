import { createHash } from 'node:crypto'
import { access, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConvlaneError } from '../errors'
import { writeAtomically } from '../io/atomic-file'
import { fileError, readWhole } from '../io/files'
import { download } from './download'
import { gunzipExactly, isGzip } from './gzip'
import { type IdxArray, parseIdx } from './idx'

/** A published IDX file. Length and SHA-256 of the uncompressed content make a copy from anywhere the original. */
export interface Original {
  readonly url: string
  readonly bytes: number
  readonly sha256: string
}

export interface CacheOptions {
  /** Whether to download what the cache lacks. */
  readonly download: boolean
  /** Longest wait for the next bytes of a download, in milliseconds. */
  readonly stallMs: number
  readonly signal?: AbortSignal | undefined
  readonly onDownload?: ((url: string) => void) | undefined
}

/**
 * The content of `file`, a copy of `original` that is downloaded when it is missing or damaged, and kept only when it is the original.
 * @throws `OFFLINE` when the download fails, `INVALID_FILE` when the content is not the original, `FILE_ERROR`, `ABORTED`.
 */
export async function cachedIdx(file: string, original: Original, options: CacheOptions): Promise<IdxArray> {
  const { signal, stallMs } = options
  if (await exists(file)) {
    const bytes = await readWhole(file, signal)
    try {
      return await parseOriginal(bytes, original, file)
    } catch (error) {
      if (!options.download) throw error
    }
  } else if (!options.download) {
    throw new ConvlaneError('FILE_ERROR', `${file} is missing and download is off`)
  }
  options.onDownload?.(original.url)
  const bytes = await download(original.url, { maxBytes: original.bytes + SLACK, stallMs, ...(signal && { signal }) })
  const array = await parseOriginal(bytes, original, original.url)
  try {
    await mkdir(dirname(file), { recursive: true })
  } catch (error) {
    throw fileError('create', dirname(file), error)
  }
  await writeAtomically(file, [bytes])
  return array
}

/** Gzip may make incompressible content longer, by 5 bytes in 16 kilobytes and a header. */
const SLACK = 2 ** 16

async function parseOriginal(bytes: Uint8Array, original: Original, name: string): Promise<IdxArray> {
  const content = isGzip(bytes) ? await gunzipExactly(bytes, original.bytes, name) : bytes
  const received = createHash('sha256').update(content).digest('hex')
  const expected = original.sha256
  if (received !== expected) {
    throw new ConvlaneError('INVALID_FILE', `${name}: not the original file: expected SHA-256 ${expected}, received ${received}`, {
      expected,
      received,
    })
  }
  return parseIdx(content, name)
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
