import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { checkSeed, RandomStream } from '../random'
import { checkInteger, elementCount, sameShape, shapeText, valueText } from '../shape'
import type { EpochData, XY } from '../train/data'
import type { Normalize } from './dataset'

/** One sample: what {@link batched} makes batches of. */
export interface Sample {
  /** Numbers in an array have its length as their only size. Bytes stay bytes, numbers become float32. */
  readonly x: SampleArray | Float32Array | Uint8Array | readonly number[]
  /** A class number; or target values, in an array even where it is one. */
  readonly y: number | SampleArray | Float32Array | readonly number[]
}

/** An array of any sizes: an image is `[H, W, C]`. */
export interface SampleArray {
  /** Sizes, outermost first. */
  readonly shape: readonly number[]
  /** As many elements as the product of the sizes. */
  readonly data: Float32Array | Uint8Array
}

/** Where {@link batched} takes samples from: something that can be iterated over again and again, or a function that starts an epoch, counted from 0. */
export type SampleSource = AsyncIterable<Sample> | Iterable<Sample> | ((epoch: number) => AsyncIterable<Sample> | Iterable<Sample>)

/** Options of {@link batched}. */
export interface BatchedOptions {
  /** Samples in a batch, the last one smaller where it does not come out even. Default 32. */
  readonly batchSize?: number
  /**
   * Samples among which the next one is drawn at random, by seed and epoch: as many lie in memory. Default 0: in the order in which they come.
   */
  readonly shuffle?: number
  /** Of the order. Default 0. */
  readonly seed?: number
  /** Names of the classes, by class number. Default: none. */
  readonly classNames?: readonly string[]
  /** How bytes become what the network sees. Default: scale 1/255. */
  readonly normalize?: Normalize
}

/** Data for `fit` and `evaluate`, read as it is needed. Iterating over it gives the first epoch. */
export interface Batches extends EpochData {
  /** Names of the classes, by class number. */
  readonly classNames?: readonly string[]
}

/**
 * Makes batches of samples that come one by one: rows of a database, messages, files. Nothing is read before it is needed: `fit` takes one batch beside the step under
 * way, so that a source that is faster than the training waits for it, and memory stays flat. Leaving early closes the source, as `for await` does.
 * @throws INVALID_ARGUMENT; while it is read INVALID_SHAPE, INVALID_DTYPE and INVALID_ARGUMENT for a sample that is unlike the first one, naming its number
 */
export function batched(samples: SampleSource, options: BatchedOptions = {}): Batches {
  checkOptions('batched', options, ['batchSize', 'shuffle', 'seed', 'classNames', 'normalize'])
  const { classNames, normalize } = options
  const batchSize = checkInteger(options.batchSize ?? 32, 'batched', 'batchSize')
  const among = checkInteger(options.shuffle ?? 0, 'batched', 'shuffle', 0)
  const seed = checkSeed(options.seed ?? 0, 'batched')
  const isSource = typeof samples === 'function' || (typeof samples === 'object' && samples !== null && isIterable(samples))
  if (!isSource) throw invalid('batched', 'samples', 'an iterable, or a function that gives one', samples)
  const epoch = async function* (index: number): AsyncGenerator<XY, void> {
    const source = typeof samples === 'function' ? samples(index) : samples
    if (!isIterable(source)) throw invalid('batched', 'samples', 'a function that gives an iterable', source)
    let batch = new Batch(batchSize)
    let read = 0
    for await (const sample of among > 1 ? drawn(source, among, new RandomStream(seed, 'shuffle', index)) : source) {
      batch.add(sample, read++)
      if (!batch.isFull) continue
      yield batch.take(normalize)
      batch = batch.next()
    }
    if (batch.length > 0) yield batch.take(normalize)
  }
  return Object.freeze({ epoch, [Symbol.asyncIterator]: () => epoch(0), ...(classNames && { classNames }) })
}

const isIterable = (value: unknown): value is AsyncIterable<Sample> | Iterable<Sample> =>
  typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)

/** Each next item is drawn among so many; the place that it leaves is filled by the one that comes. */
async function* drawn<T>(items: AsyncIterable<T> | Iterable<T>, among: number, random: RandomStream): AsyncGenerator<T, void> {
  const held: T[] = []
  for await (const item of items) {
    held.push(item)
    if (held.length < among) continue
    yield removed(held, random.below(held.length))
  }
  while (held.length > 0) yield removed(held, random.below(held.length))
}

function removed<T>(held: T[], at: number): T {
  const item = held[at]!
  const last = held.pop()!
  if (at < held.length) held[at] = last
  return item
}

