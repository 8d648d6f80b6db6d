import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { loadNative } from '../../lib/native'

let counts: Record<string, number> = {}

/** Counts one case that was compared with the reference: of an op, or of one of its algorithms. */
export function count(kind: 'listed' | 'property', op: string, algorithm = ''): void {
  const key = `${kind} ${op} ${algorithm}`.trimEnd()
  counts[key] = (counts[key] ?? 0) + 1
}

/** Called by a test file: writes what it counted, when its tests are over, for test/proof to compare. Files may share this module. */
export function keepCounts(): void {
  counts = {}
  afterAll(() => {
    const folder = process.env.CONVLANE_COUNTS
    if (!folder) return
    const file = basename(expect.getState().testPath!).replace('.test.ts', '')
    writeFileSync(join(folder, `${loadNative().isa()} ${file}.json`), JSON.stringify(counts))
  })
}
