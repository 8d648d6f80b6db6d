import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileError } from './files'

/** Most bytes in one write call. */
const PIECE = 2 ** 26

/**
 * Writes a file so that its name always shows a whole one: beside it under a passing name, flushed to the disk, then renamed over it.
 * Whatever fails, the old file stays as it was. A symbolic link keeps pointing where it does; an existing file keeps its permissions. What is no file
 * (`/dev/null`, a pipe) is written into as it stands: a rename would replace it.
 * @throws `FILE_ERROR` with the system's error as `cause`
 */
export async function writeAtomically(file: string, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    const old = await stat(file).catch(() => undefined)
    if (old && !old.isFile() && !old.isDirectory()) return await writeInto(file, chunks)
    const target = await placeOf(file)
    const mode = old && old.mode & 0o777
    const beside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
    const handle = await open(beside, 'wx', mode)
    try {
      try {
        for (const chunk of chunks) await writeAll(handle, chunk)
        if (mode !== undefined) await widen(handle, mode)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(beside, target)
    } catch (error) {
      await unlink(beside).catch(() => {})
      throw error
    }
    await syncFolder(dirname(target))
  } catch (error) {
    throw fileError('write', file, error)
  }
}

/** Removes the passing files that {@link writeAtomically} leaves beside a file when the process is killed meanwhile. Not while another process writes it. */
export async function removeLeftovers(file: string): Promise<void> {
  const target = await placeOf(file)
  const start = `.${basename(target)}.`
  const names = await readdir(dirname(target)).catch(() => [])
  const left = names.filter((name) => name.startsWith(start) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(start.length)))
  await Promise.all(left.map((name) => unlink(join(dirname(target), name)).catch(() => {})))
}

/** Where a file is or will be: where its symbolic links lead, the last of which may lead to nothing yet. */
async function placeOf(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    const link = (error as NodeJS.ErrnoException).code === 'ENOENT' ? await readlink(file).catch(() => undefined) : undefined
    return link === undefined ? file : placeOf(resolve(await realpath(dirname(file)), link))
  }
}

/** Gives permissions that the umask has taken. Node's permission model has no such call: then they stay narrower. */
async function widen(handle: FileHandle, mode: number): Promise<void> {
  await handle.chmod(mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_ACCESS_DENIED') throw error
  })
}

async function writeInto(file: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (const chunk of chunks) await writeAll(handle, chunk)
  } finally {
    await handle.close()
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(PIECE, bytes.length - at))
    at += bytesWritten
  }
}

/** Makes the rename itself last through a power failure, where the system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // Windows and some network file systems refuse; the new file is in place all the same.
  }
}
