import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findAddon } from '../../lib/loader/find'
import { interpreterOf, libcOf } from '../../lib/loader/libc'
import { prebuildFile, prebuildTargets, requirePrebuild } from '../../lib/loader/prebuilds'
import { binary } from './programs.cjs'

const root = resolve(__dirname, '../..')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convlane-loader-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "convlane" }')
})
afterEach(() => {
  vi.unstubAllGlobals()
  rmSync(folder, { recursive: true, force: true })
})

function on(platform: string, arch: string): void {
  vi.stubGlobal(
    'process',
    new Proxy(process, { get: (target, key) => (key === 'platform' ? platform : key === 'arch' ? arch : Reflect.get(target, key)) }),
  )
}

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConvlaneError', code: 'NATIVE_LOAD' })
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

/** An ELF file that asks for a dynamic loader. */
function elf(interpreter: string): string {
  const file = join(folder, 'program')
  const bytes = Buffer.alloc(512)
  bytes.writeUInt32BE(0x7f454c46, 0)
  bytes.set([2, 1, 1], 4)
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(2, 56)
  bytes.writeUInt32LE(6, 64)
  bytes.writeUInt32LE(3, 120)
  bytes.writeBigUInt64LE(200n, 128)
  bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), 152)
  bytes.write(interpreter, 200)
  writeFileSync(file, bytes)
  return file
}

describe('the C library', () => {
  test.each([
    ['/lib64/ld-linux-x86-64.so.2', 'glibc'],
    ['/lib/ld-linux-aarch64.so.1', 'glibc'],
    ['/lib/ld-musl-x86_64.so.1', 'musl'],
    ['/nix/store/0123-musl-1.2/lib/ld-musl-aarch64.so.1', 'musl'],
  ])('is told by the program: %s', (interpreter, libc) => {
    expect(interpreterOf(elf(interpreter))).toBe(interpreter)
    expect(libcOf('linux', elf(interpreter))).toBe(libc)
  })

  // Other systems have no such C library to tell.
  test.runIf(process.platform === 'linux')('is told by the process where the program tells nothing', () => {
    for (const program of [join(folder, 'missing'), join(folder, 'package.json'), elf('/lib/ld-other.so.1')]) {
      expect(libcOf('linux', program)).toBe(libcOf())
    }
  })

  test('is none outside Linux', () => {
    for (const platform of ['darwin', 'win32', 'freebsd']) expect(libcOf(platform)).toBeUndefined()
  })
})

describe('the prebuilds', () => {
  test('are required by literal paths, one for each target, which are where the layout has them', () => {
    const source = readFileSync(join(root, 'lib/loader/prebuilds.ts'), 'utf8')
    const literal = [...source.matchAll(/case '([^']+)':\n\s+return \{ addon: require\('\.\.\/\.\.\/([^']+)'\) \}/g)]
    expect(literal.map(([, target, file]) => [target, file])).toEqual(prebuildTargets.map((target) => [target, prebuildFile(target)]))
    expect(prebuildTargets).toHaveLength(8)
  })

  test('that are missing are told, not thrown', () => {
    for (const target of ['win32-arm64', 'freebsd-x64']) expect(requirePrebuild(target)).toHaveProperty('cause')
  })
})

describe('findAddon', () => {
  test('takes the file that CONVLANE_BINARY names, and no other', () => {
    expect(findAddon(root, { CONVLANE_BINARY: binary }).file).toBe(binary)
    const message = messageOf(() => findAddon(root, { CONVLANE_BINARY: join(folder, 'missing.node') }))
    expect(message).toContain(`Tried:\n  ${join(folder, 'missing.node')}: no such file\nTo compile it`)
  })

  test('takes the local build before the prebuild', () => {
    mkdirSync(join(folder, 'build/Release'), { recursive: true })
    writeFileSync(join(folder, 'build/Release/convlane.node'), '')
    on('win32', 'arm64')
    const local = `Tried:\n  ${join(folder, 'build/Release/convlane.node')}: `
    expect(messageOf(() => findAddon(folder, {}))).toMatch(new RegExp(`${local}.*(too short|invalid|not)`))
    expect(messageOf(() => findAddon(folder, { PREBUILDS_ONLY: '1' }))).not.toContain(local)
  })

  test('says what is documented, with every place and what was wrong there', () => {
    const block = /## When it does not load[\s\S]*?```text\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/install.md'), 'utf8'))![1]!
    on('win32', 'arm64')
    const message = messageOf(() => findAddon(folder, {}))
    const documented = block
      .trimEnd()
      .replace('linux, x64, glibc 2.36', 'win32, arm64')
      .replace('linux-x64/convlane.glibc.node', 'win32-arm64/convlane.node')
      .replaceAll('/app/node_modules/convlane', folder)
      .replace(/Node [\d.]+\d/, `Node ${process.versions.node}`)
    const general = (text: string) => text.replace(/was found for .*/, 'was found for …')
    expect(general(message)).toBe(general(documented))
  })

  test('names what there are prebuilds for on a platform that has none', () => {
    on('haiku', 'x64')
    const message = messageOf(() => findAddon(folder, {}))
    expect(message).toContain(' on haiku, x64, Node ')
    expect(message).toContain(`${join(folder, 'prebuilds')}: there is none for haiku-x64, only for ${prebuildTargets.join(', ')}\n`)
    expect(message).toContain('\nTo compile it (needs CMake and a C++17 compiler): npx convlane build\n')
  })
})
