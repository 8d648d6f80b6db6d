import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { checkBoolean, checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { aborted, fileError, nextTurn } from '../io/files'
import { checkChoice, elementCount } from '../shape'
import { checkSignal } from '../train/options'

/** A column: its name in the first row, or its number from 0. */
export type CsvColumn = string | number

/** Options of {@link readCsv}, and of all that reads CSV. One of `label` and `targets` is needed. */
export interface CsvOptions {
  /** The column that holds each sample's class: whole numbers from 0, or names. */
  readonly label?: CsvColumn
  /** The columns that hold target values. */
  readonly targets?: CsvColumn | readonly CsvColumn[]
  /** Columns that samples are made of, in this order. Default: all others, as they stand. */
  readonly columns?: readonly CsvColumn[]
  /** Sizes of a sample, as `[28, 28, 1]`. Default: one axis, of the columns. */
  readonly shape?: readonly number[]
  /** Whether samples are bytes, 0 to 255, rather than float32. Default false. */
  readonly bytes?: boolean
  /** Whether the first row has the columns' names. Default true. */
  readonly header?: boolean
  /** What stands between cells. Default `','`. */
  readonly delimiter?: string
  /** What to do with a row that lacks a number (empty, `NA`, `N/A`, `NaN`, `null`, `?`): `'throw'`; `'skip'` the row; or what a sample has in its place. Default `'throw'`. */
  readonly missing?: 'throw' | 'skip' | number
  /** Names of the classes by number, where `label` holds names. Default of {@link readCsv}: those that are there, in the order of their code units. */
  readonly classNames?: readonly string[]
  /** Ends it with ABORTED. Default: nothing does. */
  readonly signal?: AbortSignal
}

export const csvOptionNames = ['label', 'targets', 'columns', 'shape', 'bytes', 'header', 'delimiter', 'missing', 'classNames', 'signal']

/** A row as numbers. */
export interface CsvRow {
  /** From 1, the header not counted. */
  readonly row: number
  readonly x: Float32Array | Uint8Array
  /** The class as it stands there, or target values. */
  readonly y: string | Float32Array
}

/** Checks options. Throws INVALID_ARGUMENT. */
export function checkCsvOptions(options: CsvOptions, label: string, known: readonly string[]): void {
  checkOptions(label, options, known)
  const isColumn = (value: unknown) => (typeof value === 'string' && value !== '') || (Number.isInteger(value) && (value as number) >= 0)
  const areColumns = (value: unknown) =>
    Array.isArray(value) && value.length > 0 && value.every(isColumn) && new Set(value).size === value.length
  const { targets, columns, delimiter = ',', missing = 'throw', classNames } = options
  if ((options.label === undefined) === (targets === undefined))
    throw invalid(label, 'options', 'an object with either label or targets', options)
  if (options.label !== undefined && !isColumn(options.label)) throw invalid(label, 'label', "a column's name or number", options.label)
  if (targets !== undefined && !isColumn(targets) && !areColumns(targets))
    throw invalid(label, 'targets', 'one column or different ones', targets)
  if (columns !== undefined && !areColumns(columns)) throw invalid(label, 'columns', 'different names or numbers of columns', columns)
  if (options.shape !== undefined) {
    if (!Array.isArray(options.shape)) throw invalid(label, 'shape', 'an array of sizes', options.shape)
    elementCount(options.shape, `${label}: shape`)
  }
  checkBoolean(options.bytes ?? false, label, 'bytes')
  checkBoolean(options.header ?? true, label, 'header')
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw invalid(label, 'delimiter', 'one character that is no quote and ends no line', delimiter)
  }
  if (typeof missing === 'number') {
    if (!Number.isFinite(Math.fround(missing))) throw invalid(label, 'missing', "'throw', 'skip' or a finite number", missing)
  } else checkChoice(missing, ['throw', 'skip'], label, 'missing')
  const areNames = Array.isArray(classNames) && classNames.length > 0 && classNames.every((name) => typeof name === 'string' && name !== '')
  if (classNames !== undefined && (!areNames || new Set(classNames).size < classNames.length || options.label === undefined)) {
    throw invalid(label, 'classNames', 'different names, for a label', classNames)
  }
  checkSignal(options.signal, label)
}

/** Rows of a file, or of its content, read no further than they are asked for. Throws FILE_ERROR, INVALID_FILE, INVALID_SHAPE, ABORTED. */
export async function* csvRows(source: string | Uint8Array, options: CsvOptions, name: string): AsyncGenerator<CsvRow, void> {
  const { header = true } = options
  let layout: Layout | undefined
  let row = 0
  for await (const cells of records(source, options, name)) {
    if (!layout) {
      layout = new Layout(cells, options, name)
      if (header) continue
    }
    const read = layout.read(cells, ++row)
    if (read) yield read
  }
  if (row === 0) throw new ConvlaneError('INVALID_FILE', `${name}: holds no rows${layout ? ' but the one of names' : ''}`)
}

/** Bytes that are parsed before the event loop turns, a few milliseconds, and most characters of a row. */
const [AT_ONCE, LONGEST_ROW] = [2 ** 14, 2 ** 24]

/** The longest first; in one file there may be several. */
const lineEnds = ['\r\n', '\n', '\r']

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += AT_ONCE) {
    yield bytes.subarray(at, at + AT_ONCE)
    await nextTurn()
  }
}

