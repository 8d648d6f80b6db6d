import { readdir, readFile } from 'node:fs/promises'
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
