import type { RunInput } from '../../binding'
import { ConvlaneError } from '../errors'
import { Permutation, RandomStream } from '../random'
import type { Data, Form, Table, XY } from './data'
import { untilAborted } from './untilAborted'

/** Samples that one run takes: rows of whole arrays, gathered natively. */
export interface Batch {
  readonly n: number
  /** Inputs' forms, then targets'. */
  readonly x: readonly Form[]
  readonly y: readonly Form[]
  readonly inputs: readonly RunInput[]
}

/** Where batches come from, epoch after epoch. */
export interface Source {
  /** Samples in an epoch; unknown for an iterable. */
  readonly length: number | undefined
  /** Largest batch size, as far as it is known beforehand. */
  readonly batchSize: number
  /** `skip`: how many batches are left out at the beginning, as if they had been taken. */
  batches(epoch: number, signal: AbortSignal | undefined, skip?: number): AsyncIterable<Batch> | Iterable<Batch>
}

/** Whether data comes as batches of an async iterable. */
export function isStream(data: Data): data is AsyncIterable<XY> {
  return typeof data === 'object' && data !== null && Symbol.asyncIterator in data
}

const formsOf = ({ x, y }: Table) => ({ x: x.map(({ form }) => form), y: y.map(({ form }) => form) })

/** All samples as one batch. */
export function wholeBatch(table: Table): Batch {
  return { n: table.n, ...formsOf(table), inputs: [...table.x, ...table.y].map(({ data }) => ({ data })) }
}

/** Batches of arrays, the last one smaller where it does not come out even; in random order, another in each epoch, where a seed says so. */
export function tableSource(table: Table, size: number, seed?: number): Source {
  const batchSize = Math.min(size, table.n)
  const forms = formsOf(table)
  const columns = [...table.x, ...table.y].map(({ data }) => ({ data, row: data.length / table.n }))
  return {
    length: table.n,
    batchSize,
    *batches(epoch, _signal, skip = 0) {
      const order = seed === undefined ? undefined : new Permutation(table.n, new RandomStream(seed, 'shuffle', epoch))
      for (let start = 0; start < table.n; start += batchSize) {
        const n = Math.min(batchSize, table.n - start)
        const rows = order?.take(n)
        if (start < skip * batchSize) continue
        const inputs = columns.map(({ data, row }) => (rows ? { data, rows } : { data: data.subarray(start * row, (start + n) * row) }))
        yield { n, ...forms, inputs }
      }
    },
  }
}

/** Batches of an iterable, read anew in each epoch. `check` checks each before it is used. */
export function streamSource(data: AsyncIterable<XY>, check: (batch: XY) => Table, label: string): Source {
  return {
    length: undefined,
    batchSize: 1,
    async *batches(epoch, signal, skip = 0) {
      let some = false
      let left = skip
      for await (const batch of untilAborted(data, signal)) {
        some = true
        if (left-- > 0) continue
        yield wholeBatch(check(batch))
      }
      if (some || signal?.aborted) return
      const hint = epoch > 0 ? ': a generator runs once, give an object whose [Symbol.asyncIterator]() starts anew' : ''
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: the data gave no batch${hint}`)
    },
  }
}
