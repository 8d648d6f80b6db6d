import { type FileHandle, open, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { ConvlaneError } from '../errors'
import { fileError } from './files'

const leadsOut = (path: string) => path === '' || path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)

/**
 * Opens a file that another one names, in its folder or below it. A path that leads elsewhere, by `..` or by a link, is refused.
 * @param folder the folder of the file that names it
 * @param damaged makes the error of what stands behind the name
 * @throws what `damaged` makes; FILE_ERROR
 */
export async function openWithin(
  folder: string,
  name: string,
  damaged: (what: string) => ConvlaneError,
): Promise<{ readonly handle: FileHandle; readonly size: number }> {
  if (name.includes('\0') || isAbsolute(name) || leadsOut(relative(folder, join(folder, name)))) {
    throw damaged(`${JSON.stringify(name.slice(0, 200))}, which is not in the folder of the model`)
  }
  const wanted = join(folder, name)
  let handle: FileHandle | undefined
  try {
    const real = await realpath(wanted)
    if (leadsOut(relative(await realpath(folder), real))) throw damaged(`${name}, a link that leads out of the folder of the model`)
    handle = await open(real, 'r')
    const stats = await handle.stat()
    if (!stats.isFile()) throw damaged(`${name}, which is not a regular file`)
    return { handle, size: stats.size }
  } catch (error) {
    await handle?.close()
    throw error instanceof ConvlaneError ? error : fileError('read', wanted, error)
  }
}
