import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Binding, KernelInfo } from '../../binding'
import { binary } from '../native/programs.cjs'
import { allCases } from '../support/cases'
import { algorithmsOf, binding, checkBits } from '../support/checkCase'
import { runNative, tensorsOf } from '../support/executeStep'
import { runBetweenPages } from '../support/guardPages'
import type { OpCase } from '../support/opCase'

const folder = mkdtempSync(join(tmpdir(), 'convlane-tiles-'))
afterAll(() => {
  if (process.platform !== 'win32') rmSync(folder, { recursive: true, force: true }) // Windows removes no library that is loaded
})

/** A second instance of the addon in this process, with tiles of so many rows. */
function withRows(rows: string): Binding {
  const copy = join(folder, `${rows}.node`)
  copyFileSync(binary, copy)
  const before = process.env.CONVLANE_TILE_ROWS
  process.env.CONVLANE_TILE_ROWS = rows
  try {
    return createRequire(copy)(copy) as Binding
  } finally {
    if (before === undefined) delete process.env.CONVLANE_TILE_ROWS
    else process.env.CONVLANE_TILE_ROWS = before
  }
}

const LARGEST = Number(process.env.CONVLANE_LARGEST_CASE ?? Number.POSITIVE_INFINITY)
const elements = ({ shapes }: OpCase) => Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)
const product = /^(conv|dense|matmul)/
const own = binding.kernelInfo()

if (binding.isa() === 'avx512') {
  const short = withRows('4')
  const tall = withRows('6')

  test('are 4 or 6 in the widest tiles of AVX-512, as CONVLANE_TILE_ROWS says or the processor has them faster', () => {
    const rows = ({ rows }: KernelInfo) => rows[4]
    expect([rows(short.kernelInfo()), rows(tall.kernelInfo())]).toEqual([4, 6])
    expect([4, 6]).toContain(rows(own))
    for (const other of ['5', 'tall']) expect(() => withRows(other)).toThrow(`CONVLANE_TILE_ROWS must be 4 or 6, got "${other}"`)
  })

  const other = own.rows[4] === 4 ? tall : short
  const cases = new Map([own, other.kernelInfo()].flatMap(allCases).map((c) => [`${c.op} ${c.name}`, c]))
  for (const c of cases.values()) {
    if (!product.test(c.op) || elements(c) > LARGEST) continue
    test(`change no bit: ${c.op} ${c.name}`, () => {
      const tensors = tensorsOf(c, false)
      for (const algorithm of algorithmsOf(c)) {
        const results = runNative(binding, c, tensors, algorithm)
        for (const place of ['beginning', 'end'] as const)
          checkBits(c, algorithm, 'in tiles of other rows', results, runBetweenPages(other, c, tensors, algorithm, place))
      }
    })
  }
} else {
  test('are what they are: CONVLANE_TILE_ROWS is of AVX-512', () => {
    expect(withRows('4').kernelInfo()).toEqual(own)
    expect(withRows('6').kernelInfo()).toEqual(own)
  })
}
