import { invalid } from '../check'
import type { Normalize, Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { aborted } from '../io/files'
import type { Architecture, End } from '../model/architecture'
import type { Model } from '../model/model'
import { checkArray, type Labels, type Tensor } from '../tensor'
import { isStream } from '../train/batches'
import { type Data, perEnd, type XY } from '../train/data'
import { weightsOf } from '../train/weights'
import type { Verdict } from './outcome'

/** Some samples and their targets. */
export interface Piece {
  /** Number of the first one. */
  readonly start: number
  readonly n: number
  /** For each input. */
  readonly x: readonly Samples[]
  /** For each output. */
  readonly y: readonly (Labels | Tensor)[]
  /** Weights in the loss, for each output that has some. */
  readonly w: readonly (Float32Array | undefined)[]
}

/** The rows from `start` to `end` of an array: views. */
function rowsOf<A extends Samples | Labels | Tensor>(array: A, start: number, end: number): A {
  const row = array.data.length / array.shape[0]!
  return { shape: [end - start, ...array.shape.slice(1)], data: array.data.subarray(start * row, end * row) } as unknown as A
}

/** A part of a piece: views. */
export const partOf = ({ start, x, y, w }: Piece, from: number, to: number): Piece => ({
  start: start + from,
  n: to - from,
  x: x.map((one) => rowsOf(one, from, to)),
  y: y.map((one) => rowsOf(one, from, to)),
  w: w.map((one) => one?.subarray(from, to)),
})

/** The ends of a model. */
type Ends = Pick<Architecture, 'inputs' | 'outputs'>

/** Data of a model, so many samples at a time. Throws ABORTED between them. */
export async function* piecesOf(data: Data, size: number, ends: Ends, signal: AbortSignal | undefined): AsyncGenerator<Piece> {
  let before = 0
  for await (const batch of isStream(data) ? data : [data]) {
    const whole = checked(batch, before, ends)
    for (let start = 0; start < whole.n; start += size) {
      if (signal?.aborted) throw aborted(signal)
      yield partOf(whole, start, Math.min(whole.n, start + size))
    }
    before += whole.n
  }
}

function checked(batch: XY, start: number, { inputs, outputs }: Ends): Piece {
  if (typeof batch !== 'object' || batch === null) throw invalid('report', 'data', '{ x, y } or an async iterable of such', batch)
  const what = (name: 'x' | 'y', ends: readonly End[], index: number) => (ends.length > 1 ? `${name} of "${ends[index]!.name}"` : name)
  const x = perEnd(batch.x, inputs, 'report', 'x').map(
    (one, index) => checkArray(one, 'report', what('x', inputs, index), ['Float32Array', 'Uint8Array']) as Samples,
  )
  const kinds = ['Float32Array', 'Int32Array', 'Uint8Array'] as const
  const y = perEnd(batch.y, outputs, 'report', 'y').map(
    (one, index) => checkArray(one, 'report', what('y', outputs, index), [...kinds]) as Labels | Tensor,
  )
  const n = x[0]!.shape[0]!
  const counts = [
    ...x.map(({ shape }, index) => ({ name: what('x', inputs, index), count: shape[0] })),
    ...y.map(({ shape }, index) => ({ name: what('y', outputs, index), count: shape[0] })),
  ]
  const other = counts.find(({ count }) => count !== n)
  if (other) {
    const message = `report: ${counts[0]!.name} has ${n} samples, ${other.name} has ${other.count}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: n, received: other.count })
  }
  const w = weightsOf(batch.sampleWeight, { n, y: [], ends: outputs, label: 'report', classWeight: undefined })
  return { start, n, x, y, w }
}

/** Samples as `predict` must have them so that it sees what `evaluate` sees: bytes that the data scales otherwise than the model become floats here. */
export function asSeen(model: Model<never, unknown>, data: Data): (x: readonly Samples[]) => Samples[] {
  const normalize = isStream(data) ? undefined : (data as XY).normalize
  const { inputs } = model.architecture
  const isOwn = (index: number) => JSON.stringify(normalize) === JSON.stringify(inputs[index]!.normalize)
  return (x) =>
    x.map((one, index) =>
      normalize && one.data instanceof Uint8Array && !isOwn(index) ? { shape: one.shape, data: scaled(one, normalize) } : one,
    )
}

function scaled({ shape, data }: Samples, { scale, offset }: Normalize): Float32Array {
  const channels = shape.at(-1)!
  const of = (value: number | readonly number[], index: number) => (typeof value === 'number' ? value : value[index % channels]!)
  return Float32Array.from(data, (value, index) => value * of(scale, index) + of(offset, index))
}

/** One sample that is shown. */
export interface Example {
  /** Its number in the data. */
  readonly index: number
  /** For each input, without the axis that counts samples. */
  readonly x: readonly Samples[]
  /** For each output. */
  readonly verdicts: readonly Verdict[]
}

export function exampleOf({ x, start }: Piece, row: number, verdicts: readonly Verdict[]): Example {
  const own = ({ shape, data }: Samples): Samples => {
    const length = data.length / shape[0]!
    return { shape: shape.slice(1), data: data.slice(row * length, (row + 1) * length) }
  }
  return { index: start + row, x: x.map(own), verdicts }
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
