import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileError } from '../io/files'

/** Finds out before the work, not after it, that a file cannot be written. Throws `FILE_ERROR`. */
export async function writable(file: string): Promise<string> {
  try {
    await access(dirname(resolve(file)), constants.W_OK)
    const there = await stat(file).catch(() => undefined)
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
  } catch (error) {
    throw fileError('write', file, error)
  }
  return file
}
