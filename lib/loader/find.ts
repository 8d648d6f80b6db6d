import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { ConvlaneError } from '../errors'
import { glibcVersion, libcOf } from './libc'
import { prebuildFile, prebuildTargets, requirePrebuild } from './prebuilds'

/** An addon, and the file that it came from. */
export interface Loaded {
  readonly addon: unknown
  readonly file: string
}

/** A place that was tried in vain. */
interface Failure {
  readonly where: string
  readonly cause: unknown
}

type Attempt = () => Loaded | Failure

/**
 * Loads the addon, from the first of these that does load:
 *
 * 1. the file that `CONVLANE_BINARY` names, and no other; or what node-gyp-build finds in the folder that `CONVLANE_PREBUILD` names, and nothing else
 * 2. `build/Release/convlane.node` in the package: made by `npm run build` in a clone, by `npx convlane build` elsewhere; not with `PREBUILDS_ONLY`
 * 3. the prebuild for this platform, architecture and C library
 * 4. what node-gyp-build finds in the package, or beside the program
 *
 * Throws `NATIVE_LOAD`, with every place and what was wrong there, when none does; `UNSUPPORTED` where an addon is there, but refuses this machine or
 * the `CONVLANE_ISA` that was asked for, `INVALID_ARGUMENT` where `CONVLANE_THREADS` is no number of threads, `CONVLANE_LAST_CACHE` none of MB or
 * `CONVLANE_TILE_ROWS` neither 4 nor 6.
 */
export function findAddon(root: string, env: NodeJS.ProcessEnv = process.env): Loaded {
  const load = createRequire(join(root, 'package.json'))
  const failures: Failure[] = []
  for (const attempt of attempts(root, env, load)) {
    const result = attempt()
    if ('addon' in result) return result
    const { cause } = result
    const code = codeOf(cause)
    if (code === 'UNSUPPORTED' || code === 'INVALID_ARGUMENT') throw new ConvlaneError(code, firstLine(cause), { cause })
    if (!failures.some(({ where }) => where === result.where)) failures.push(result)
  }
  throw loadError(failures)
}

function attempts(root: string, env: NodeJS.ProcessEnv, load: NodeJS.Require): readonly Attempt[] {
  const file = (path: string) => () => tryFile(path, load)
  if (env.CONVLANE_BINARY) return [file(resolve(env.CONVLANE_BINARY))]
  const resolver = () => tryResolver(env.CONVLANE_PREBUILD || root, root, load)
  if (env.CONVLANE_PREBUILD) return [resolver]
  const prebuild = () => tryPrebuild(root)
  return env.PREBUILDS_ONLY ? [prebuild, resolver] : [file(join(root, 'build/Release/convlane.node')), prebuild, resolver]
}

function tryFile(file: string, load: NodeJS.Require): Loaded | Failure {
  try {
    return { addon: load(file), file }
  } catch (cause) {
    return { where: file, cause }
  }
}

function tryPrebuild(root: string): Loaded | Failure {
  const target = [process.platform, process.arch, libcOf()].filter(Boolean).join('-')
  const file = join(root, prebuildFile(target))
  const result = requirePrebuild(target)
  if ('addon' in result) return { addon: result.addon, file }
  const isKnown = prebuildTargets.some((name) => name === target)
  return { where: isKnown ? file : join(root, 'prebuilds'), cause: result.cause }
}

/** It reads the override `CONVLANE_PREBUILD` by itself. */
function tryResolver(folder: string, root: string, load: NodeJS.Require): Loaded | Failure {
  try {
    const { resolve: resolveAddon } = require('node-gyp-build') as { resolve(root: string): string }
    return tryFile(resolveAddon(root), load)
  } catch (cause) {
    return { where: `node-gyp-build in ${folder}`, cause }
  }
}

function loadError(failures: readonly Failure[]): ConvlaneError {
  const tried = failures.map(({ where, cause }) => `  ${where}: ${reasonOf(cause, where)}`).join('\n')
  const message = `the native addon of convlane cannot be loaded on ${machine()}. Tried:
${tried}
To compile it (needs CMake and a C++17 compiler): npx convlane build
To do without it, slowly: CONVLANE_RUNTIME=reference`
  return new ConvlaneError('NATIVE_LOAD', message, { cause: failures.at(-1)?.cause })
}

/** For example: linux, x64, glibc 2.36, Node 22.11.0. */
function machine(): string {
  const { electron, bun, deno, node } = process.versions
  const libc = libcOf()
  const version = libc === 'glibc' ? glibcVersion() : undefined
  const libcText = process.platform === 'linux' ? [libc ?? 'unknown libc', version].filter(Boolean).join(' ') : undefined
  const host = [electron && `Electron ${electron}`, bun && `Bun ${bun}`, deno && `Deno ${deno}`].find(Boolean) ?? `Node ${node}`
  return [process.platform, process.arch, libcText, host].filter(Boolean).join(', ')
}

/** The system's messages begin with the file, too. */
function reasonOf(cause: unknown, where: string): string {
  return codeOf(cause) === 'MODULE_NOT_FOUND' ? 'no such file' : firstLine(cause).replace(`${where}: `, '')
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
