import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { binary, native } from './programs.cjs'

const folder = mkdtempSync(join(tmpdir(), 'convlane-load-'))
afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  rmSync(folder, { recursive: true, force: true })
})

async function load(path: string) {
  vi.resetModules()
  vi.stubEnv('CONVLANE_BINARY', path)
  const { loadNative } = await import('../../lib/native.js')
  return loadNative()
}

describe('loadNative', () => {
  test('loads the file that CONVLANE_BINARY names', async () => {
    expect(await load(binary)).toBe(native)
  })

  test('says what was tried, on what, and how to build, when it cannot', async () => {
    const missing = join(folder, 'missing.node')
    await expect(load(missing)).rejects.toMatchObject({
      name: 'ConvlaneError',
      code: 'NATIVE_LOAD',
      message: expect.stringMatching(
        new RegExp(`${process.platform}, ${process.arch}, .*Node.*\\n.*missing\\.node: .*\\n.*npx convlane build`, 's'),
      ),
    })
  })

  test('says why a damaged file does not load', async () => {
    const damaged = join(mkdtempSync(folder), 'damaged.node')
    writeFileSync(damaged, 'not an addon')
    await expect(load(damaged)).rejects.toMatchObject({ code: 'NATIVE_LOAD', message: expect.stringContaining('damaged.node') })
    rmSync(join(damaged, '..'), { recursive: true })
  })
})

test('an impossible CONVLANE_ISA is an error that names what the machine has', () => {
  const script = `try { require(${JSON.stringify(binary)}) } catch (error) { console.log(error.code, error.message) }`
  const { stdout } = spawnSync(process.execPath, ['-e', script], { env: { ...process.env, CONVLANE_ISA: 'abacus' }, encoding: 'utf8' })
  expect(stdout).toMatch(/^UNSUPPORTED .*abacus.*scalar/)
})

describe('the machine', () => {
  test('tells its instruction sets', () => {
    expect(native.isaAvailable()).toContain('scalar')
    expect(native.isaAvailable()).toContain(native.isa())
    expect(native.kernelIsa()).toBe(native.isa())
    if (process.env.CONVLANE_ISA) expect(native.isa()).toBe(process.env.CONVLANE_ISA)
    const { width, rows, vectors } = native.kernelInfo()
    expect(width).toBe({ scalar: 1, neon: 4, avx2: 8, avx512: 16 }[native.isa()])
    expect(rows).toHaveLength(5)
    expect(vectors).toBeGreaterThanOrEqual(1)
  })

  test('tells and takes its number of threads', () => {
    const before = native.threads()
    expect(native.defaultThreads()).toBeGreaterThanOrEqual(1)
    for (const n of [1, 3, 1024, 2]) {
      native.setThreads(n)
      expect(native.threads()).toBe(n)
    }
    native.setThreads(before)
  })

  test('tells where memory begins', () => {
    const bytes = new ArrayBuffer(4096)
    const first = native.misalignment(new Uint8Array(bytes))
    for (const at of [1, 16, 63, 64, 200]) expect(native.misalignment(new Uint8Array(bytes, at))).toBe((first + at) % 64)
    expect(() => native.misalignment(new Float32Array(1) as never)).toThrow('must be of type uint8')
  })

  test('is measured by probes', () => {
    expect(native.probeFma(0.01, 2)).toBeGreaterThan(1e6)
    for (const pastCaches of [false, true]) expect(native.probeTriad(1 << 16, 2, pastCaches)).toBeGreaterThan(1e6)
  })

  test('takes no longer to be measured by more threads than there are CPUs', () => {
    expect(native.probeTriad(1 << 16, 1024, true)).toBeGreaterThan(1e6)
  })
})
