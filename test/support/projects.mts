import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { loadNative } from '../../lib/native.js'

/** Instruction sets that this machine runs, as the native core detected them. */
export const availableIsas = (): string[] => loadNative().isaAvailable()

/** Where op tests leave how many cases they ran (test/support/counts.ts); set from outside, the counts of several machines can be compared. */
function countsFolder(): string {
  if (process.env.CONVLANE_COUNTS) return process.env.CONVLANE_COUNTS
  const folder = mkdtempSync(join(tmpdir(), 'convlane-counts-'))
  process.env.CONVLANE_COUNTS = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Tests that run on one instruction set (`undefined`: the one that is chosen at load). */
export function isaProject(isa: string | undefined, include: string[], exclude: string[] = []): TestProjectInlineConfiguration {
  const env = { CONVLANE_COUNTS: countsFolder(), ...(isa && { CONVLANE_ISA: isa }) }
  return { test: { name: isa ?? 'core', include, exclude, env, testTimeout: 120_000 } }
}

/** Tests of everything that is the same whatever the instruction set. */
export const onceProject: TestProjectInlineConfiguration = {
  test: { name: 'once', include: ['test/**/*.test.ts'], exclude: ['test/ops/**', 'test/proof/**'], testTimeout: 60_000 },
}

/** Runs after the others: compares what the instruction sets counted, and whether each op and algorithm had so many property cases. */
export function proofProject(isas: readonly string[], properties: number): TestProjectInlineConfiguration {
  const env = { CONVLANE_COUNTS: countsFolder(), CONVLANE_EXPECTED_ISAS: isas.join(' '), CONVLANE_EXPECTED_PROPERTIES: `${properties}` }
  return { test: { name: 'proof', include: ['test/proof/*.test.ts'], env, sequence: { groupOrder: 1 } } }
}