/** What all samples are. */
interface Form {
  readonly xShape: readonly number[]
  readonly isBytes: boolean
  /** Nothing: class numbers. */
  readonly yShape: readonly number[] | undefined
}

/** Samples on their way into arrays. */
class Batch {
  readonly #size: number
  #form: Form | undefined
  #x: Float32Array | Uint8Array = new Uint8Array(0)
  #y: Float32Array | Int32Array = new Int32Array(0)
  length = 0

  constructor(size: number, form?: Form) {
    this.#size = size
    if (form) this.#allocate(form)
  }

  get isFull(): boolean {
    return this.length === this.#size
  }

  /** An empty one for samples of the same form. */
  next(): Batch {
    return new Batch(this.#size, this.#form)
  }

  /** @param number of the sample, for messages */
  add(sample: Sample, number: number): void {
    const label = `batched: sample ${number}`
    if (typeof sample !== 'object' || sample === null) throw invalid(label, 'it', 'an object { x, y }', sample)
    const x = arrayOf(sample.x, label, 'x')
    const y =
      typeof sample.y === 'number' ? checkInteger(sample.y, label, 'y, as a class number,', 0, 2 ** 31 - 1) : arrayOf(sample.y, label, 'y')
    const isBytes = tagOf(x.data) === 'Uint8Array'
    if (!this.#form) this.#allocate({ xShape: [...x.shape], isBytes, yShape: typeof y === 'number' ? undefined : [...y.shape] })
    const form = this.#form!
    checkAlike(x.shape, form.xShape, label, 'x')
    if (isBytes !== form.isBytes) {
      const [received, expected] = isBytes ? ['bytes', 'floats'] : ['floats', 'bytes']
      throw new ConvlaneError('INVALID_DTYPE', `${label}: x has ${received}, those before have ${expected}`, { expected, received })
    }
    this.#x.set(x.data, this.length * x.data.length)
    if (typeof y === 'number') {
      if (form.yShape) throw invalid(label, 'y', `target values ${shapeText(form.yShape)}, as of those before`, y)
      this.#y[this.length] = y
    } else {
      if (!form.yShape) throw invalid(label, 'y', 'a class number, as of those before', y.data)
      checkAlike(y.shape, form.yShape, label, 'y')
      this.#y.set(y.data, this.length * y.data.length)
    }
    this.length++
  }

  /** The batch. It takes no more samples. */
  take(normalize: Normalize | undefined): XY {
    const { xShape, yShape } = this.#form!
    const n = this.length
    const x = { shape: [n, ...xShape], data: this.#x.subarray(0, (this.#x.length / this.#size) * n) }
    const data = this.#y.subarray(0, (this.#y.length / this.#size) * n)
    const y = data instanceof Float32Array ? { shape: [n, ...yShape!], data } : { shape: [n] as const, data }
    return { x, y, ...(normalize && { normalize }) }
  }

  #allocate(form: Form): void {
    const rows = (shape: readonly number[]) => this.#size * shape.reduce((product, size) => product * size, 1)
    this.#form = form
    try {
      this.#x = form.isBytes ? new Uint8Array(rows(form.xShape)) : new Float32Array(rows(form.xShape))
      this.#y = form.yShape ? new Float32Array(rows(form.yShape)) : new Int32Array(this.#size)
    } catch (cause) {
      throw new ConvlaneError('OUT_OF_MEMORY', `batched: no memory for ${this.#size} samples ${shapeText(form.xShape)}`, { cause })
    }
  }
}

// By tag, not by instanceof: arrays may come from another realm.
const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)
const isArray = (value: unknown): value is Float32Array | Uint8Array => ['Float32Array', 'Uint8Array'].includes(tagOf(value))

function arrayOf(value: unknown, label: string, what: string): SampleArray {
  if (isArray(value)) return { shape: [value.length], data: value }
  if (Array.isArray(value) && value.every((number) => typeof number === 'number')) {
    return { shape: [value.length], data: Float32Array.from(value) }
  }
  const { shape, data } = (typeof value === 'object' && value !== null ? value : {}) as Partial<SampleArray>
  if (!Array.isArray(shape) || !isArray(data)) {
    throw invalid(label, what, `numbers, a Float32Array, a Uint8Array, or { shape, data } with either`, value)
  }
  const count = elementCount(shape, `${label}: ${what}`)
  if (count === data.length) return { shape, data }
  const message = `${label}: ${what} has shape ${shapeText(shape)}, ${count} elements, but its data has ${data.length}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: count, received: data.length })
}

function checkAlike(received: readonly number[], expected: readonly number[], label: string, what: string): void {
  if (sameShape(received, expected)) return
  const message = `${label}: ${what} has shape ${valueText(received)}, those before have ${valueText(expected)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected, received })
}
