/** One result. The first eleven fields are the form of the suite, so that rows of other libraries can stand beside these. */
export interface Row {
  readonly kind: 'conv' | 'pool' | 'memory' | 'gemm' | 'train'
  /** `convlane`, or another library. */
  readonly peer: string
  readonly threads: number
  readonly item: string
  readonly fmt: string
  /** `fwd`, `bwd_d` (gradient of the input), `bwd_w` (of filters and bias), `step` (a whole training step). */
  readonly pass: string
  readonly algo: string
  readonly min_ms: number
  readonly median_ms: number
  readonly reps: number
  /** Of the least times of the rounds the median. */
  readonly round_ms: number
  /** Whether this is the algorithm that convlane takes by itself. */
  readonly chosen: boolean
  /** Convlane's kernels, or a peer's version. */
  readonly isa?: string
  readonly version?: string
  readonly gflops?: number
  /** Rate of register-only multiply-adds on the same threads, the best of the probes between the repetitions. */
  readonly fma_peak_gflops?: number
  readonly gbytes_per_s?: number
  /** Rate of the triad on the same threads and a working set of the same size, the best of the probes; with stores past the caches. */
  readonly triad_gbytes_per_s?: number
  readonly triad_past_caches_gbytes_per_s?: number
  /** The time that the limit leaves by the time taken: arithmetic at its peak or bytes at the faster triad, whichever takes longer. */
  readonly of_limit?: number
  readonly batch?: number
  readonly images_per_s?: number
  readonly peak_rss_mb?: number
  /** From the import of the library to the end of the first training step. */
  readonly startup_ms?: number
}

const round = (value: number, digits: number) => Number(value.toPrecision(digits))

/** One line of JSON; numbers to five digits. */
export function toJson(row: Row): string {
  return JSON.stringify(row, (_key, value) => (typeof value === 'number' ? round(value, 5) : value))
}

const COLUMNS = [
  'item',
  'pass',
  'algo',
  'threads',
  'min ms',
  'median ms',
  'reps',
  'GFLOP/s',
  'of peak',
  'GB/s',
  'of triad',
  'notes',
] as const

function cells(row: Row): string[] {
  const share = row.gflops && row.fma_peak_gflops ? `${((100 * row.gflops) / row.fma_peak_gflops).toFixed(1)} %` : ''
  const triad = row.gbytes_per_s && row.triad_gbytes_per_s ? `${((100 * row.gbytes_per_s) / row.triad_gbytes_per_s).toFixed(1)} %` : ''
  const notes = [
    row.kind !== 'train' && row.chosen ? 'chosen' : '',
    row.images_per_s ? `${row.images_per_s.toFixed(0)} images/s` : '',
    row.peak_rss_mb ? `${row.peak_rss_mb.toFixed(0)} MB` : '',
    row.startup_ms ? `first step after ${row.startup_ms.toFixed(0)} ms` : '',
  ]
  return [
    row.item,
    row.pass,
    row.algo,
    String(row.threads),
    row.min_ms.toFixed(3),
    row.median_ms.toFixed(3),
    String(row.reps),
    row.gflops?.toFixed(1) ?? '',
    share,
    row.gbytes_per_s?.toFixed(1) ?? '',
    triad,
    notes.filter(Boolean).join(', '),
  ]
}

const WIDTHS = [22, 6, 9, 7, 10, 10, 5, 8, 8, 7, 8, 0]
const line = (values: readonly string[]) =>
  values
    .map((value, i) => (i < 3 || i === values.length - 1 ? value.padEnd(WIDTHS[i]!) : value.padStart(WIDTHS[i]!)))
    .join('  ')
    .trimEnd()

export const tableHeader = (): string => line(COLUMNS)
export const tableLine = (row: Row): string => line(cells(row))