async function* records(
  source: string | Uint8Array,
  { delimiter = ',', signal }: CsvOptions,
  name: string,
): AsyncGenerator<string[], void> {
  const input =
    typeof source === 'string' ? createReadStream(source, { highWaterMark: AT_ONCE }) : Readable.from(slices(source), { objectMode: false })
  const parser = parse({ bom: true, delimiter, record_delimiter: lineEnds, skip_empty_lines: true, max_record_size: LONGEST_ROW })
  let failure: Error | null | undefined
  const stop = () => void parser.destroy(signal!.reason instanceof Error ? signal!.reason : new Error('aborted'))
  try {
    if (signal?.aborted) throw aborted(signal)
    signal?.addEventListener('abort', stop)
    pipeline(input, parser, (error) => {
      failure = error
    })
    yield* parser as AsyncIterable<string[]>
  } catch (error) {
    if (signal?.aborted) throw aborted(signal)
    // Where the file fails, the parser only hears that it has ended.
    const cause = (failure ?? error) as NodeJS.ErrnoException
    if (cause instanceof ConvlaneError) throw cause
    if (cause instanceof CsvError) throw new ConvlaneError('INVALID_FILE', `${name}: ${cause.message}`, { cause })
    throw cause.code ? fileError('read', name, cause) : cause
  } finally {
    signal?.removeEventListener('abort', stop)
    input.destroy()
    parser.destroy()
  }
}

const missingTexts = new Set(['', 'na', 'n/a', 'nan', 'null', '?'])
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Which cell of a row becomes what. */
class Layout {
  readonly #names: readonly string[] | undefined
  readonly #name: string
  readonly #x: readonly number[]
  readonly #label: number | undefined
  readonly #targets: readonly number[]
  readonly #isBytes: boolean
  readonly #missing: 'throw' | 'skip' | number
  readonly #classNames: ReadonlySet<string>

  constructor(first: readonly string[], options: CsvOptions, name: string) {
    const { label, targets = [], columns, header = true, bytes = false, missing = 'throw', shape } = options
    this.#name = name
    this.#names = header ? first.map((text) => text.trim()) : undefined
    this.#label = label === undefined ? undefined : this.#find(label, first.length)
    this.#targets = [targets].flat().map((column) => this.#find(column, first.length))
    const taken = [...this.#targets, this.#label]
    this.#x = columns?.map((column) => this.#find(column, first.length)) ?? [...first.keys()].filter((at) => !taken.includes(at))
    this.#isBytes = bytes
    this.#missing = missing
    this.#classNames = new Set(options.classNames)
    if (this.#x.length === 0) throw new ConvlaneError('INVALID_FILE', `${name}: has no columns for samples`)
    const count = shape ? shape.reduce((product, size) => product * size, 1) : this.#x.length
    if (count === this.#x.length) return
    const message = `${name}: samples have ${this.#x.length} columns, shape [${shape!.join(', ')}] has ${count} elements`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: count, received: this.#x.length })
  }

  /** Nothing where the row is left out. */
  read(cells: readonly string[], row: number): CsvRow | undefined {
    const x = this.#isBytes ? new Uint8Array(this.#x.length) : new Float32Array(this.#x.length)
    for (const [at, column] of this.#x.entries()) {
      const value = this.#number(cells, column, row, true)
      if (value === undefined) return undefined
      if (this.#isBytes && !(Number.isInteger(value) && value >= 0 && value <= 255))
        throw this.#refuse(cells, column, row, 'a byte, 0 to 255')
      x[at] = value
    }
    if (this.#label !== undefined) {
      const y = cells[this.#label]!.trim()
      if (this.#classNames.has(y) || !missingTexts.has(y.toLowerCase())) return { row, x, y }
      if (this.#missing === 'skip') return undefined
      throw this.#refuse(cells, this.#label, row, 'a class')
    }
    const y = new Float32Array(this.#targets.length)
    for (const [at, column] of this.#targets.entries()) {
      const value = this.#number(cells, column, row, false)
      if (value === undefined) return undefined
      y[at] = value
    }
    return { row, x, y }
  }

  /** @param filled whether there may be a number for what is missing */
  #number(cells: readonly string[], column: number, row: number, filled: boolean): number | undefined {
    const text = cells[column]!.trim()
    const value = decimal.test(text) ? Number(text) : Number.NaN
    if (Number.isFinite(Math.fround(value))) return value
    if (missingTexts.has(text.toLowerCase())) {
      if (this.#missing === 'skip') return undefined
      if (filled && typeof this.#missing === 'number') return this.#missing
    }
    throw this.#refuse(cells, column, row, 'a number that float32 can hold')
  }

  #refuse(cells: readonly string[], column: number, row: number, expected: string): ConvlaneError {
    const where = this.#names ? `"${this.#names[column]}"` : column
    const received = JSON.stringify(cells[column]!.slice(0, 40))
    const message = `${this.#name}: row ${row}, column ${where}: ${received} is not ${expected}`
    return new ConvlaneError('INVALID_FILE', message, { expected, received: cells[column] })
  }

  #find(column: CsvColumn, count: number): number {
    const there = this.#names && count <= 20 ? `, the columns are ${this.#names.join(', ')}` : `, it has ${count}`
    const at = typeof column === 'number' ? column : (this.#names?.indexOf(column) ?? -1)
    if (at < 0 || at >= count)
      throw new ConvlaneError('INVALID_FILE', `${this.#name}: has no column ${JSON.stringify(column)}${there}`, { expected: column })
    if (typeof column === 'string' && this.#names!.indexOf(column, at + 1) >= 0) {
      throw new ConvlaneError('INVALID_FILE', `${this.#name}: has the column "${column}" twice: name it by its number`)
    }
    return at
  }
}
