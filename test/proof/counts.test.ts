import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { reference } from '../../lib/reference'

/** Property cases for each op, pass and algorithm (test/support/describeCases.ts); `test:core` runs none. */
const LEAST = Number(process.env.CONVLANE_EXPECTED_PROPERTIES)
const expected = process.env.CONVLANE_EXPECTED_ISAS!.split(' ')
const folder = process.env.CONVLANE_COUNTS!

/** Number of compared cases by instruction set and `kind op algorithm`, added up over the test files. */
const counts: Record<string, Record<string, number>> = {}
for (const file of readdirSync(folder)) {
  const isa = file.split(' ')[0]!
  const ofIsa = counts[isa] ?? {}
  counts[isa] = ofIsa
  for (const [key, count] of Object.entries(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, number>))
    ofIsa[key] = (ofIsa[key] ?? 0) + count
}

test('every expected instruction set ran', () => {
  expect(expected.length).toBeGreaterThan(0)
  for (const isa of expected) expect(Object.keys(counts)).toContain(isa)
})

describe.each(Object.keys(counts))('%s', (isa) => {
  // Sizes follow the vectors, and a few of them are too large for an algorithm: cases of an op are counted, and which algorithms there were.
  test('ran as many cases of every op as the others ran, and the same algorithms', () => {
    const ofOps = (set: string) => Object.fromEntries(Object.entries(counts[set]!).filter(([key]) => key.split(' ').length === 2))
    for (const other of Object.keys(counts)) {
      expect(ofOps(isa)).toEqual(ofOps(other))
      expect(Object.keys(counts[isa]!).sort()).toEqual(Object.keys(counts[other]!).sort())
    }
  })

  test('compared every op of the reference', () => {
    const ops = new Set(Object.keys(counts[isa]!).map((key) => key.split(' ')[1]))
    expect([...ops].sort()).toEqual(Object.keys(reference).sort())
  })

  test(`ran at least ${LEAST} property cases of every op and algorithm that it ran listed cases of`, () => {
    const listed = Object.keys(counts[isa]!).filter((key) => key.startsWith('listed '))
    expect(listed.length).toBeGreaterThanOrEqual(Object.keys(reference).length)
    for (const key of listed) expect(counts[isa]![key.replace('listed', 'property')] ?? 0, key).toBeGreaterThanOrEqual(LEAST)
  })
})
