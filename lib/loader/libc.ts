import { closeSync, openSync, readSync } from 'node:fs'

/** The C library that a Linux process runs on. */
export type Libc = 'glibc' | 'musl'

/**
 * The C library of this process, from the program's own header: the dynamic loader that it asks for is the one it runs with, whatever else is
 * installed (Alpine with a glibc beside, Void, Gentoo, a container of another kind). Undefined outside Linux, and where a process tells neither.
 */
export function libcOf(platform: string = process.platform, program: string = process.execPath): Libc | undefined {
  if (platform !== 'linux') return undefined
  return libcOfInterpreter(interpreterOf(program)) ?? libcOfReport()
}

/** The version of glibc that runs, for messages; undefined where there is none. */
export function glibcVersion(): string | undefined {
  return report()?.header?.glibcVersionRuntime
}

interface Report {
  readonly header?: { readonly glibcVersionRuntime?: string }
  readonly sharedObjects?: readonly string[]
}

function report(): Report | undefined {
  const { report: reporter } = process as { report?: { excludeNetwork?: boolean; getReport(): object } }
  if (!reporter?.getReport) return undefined
  const before = reporter.excludeNetwork
  reporter.excludeNetwork = true // which would look up names
  try {
    return reporter.getReport() as Report
  } catch {
    return undefined // Bun and Deno have less of it
  } finally {
    reporter.excludeNetwork = before ?? false
  }
}

function libcOfReport(): Libc | undefined {
  const { header, sharedObjects = [] } = report() ?? {}
  if (header?.glibcVersionRuntime) return 'glibc'
  return sharedObjects.some((file) => /\/(libc\.musl|ld-musl)-/.test(file)) ? 'musl' : undefined
}

function libcOfInterpreter(interpreter: string | undefined): Libc | undefined {
  if (interpreter === undefined) return undefined
  if (/\/ld-musl-/.test(interpreter)) return 'musl'
  return /\/ld-linux/.test(interpreter) ? 'glibc' : undefined
}

/** The dynamic loader that a 64-bit little-endian ELF file asks for (PT_INTERP). */
export function interpreterOf(file: string): string | undefined {
  const head = Buffer.alloc(4096)
  let length: number
  try {
    const descriptor = openSync(file, 'r')
    try {
      length = readSync(descriptor, head, 0, head.length, 0)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return undefined
  }
  if (length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return undefined
  const table = Number(head.readBigUInt64LE(32))
  const entrySize = head.readUInt16LE(54)
  const entries = head.readUInt16LE(56)
  for (let at = table, i = 0; i < entries && at + 40 <= length; i++, at += entrySize) {
    if (head.readUInt32LE(at) !== 3) continue
    const from = Number(head.readBigUInt64LE(at + 8))
    const to = from + Number(head.readBigUInt64LE(at + 32))
    return to <= length ? head.toString('latin1', from, to).replace(/\0+$/, '') : undefined
  }
  return undefined
}
