import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProjectInlineConfiguration, ViteUserConfig } from 'vitest/config'
import type { Binding } from '../../binding.js'

/** The addon as lib/native.ts finds it: this is the runner's configuration, which loads no TypeScript of lib/. */
export function addon(): Binding {
  const require = createRequire(import.meta.url)
  const root = join(import.meta.dirname, '../..')
  return require(process.env.CONVLANE_BINARY ? resolve(process.env.CONVLANE_BINARY) : require('node-gyp-build').resolve(root)) as Binding
}

// What is written past the caches is the same on every machine that tests it: as with 32 MB. Set here, it is of the process, and of all that it starts.
process.env.CONVLANE_LAST_CACHE ??= '32'

/** Where op tests leave how many cases they ran (test/support/counts.ts); set from outside, the counts of several machines can be compared. */
function countsFolder(): string {
  if (process.env.CONVLANE_COUNTS) return process.env.CONVLANE_COUNTS
  const folder = mkdtempSync(join(tmpdir(), 'convlane-counts-'))
  process.env.CONVLANE_COUNTS = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const perIsa = ['test/ops/*.test.ts', 'test/program/nativeGraphs.test.ts', 'test/program/fold.test.ts', 'test/train/short.test.ts']
/** What is the same on all of them. */
const anyIsa = ['arena', 'compile', 'merged', 'randomGraphs', 'state-layout'].map((name) => `test/program/${name}.test.ts`)
/** Files share the modules of what they test with: loading these anew took half of the time. So what a file changes for all, it changes back. */
const together = { isolate: false, hookTimeout: 60_000 } as const
const onOneIsa = { extends: true, test: { ...together, testTimeout: 120_000, sequence: { groupOrder: 1 } } } as const

/** What is asked of the kernels: property cases of each op, pass and algorithm, and elements that the operands of a listed case may have together. */
interface Extent {
  readonly properties: number
  readonly largest: number
}

/** What runs on every instruction set of the machine. */
export function isaProject(isa: string, { properties, largest }: Extent): TestProjectInlineConfiguration {
  const env = {
    CONVLANE_COUNTS: countsFolder(),
    CONVLANE_ISA: isa,
    CONVLANE_LAST_CACHE: '32', // what the cases past the caches are large enough for, whatever this machine has
    CONVLANE_PROPERTY_CASES: `${properties}`,
    CONVLANE_LARGEST_CASE: `${largest}`,
  }
  // The scalar kernels have no stores past the caches.
  const exclude = isa === 'scalar' ? ['test/ops/streamed.test.ts'] : []
  return { ...onOneIsa, test: { ...onOneIsa.test, name: isa, include: perIsa, exclude, env } }
}

/**
 * Tests on the instruction set that is chosen at load, without property tests and the largest cases. For emulators `CONVLANE_LARGEST_CASE` (elements of operands) leaves
 * more of these out, and what needs no kernels; where it is small, what is about large operands, too.
 */
export function coreProject(include: string[]): TestProjectInlineConfiguration {
  const { CONVLANE_LARGEST_CASE: given } = process.env
  const largest = Number(given ?? 2 ** 18)
  const env = { CONVLANE_COUNTS: countsFolder(), CONVLANE_LARGEST_CASE: `${largest}`, CONVLANE_GUARD_PAGES: '0' }
  // tileRows sets a variable of the process before it loads the addon again, and these tests run in threads, whose variables are their own.
  const exclude = ['test/ops/*.property.test.ts', 'test/ops/guardPages.test.ts', 'test/ops/tileRows.test.ts']
  if (given) exclude.push(...anyIsa)
  if (largest < 2 ** 16) exclude.push('test/ops/streamed.test.ts', 'test/ops/capacity.test.ts')
  return { ...onOneIsa, test: { ...onOneIsa.test, name: 'core', include, exclude, env } }
}

/** Tests of everything that is the same whatever the instruction set. */
export const onceProject: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    ...together,
    name: 'once',
    include: ['test/**/*.test.ts'],
    exclude: [...perIsa, 'test/proof/*.test.ts', 'test/outside/**'],
    testTimeout: 60_000,
  },
}

/** Runs after the others: compares what the instruction sets counted, and whether each op and algorithm had so many property cases. */
export function proofProject(isas: readonly string[], properties: number): TestProjectInlineConfiguration {
  const env = { CONVLANE_COUNTS: countsFolder(), CONVLANE_EXPECTED_ISAS: isas.join(' '), CONVLANE_EXPECTED_PROPERTIES: `${properties}` }
  return { extends: true, test: { name: 'proof', include: ['test/proof/*.test.ts'], env, sequence: { groupOrder: 2 } } }
}

/** Everything once, the ops on every instruction set of this machine, and a last look at whether each of them ran as many cases as the others. */
export function everything(extent: Extent): ViteUserConfig {
  const isas = addon().isaAvailable()
  const projects = [onceProject, ...isas.map((isa) => isaProject(isa, extent)), proofProject(isas, extent.properties)]
  // By itself vitest leaves one processor to itself: on two, half of the machine.
  return { test: { pool: 'forks', maxWorkers: Math.max(2, availableParallelism() - 1), projects } }
}
