import { mkdir, readFile, stat } from 'node:fs/promises'
import { cpus, homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { type AlgorithmChoices, isAlgorithm } from '../program/algorithms'
import { writeAtomically } from './atomic-file'

/** A file that has grown beyond this is begun anew. */
const MOST_BYTES = 2 ** 20

/** Where choices are remembered unless the caller says: `$XDG_CACHE_HOME/convlane/algorithms.json`, else in `~/.cache`. */
export function tuningFile(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'convlane', 'algorithms.json')
}

/** What the choices hold for: this version on this processor. */
export function tuningScope(version: string): string {
  return `convlane ${version}, ${cpus()[0]?.model ?? process.arch}`
}

type Content = Record<string, Record<string, unknown>>

async function content(file: string): Promise<Content> {
  if ((await stat(file)).size > MOST_BYTES) return {}
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Content) : {}
}

/** What the file remembers for the scope; nothing, where there is no such file or it is damaged. */
export async function readTuning(file: string, scope: string): Promise<AlgorithmChoices> {
  const { [scope]: own } = await content(file).catch((): Content => ({}))
  if (typeof own !== 'object' || own === null) return {}
  return Object.fromEntries(Object.entries(own).filter(([, name]) => isAlgorithm(name))) as AlgorithmChoices
}

/** Adds to what the file remembers. Where it cannot be written nothing is remembered. */
export async function rememberTuning(file: string, scope: string, choices: AlgorithmChoices): Promise<void> {
  try {
    const known = await content(file).catch((): Content => ({}))
    await mkdir(dirname(file), { recursive: true })
    const text = JSON.stringify({ ...known, [scope]: { ...known[scope], ...choices } }, null, 1)
    await writeAtomically(file, [new TextEncoder().encode(text)])
  } catch {
    // The next process times them again.
  }
}
