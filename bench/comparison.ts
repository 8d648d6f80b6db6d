import type { Row } from './row'

/** Columns of each kind: a peer, or one of several ways of it. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  conv: ['onednn nhwc', 'onednn other', 'onednn winograd', 'onnxruntime'],
  gemm: ['onednn', 'openblas', 'blis'],
  train: ['pytorch nchw', 'pytorch nhwc'],
}

function columnOf({ kind, peer, fmt, algo }: Row): string {
  if (kind === 'train') return `${peer} ${fmt}`
  if (kind === 'conv' && peer === 'onednn') return `onednn ${algo.includes('wino') ? 'winograd' : fmt === 'nhwc' ? 'nhwc' : 'other'}`
  return peer
}

/** How many times as long as convlane's algorithm a peer takes, by column: the best of the ways that belong to it. */
export function ratios(rows: readonly Row[]): Record<string, number> {
  const own = rows.find(({ chosen }) => chosen)!
  const result: Record<string, number> = {}
  for (const row of rows.filter(({ peer }) => peer !== 'convlane')) {
    const column = columnOf(row)
    result[column] = Math.min(result[column] ?? Number.POSITIVE_INFINITY, row.round_ms / own.round_ms)
  }
  return result
}

const cell = (text: string) => text.padStart(16)
const head = (item: string, pass: string, algo: string) => `${item.padEnd(18)}${pass.padEnd(7)}${algo.padEnd(11)}`
const line = (start: string, cells: readonly string[]) => `${start}${cells.map(cell).join('')}`.trimEnd()

/** A table with a line for each item and pass, and what it comes to: means and least ratios of each column. */
export class Comparison {
  private readonly seen: Record<string, number[]> = {}
  private readonly columns: readonly string[]

  constructor(private readonly kind: string) {
    this.columns = COLUMNS[kind] ?? []
  }

  header(): string {
    return line(head('item', 'pass', 'algo'), ['ms', this.kind === 'train' ? '' : 'of the limit', ...this.columns])
  }

  add(rows: readonly Row[]): string {
    const own = rows.find(({ chosen }) => chosen)!
    const found = ratios(rows)
    for (const [column, ratio] of Object.entries(found)) {
      this.seen[column] ??= []
      this.seen[column].push(ratio)
    }
    const share = own.of_limit === undefined ? '' : `${(100 * own.of_limit).toFixed(0)} %`
    const note = own.images_per_s ? `${own.images_per_s.toFixed(0)} images/s` : share
    const cells = this.columns.map((column) => found[column]?.toFixed(2) ?? '')
    return line(head(own.item, own.pass, own.algo), [own.round_ms.toFixed(3), note, ...cells])
  }

  summary(): string {
    const each = (of: (values: readonly number[]) => number) =>
      this.columns.map((column) => (this.seen[column] ? of(this.seen[column]).toFixed(2) : ''))
    const mean = (values: readonly number[]) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
    return [
      line(head('geometric mean', '', ''), ['', '', ...each(mean)]),
      line(head('least', '', ''), ['', '', ...each((values) => Math.min(...values))]),
    ].join('\n')
  }
}
