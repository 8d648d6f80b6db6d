import { readdir, readFile } from 'node:fs/promises'
import { invalid } from '../check'
import { ConvlaneError } from '../errors'

/** A `FILE_ERROR` that says what was being done with which file, and why the system refused. */
export function fileError(doing: string, file: string, cause: unknown): ConvlaneError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new ConvlaneError('FILE_ERROR', `cannot ${doing} ${file}: ${reasons[code ?? ''] ?? message}`, { cause })
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'the file would be too large',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the name is too long',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
}

/** Reads a whole file. @throws `FILE_ERROR`, `ABORTED`. */
export async function readWhole(file: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await readFile(file, signal ? { signal } : {})
  } catch (error) {
    if (signal?.aborted) throw aborted(signal)
    throw fileError('read', file, error)
  }
}

/**
 * The content of what is given as a path or as bytes, which are copied: whoever gave them may change them at once. `name` is for messages.
 * @throws INVALID_ARGUMENT; what `read` throws
 */
export async function contentOf(
  source: unknown,
  label: string,
  read: (file: string) => Promise<Uint8Array>,
): Promise<{ readonly bytes: Uint8Array; readonly name: string }> {
  if (typeof source === 'string' && source !== '') return { bytes: await read(source), name: source }
  // By tag, not by instanceof: the array may come from another realm.
  if (Object.prototype.toString.call(source) === '[object Uint8Array]') return { bytes: Uint8Array.from(source as Uint8Array), name: label }
  throw invalid(label, 'source', 'a path or a Uint8Array', source)
}

/** Names in a folder. @throws `FILE_ERROR`. */
export async function listFolder(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    throw fileError('read', dir, error)
  }
}

/** The error for work that a signal stopped. */
export function aborted(signal: AbortSignal): ConvlaneError {
  return new ConvlaneError('ABORTED', 'stopped by the AbortSignal', { cause: signal.reason })
}

/** Lets the event loop turn. */
export const nextTurn = (): Promise<void> => new Promise((resume) => setImmediate(resume))
