import { ConvlaneError } from '../errors'
import { contentOf } from '../io/files'
import { type Batches, batched, type Sample } from './batched'
import { type CsvOptions, type CsvRow, checkCsvOptions, csvOptionNames, csvRows } from './csvRows'
import { type Dataset, dataset } from './dataset'

/** Options of {@link streamCsv}. */
export interface CsvStreamOptions extends CsvOptions {
  /** Rows in a batch. Default 32. */
  readonly batchSize?: number
  /** Rows among which the next one is drawn at random; as many lie in memory. Default 0: as they stand. */
  readonly shuffle?: number
  /** Of that order, which is another in each epoch. Default 0. */
  readonly seed?: number
}

/**
 * Reads a CSV file of numbers and a class, or target values, in each row: RFC 4180 with any line ends and any delimiter, UTF-8, read piece by piece. A class column of whole
 * numbers has class numbers, another one names.
 * @param source a path, or the file's content
 * @returns x `[N, columns]` or of the shape that is given, float32 or bytes; y `[N]`, or `[N, targets]`
 * @throws FILE_ERROR; INVALID_FILE for rows of other lengths, cells that are no numbers, columns that are not there, naming row and column; INVALID_SHAPE; INVALID_LABEL;
 *   INVALID_ARGUMENT; ABORTED
 */
export async function readCsv(source: string | Uint8Array, options: CsvOptions): Promise<Dataset> {
  checkCsvOptions(options, 'readCsv', csvOptionNames)
  const { content, name } = await opened(source, 'readCsv')
  const xs: (Float32Array | Uint8Array)[] = []
  const ys: Float32Array[] = []
  const classes: string[] = []
  const rows: number[] = []
  for await (const { row, x, y } of csvRows(content, options, name)) {
    xs.push(x)
    rows.push(row)
    if (typeof y === 'string') classes.push(y)
    else ys.push(y)
  }
  if (xs.length === 0) throw new ConvlaneError('INVALID_FILE', `${name}: holds no row in which nothing is missing`)
  const { shape = [xs[0]!.length] } = options
  const x = { shape: [xs.length, ...shape], data: joined(xs) }
  if (options.label === undefined) {
    return dataset({ x, y: { shape: [ys.length, ys[0]!.length], data: joined(ys) as Float32Array } })
  }
  const found = options.classNames ?? (classes.every(isClassNumber) ? undefined : [...new Set(classes)].sort((a, b) => (a < b ? -1 : 1)))
  const toNumber = numbering(found, name)
  const y = { shape: [classes.length] as const, data: Int32Array.from(classes, (text, at) => toNumber(text, rows[at]!)) }
  return dataset({ x, y, ...(found && { classNames: found }) })
}

/**
 * A CSV file as batches for `fit` and `evaluate` that are read while the network learns, from its beginning in each epoch: {@link readCsv} for more than fits into memory.
 * Names of classes must be given, since not all are seen at first.
 * @param source a path, or the file's content
 * @throws INVALID_ARGUMENT; while it is read, what {@link readCsv} throws
 */
export function streamCsv(source: string | Uint8Array, options: CsvStreamOptions): Batches {
  checkCsvOptions(options, 'streamCsv', [...csvOptionNames, 'batchSize', 'shuffle', 'seed'])
  const { classNames, shape, batchSize, shuffle, seed } = options
  const opening = opened(source, 'streamCsv')
  opening.catch(() => {})
  const samples = async function* (): AsyncGenerator<Sample, void> {
    const { content, name } = await opening
    const toNumber = numbering(classNames, name)
    for await (const { row, x, y } of csvRows(content, options, name)) {
      yield { x: shape ? { shape, data: x } : x, y: typeof y === 'string' ? toNumber(y, row) : y }
    }
  }
  return batched(samples, {
    ...(batchSize !== undefined && { batchSize }),
    ...(shuffle !== undefined && { shuffle }),
    ...(seed !== undefined && { seed }),
    ...(classNames && { classNames }),
  })
}

/** A path stays one, to be read piece by piece; bytes are copied. */
async function opened(source: string | Uint8Array, label: string): Promise<{ content: string | Uint8Array; name: string }> {
  const { bytes, name } = await contentOf(source, label, async () => new Uint8Array(0))
  return { content: typeof source === 'string' ? source : bytes, name }
}

const isClassNumber = (text: string): boolean => /^\d{1,9}$/.test(text)

/** What a cell means as a class. `classNames` absent: class numbers. */
function numbering(classNames: readonly string[] | undefined, name: string): (text: string, row: CsvRow['row']) => number {
  const numbers = classNames && new Map(classNames.map((className, number) => [className, number]))
  return (text, row) => {
    const number = numbers ? numbers.get(text) : isClassNumber(text) ? Number(text) : undefined
    if (number !== undefined) return number
    const expected = classNames ? `one of ${classNames.slice(0, 20).join(', ')}` : 'a class number: give classNames where they are names'
    throw new ConvlaneError('INVALID_LABEL', `${name}: row ${row}: ${JSON.stringify(text.slice(0, 40))} is not ${expected}`, {
      received: text,
    })
  }
}

function joined(rows: readonly (Float32Array | Uint8Array)[]): Float32Array | Uint8Array {
  const length = rows[0]!.length
  const count = rows.length * length
  try {
    const data = rows[0] instanceof Uint8Array ? new Uint8Array(count) : new Float32Array(count)
    for (const [row, values] of rows.entries()) data.set(values, row * length)
    return data
  } catch (cause) {
    throw new ConvlaneError('OUT_OF_MEMORY', `readCsv: no memory for ${rows.length} rows of ${length}: take streamCsv`, { cause })
  }
}
