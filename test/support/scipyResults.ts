import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SignalMode } from '../../lib/ops'

/** An array: its sizes and its values, row-major. */
export type ArrayOf = readonly [shape: number[], values: number[]]

/** A call of scipy 1.17.1 and its result. `correlateNd` and `convolveNd` are its `correlate` and `convolve`. */
export type ScipyResult = readonly [
  name: 'correlate1d' | 'correlate2d' | 'correlateNd' | 'convolve1d' | 'convolve2d' | 'convolveNd',
  mode: SignalMode,
  a: ArrayOf,
  b: ArrayOf,
  y: ArrayOf,
]

/** All of them, from scipyResults.json, a call in each line. */
export const scipyResults: readonly ScipyResult[] = JSON.parse(readFileSync(join(__dirname, 'scipyResults.json'), 'utf8'))
