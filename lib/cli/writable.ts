import { access, constants, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileError } from '../io/files'
import { type Command, usage } from './arguments'

/** Finds out before the work, not after it, that a file cannot be written. Throws `FILE_ERROR`. */
export async function writable(file: string): Promise<string> {
  try {
    const there = await stat(file).catch(() => undefined)
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    // A device or a pipe is written into, a file is replaced.
    await access(there && !there.isFile() ? file : dirname(resolve(file)), constants.W_OK)
  } catch (error) {
    throw fileError('write', file, error)
  }
  return file
}

/** Refuses one file in two places, of which one would replace the other. Throws {@link UsageError}. @param files by what the command line calls them */
export async function checkApart(command: Command, files: Readonly<Record<string, string | undefined>>): Promise<void> {
  const names = new Map<string, string>()
  for (const [name, file] of Object.entries(files)) {
    if (file === undefined) continue
    const place = await realpath(file).catch(() => resolve(file))
    const other = names.get(place)
    if (other !== undefined) throw usage(command, `${other} and ${name} are the same file, ${file}`)
    names.set(place, name)
  }
}
