import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import type { Binding } from '../../binding.js'

/** The addon as lib/native.ts finds it: this is the runner's configuration, which loads no TypeScript of lib/. */
export function addon(): Binding {
  const require = createRequire(import.meta.url)
  const root = join(import.meta.dirname, '../..')
  return require(process.env.CONVLANE_BINARY ? resolve(process.env.CONVLANE_BINARY) : require('node-gyp-build').resolve(root)) as Binding
}

/** Where op tests leave how many cases they ran (test/support/counts.ts); set from outside, the counts of several machines can be compared. */
function countsFolder(): string {
  if (process.env.CONVLANE_COUNTS) return process.env.CONVLANE_COUNTS
  const folder = mkdtempSync(join(tmpdir(), 'convlane-counts-'))
  process.env.CONVLANE_COUNTS = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Tests that run on one instruction set (`undefined`: the one that is chosen at load, without the largest cases). */
export function isaProject(isa: string | undefined, include: string[], exclude: string[] = []): TestProjectInlineConfiguration {
  const env = { CONVLANE_COUNTS: countsFolder(), ...(isa ? { CONVLANE_ISA: isa } : { CONVLANE_LARGE_CASES: '0' }) }
  return { extends: true, test: { name: isa ?? 'core', include, exclude, env, testTimeout: 120_000, sequence: { groupOrder: 1 } } }
}

/** What runs on every instruction set of the machine. */
export const perIsa = ['test/ops/*.test.ts', 'test/program/nativeGraphs.test.ts', 'test/program/fold.test.ts', 'test/train/short.test.ts']

/** Tests of everything that is the same whatever the instruction set. */
export const onceProject: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'once', include: ['test/**/*.test.ts'], exclude: [...perIsa, 'test/proof/*.test.ts'], testTimeout: 60_000 },
}

/** Runs after the others: compares what the instruction sets counted, and whether each op and algorithm had so many property cases. */
export function proofProject(isas: readonly string[], properties: number): TestProjectInlineConfiguration {
  const env = { CONVLANE_COUNTS: countsFolder(), CONVLANE_EXPECTED_ISAS: isas.join(' '), CONVLANE_EXPECTED_PROPERTIES: `${properties}` }
  return { extends: true, test: { name: 'proof', include: ['test/proof/*.test.ts'], env, sequence: { groupOrder: 2 } } }
}
