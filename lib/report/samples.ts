import { invalid } from '../check'
import type { Normalize, Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { aborted } from '../io/files'
import type { Model } from '../model/model'
import { checkArray, type Labels, type Tensor } from '../tensor'
import { isStream } from '../train/batches'
import type { Data, PerEnd, XY } from '../train/data'
import type { Verdict } from './outcome'

/** Some samples and their targets. */
export interface Piece {
  /** Number of the first one. */
  readonly start: number
  readonly n: number
  readonly x: Samples
  readonly y: Labels | Tensor
}

/** Of several ends the first one. */
const onlyOne = <T extends object>(value: PerEnd<T>): T =>
  (typeof value !== 'object' || value === null || 'shape' in value ? value : Object.values(value)[0]) as T

/** The rows from `start` to `end` of an array: views. */
export function rowsOf<A extends Samples | Labels | Tensor>(array: A, start: number, end: number): A {
  const row = array.data.length / array.shape[0]!
  return { shape: [end - start, ...array.shape.slice(1)], data: array.data.subarray(start * row, end * row) } as unknown as A
}

/** Data of a model with one input and one output, so many samples at a time. Throws ABORTED between them. */
export async function* piecesOf(data: Data, size: number, signal: AbortSignal | undefined): AsyncGenerator<Piece> {
  let before = 0
  for await (const batch of isStream(data) ? data : [data]) {
    if (typeof batch !== 'object' || batch === null) throw invalid('report', 'data', '{ x, y } or an async iterable of such', batch)
    const x = checkArray(onlyOne(batch.x), 'report', 'x', ['Float32Array', 'Uint8Array']) as Samples
    const y = checkArray(onlyOne<Labels | Tensor>(batch.y), 'report', 'y', ['Float32Array', 'Int32Array', 'Uint8Array']) as Labels | Tensor
    const count = x.shape[0]!
    if (y.shape[0] !== count) {
      const message = `report: x has ${count} samples, y has ${y.shape[0]}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: count, received: y.shape[0] })
    }
    for (let start = 0; start < count; start += size) {
      if (signal?.aborted) throw aborted(signal)
      const end = Math.min(count, start + size)
      yield { start: before + start, n: end - start, x: rowsOf(x, start, end), y: rowsOf(y, start, end) }
    }
    before += count
  }
}

/** Samples as `predict` must have them so that it sees what `evaluate` sees: bytes that the data scales otherwise than the model become floats here. */
export function asSeen(model: Model<never, unknown>, data: Data): (x: Samples) => Samples {
  const normalize = isStream(data) ? undefined : (data as XY).normalize
  const own = model.architecture.inputs[0]!.normalize
  if (!normalize || JSON.stringify(normalize) === JSON.stringify(own)) return (x) => x
  return (x) => (x.data instanceof Uint8Array ? { shape: x.shape, data: scaled(x, normalize) } : x)
}

function scaled({ shape, data }: Samples, { scale, offset }: Normalize): Float32Array {
  const channels = shape.at(-1)!
  const of = (value: number | readonly number[], index: number) => (typeof value === 'number' ? value : value[index % channels]!)
  return Float32Array.from(data, (value, index) => value * of(scale, index) + of(offset, index))
}

/** One sample that is shown, without the axis that counts samples. */
export interface Example extends Verdict {
  /** Its number in the data. */
  readonly index: number
  readonly x: Samples
}

export function exampleOf({ x, start }: Piece, row: number, verdict: Verdict): Example {
  const length = x.data.length / x.shape[0]!
  return { ...verdict, index: start + row, x: { shape: x.shape.slice(1), data: x.data.slice(row * length, (row + 1) * length) } }
}

/** A list of the examples that are furthest from right, no longer than it may be; of equals the first ones. */
export class Worst {
  readonly #size: number
  readonly #kept: { readonly rank: number; readonly example: Example }[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** `make` is called only for what is kept. NaN is furthest. */
  offer(distance: number, make: () => Example): void {
    const rank = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance
    if (this.#size === 0 || (this.#kept.length === this.#size && rank <= this.#kept.at(-1)!.rank)) return
    const at = this.#kept.findIndex((other) => other.rank < rank)
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, { rank, example: make() })
    if (this.#kept.length > this.#size) this.#kept.pop()
  }

  get examples(): Example[] {
    return this.#kept.map(({ example }) => example)
  }
}
