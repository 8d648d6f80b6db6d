import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { Binding } from '../binding'
import { ConvlaneError } from './errors'

// The package's root, from lib/ and from dist/ alike.
const root = dirname(__dirname)
const load = createRequire(join(root, 'package.json'))
let binding: Binding | undefined

/**
 * The native addon, loaded at the first call: the file that `CONVLANE_BINARY` names, else what node-gyp-build finds (build/Release, then prebuilds).
 * Throws `NATIVE_LOAD` when none can be loaded, and `UNSUPPORTED` when `CONVLANE_ISA` names an instruction set that this machine lacks.
 */
export function loadNative(): Binding {
  binding ??= loadFile(nativeFile())
  return binding
}

/** The file that `loadNative` loads. Throws `NATIVE_LOAD` when there is none. */
export function nativeFile(): string {
  return process.env.CONVLANE_BINARY ? resolve(process.env.CONVLANE_BINARY) : find()
}

function find(): string {
  const { resolve: resolveAddon } = load('node-gyp-build') as { resolve(dir: string): string }
  try {
    return resolveAddon(root)
  } catch (cause) {
    const folders = ['build/Release', 'build/Debug', join('prebuilds', `${process.platform}-${process.arch}`)]
    const tried = folders.map((folder) => `  ${join(process.env.CONVLANE_PREBUILD ?? root, folder)}: no addon for this platform`)
    throw loadError(tried.join('\n'), cause)
  }
}

function loadFile(file: string): Binding {
  try {
    return load(file) as Binding
  } catch (cause) {
    if (codeOf(cause) === 'UNSUPPORTED') throw new ConvlaneError('UNSUPPORTED', messageOf(cause), { cause })
    throw loadError(`  ${file}: ${messageOf(cause)}`, cause)
  }
}

function loadError(tried: string, cause: unknown): ConvlaneError {
  const machine = [process.platform, process.arch, libc(), `Node ${process.versions.node}`].filter(Boolean).join(', ')
  const message = `the native addon of convlane cannot be loaded on ${machine}. Tried:\n${tried}
To compile it (needs CMake and a C++17 compiler): npm run build:native in a clone of convlane. To do without it, slowly: CONVLANE_RUNTIME=reference.`
  return new ConvlaneError('NATIVE_LOAD', message, { cause })
}

function libc(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'musl'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
