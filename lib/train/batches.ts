import type { RunInput } from '../../binding'
import { ConvlaneError } from '../errors'
import { Permutation, permutation, RandomStream } from '../random'
import { copyOf } from '../tensor'
import type { Data, EpochData, Form, Table, XY } from './data'
import { untilAborted } from './untilAborted'

/** Samples that one run takes: rows of whole arrays, gathered natively. */
export interface Batch {
  readonly n: number
  /** Inputs' forms, then targets'. */
  readonly x: readonly Form[]
  readonly y: readonly Form[]
  /** Whether samples have weights, for each output. */
  readonly w: readonly boolean[]
  /** Of x and y, then the weights that there are. */
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

const formsOf = ({ x, y, w }: Table) => ({
  x: x.map(({ form }) => form),
  y: y.map(({ form }) => form),
  w: w.map((weights) => weights !== undefined),
})

/** All arrays that a run takes rows of, in the order of its inputs. */
const arraysOf = ({ x, y, w }: Table) => [...[...x, ...y].map(({ data }) => data), ...w.flatMap((weights) => weights ?? [])]

/** All samples as one batch, copied: arrays of a moment may be filled anew for the next batch before this one has run. */
export function copiedBatch(table: Table): Batch {
  return { n: table.n, ...formsOf(table), inputs: arraysOf(table).map((data) => ({ data: copyOf(data) })) }
}

/** Batches of arrays, the last one smaller where it does not come out even; in random order, another in each epoch, where a seed says so. `part`: the rows that are taken. */
export function tableSource(table: Table, size: number, seed?: number, part?: Int32Array): Source {
  const length = part?.length ?? table.n
  const batchSize = Math.min(size, length)
  const forms = formsOf(table)
  const columns = arraysOf(table).map((data) => ({ data, row: data.length / table.n }))
  return {
    length,
    batchSize,
    *batches(epoch, _signal, skip = 0) {
      const order = seed === undefined ? undefined : new Permutation(length, new RandomStream(seed, 'shuffle', epoch))
      for (let start = 0; start < length; start += batchSize) {
        const n = Math.min(batchSize, length - start)
        const drawn = order?.take(n) ?? part?.subarray(start, start + n)
        const rows = order && part && drawn ? drawn.map((index) => part[index]!) : drawn
        if (start < skip * batchSize) continue
        const inputs = columns.map(({ data, row }) => {
          if (rows) return { data, rows }
          // What has been detached since it was checked has no parts; the run says so.
          return { data: data.length > 0 ? data.subarray(start * row, (start + n) * row) : data }
        })
        yield { n, ...forms, inputs }
      }
    },
  }
}

/** Rows for training and, a share of them, for validation: drawn by the seed, each part in the order of the data. Throws INVALID_ARGUMENT where one is empty. */
export function splitRows(n: number, share: number, seed: number): { readonly training: Int32Array; readonly validation: Int32Array } {
  const order = permutation(n, new RandomStream(seed, 'split'))
  const count = Math.round(n * share)
  if (count < 1 || count >= n) {
    const message = `fit: validationSplit ${share} leaves ${count} of ${n} samples for validation, expected 1 to ${n - 1}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: share })
  }
  return { training: order.slice(count).sort(), validation: order.slice(0, count).sort() }
}

const isByEpoch = (data: AsyncIterable<XY>): data is EpochData => typeof (data as Partial<EpochData>).epoch === 'function'

/** Batches of an iterable, read anew in each epoch. `check` checks each before it is used. */
export function streamSource(data: AsyncIterable<XY>, check: (batch: XY) => Table, label: string): Source {
  return {
    length: undefined,
    batchSize: 1,
    async *batches(epoch, signal, skip = 0) {
      let some = false
      let left = skip
      for await (const batch of untilAborted(isByEpoch(data) ? data.epoch(epoch) : data, signal)) {
        some = true
        if (left-- > 0) continue
        yield copiedBatch(check(batch))
      }
      if (some || signal?.aborted) return
      const hint = epoch > 0 ? ': a generator runs once, give an object whose [Symbol.asyncIterator]() starts anew' : ''
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: the data gave no batch${hint}`)
    },
  }
}
