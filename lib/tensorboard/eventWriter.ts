import { appendFile, mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { checkOptions, invalid } from '../check'
import type { Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { fileError } from '../io/files'
import { encodePng } from '../io/png'
import { checkInteger, checkNumber, valueText } from '../shape'
import { fileHead, restartRecord, type SummaryValue, summaryRecord } from './event'
import { firstNotFinite, HistogramCounter, SLICE } from './histogram'
import { picturesOf } from './pictures'

/** Options of {@link eventWriter}. */
export interface EventWriterOptions {
  /** Seconds after which what was told is in the file at the latest, 0 to 3,600. Default 2. */
  readonly flushSeconds?: number
}

/** Bytes that wait for the disk before who writes is asked to wait, too. */
const HIGH = 2 ** 20

/** Tells files of one process apart. */
let files = 0

/**
 * Makes a folder, where there is none, and a file for TensorBoard in it: for training loops of one's own. Other files of the folder stay: TensorBoard takes them as one
 * run.
 * @param dir TensorBoard shows a folder as a run: `runs/first/train`
 * @throws INVALID_ARGUMENT, FILE_ERROR
 */
export async function eventWriter(dir: string, options: EventWriterOptions = {}): Promise<EventWriter> {
  if (typeof dir !== 'string' || dir === '') throw invalid('eventWriter', 'dir', 'a path', dir)
  checkOptions('eventWriter', options, ['flushSeconds'])
  const { flushSeconds = 2 } = options
  checkNumber(flushSeconds, 'eventWriter', 'flushSeconds', { low: 0, high: 3600 })
  const host = hostname().replace(/[^\w-]+/g, '-')
  const file = join(dir, `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${host}.${process.pid}.${files++}.v2`)
  try {
    await mkdir(dir, { recursive: true })
    await appendFile(file, fileHead(), { flag: 'ax' })
  } catch (error) {
    throw fileError('write', file, error)
  }
  return new EventWriter(file, flushSeconds * 1000)
}

/**
 * An event file that grows. Made by {@link eventWriter}. What is told is copied before a call returns, and written a little later; whoever awaits a call waits where
 * the disk is slow. A disk that fails is told by the next call, and by `close`; a call that is not awaited may fail unseen.
 */
export class EventWriter {
  /** Where it writes. */
  readonly file: string
  readonly #flushMs: number
  #pending: Uint8Array[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  /** Histograms and images, one after the other, so that steps of a tag stay in order. */
  #making: Promise<void> = Promise.resolve()
  #failure: ConvlaneError | undefined
  #closed = false

  /** @internal Use {@link eventWriter}. */
  constructor(file: string, flushMs: number) {
    this.file = file
    this.#flushMs = flushMs
  }

  /**
   * A number, kept as float32; NaN and infinity are shown as such.
   * @param tag the name of the curve; what stands before `/` groups them
   * @param step from 0
   * @throws INVALID_ARGUMENT, DISPOSED after `close`; FILE_ERROR
   */
  scalar(tag: string, value: number, step: number): Promise<void> {
    return this.scalars({ [tag]: value }, step)
  }

  /**
   * Several numbers of one step, by tag.
   * @throws as `scalar`
   */
  scalars(values: Readonly<Record<string, number>>, step: number): Promise<void> {
    return this.#told(() => {
      if (typeof values !== 'object' || values === null) throw invalid('EventWriter', 'scalars', 'numbers by tag', values)
      const all = Object.entries(values).map(([tag, value]) => {
        if (typeof value !== 'number') throw invalid('EventWriter', `the value of ${checkTag(tag)}`, 'a number', value)
        return { tag: checkTag(tag), simpleValue: Math.fround(value) }
      })
      return this.#append(summaryRecord(checkStep(step), all))
    })
  }

  /**
   * How numbers are distributed, in TensorFlow's buckets. Many numbers are counted in slices between which the event loop runs.
   * @throws as `scalar`; INVALID_ARGUMENT for no numbers, and where one is not finite
   */
  histogram(tag: string, values: Float32Array | Float64Array | readonly number[], step: number): Promise<void> {
    return this.#told(() => {
      checkTag(tag)
      checkStep(step)
      const numbers = numbersOf(values, tag)
      return this.#make(async () => {
        const counter = new HistogramCounter()
        for (let at = 0; at < numbers.length; at += SLICE) {
          if (at > 0) await new Promise((resolve) => setImmediate(resolve))
          counter.add(numbers.subarray(at, at + SLICE))
        }
        return [{ tag, histo: counter.histogram }]
      }, step)
    })
  }

  /**
   * A picture `[H, W, C]`, or several `[N, H, W, C]` under `tag/0`, `tag/1`, …; C is 1 (grey) or 3 (red, green, blue). Bytes as they are; floats 0 black to 1.
   * @throws as `scalar`; INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE
   */
  image(tag: string, image: Samples, step: number): Promise<void> {
    return this.#told(() => {
      checkTag(tag)
      checkStep(step)
      const pictures = picturesOf(image, `EventWriter: ${tag}`)
      const encode = async (picture: (typeof pictures)[number], name: string): Promise<SummaryValue> => {
        const [height, width, colorspace] = picture.shape
        return { tag: name, image: { height, width, colorspace, encodedImageString: await encodePng(picture) } }
      }
      return this.#make(async () => {
        const values: SummaryValue[] = []
        for (const [index, picture] of pictures.entries())
          values.push(await encode(picture, image.shape.length === 3 ? tag : `${tag}/${index}`))
        return values
      }, step)
    })
  }

  /**
   * The run goes on from this step, after an interruption: TensorBoard drops what was told for it and later ones before, in older files of the folder.
   * @throws INVALID_ARGUMENT, DISPOSED after `close`; FILE_ERROR
   */
  restart(step: number): Promise<void> {
    return this.#told(() => this.#append(restartRecord(checkStep(step))))
  }

  /**
   * Resolves when all that was told is in the file.
   * @throws FILE_ERROR
   */
  async flush(): Promise<void> {
    await this.#making
    this.#write()
    await this.#writing
    if (this.#failure) throw this.#failure
  }

  /**
   * The last `flush`. Twice is allowed.
   * @throws FILE_ERROR
   */
  close(): Promise<void> {
    this.#closed = true
    return this.flush()
  }

  /** Runs what tells something. The promise has a handler already: who does not await it is not ended by a full disk. */
  #told(tell: () => Promise<void>): Promise<void> {
    const told = (async () => {
      if (this.#closed) throw new ConvlaneError('DISPOSED', `EventWriter: ${this.file} has been closed`)
      if (this.#failure) throw this.#failure
      await tell()
    })()
    told.catch(() => {})
    return told
  }

  #make(make: () => Promise<readonly SummaryValue[]>, step: number): Promise<void> {
    const made = this.#making.then(async () => this.#append(summaryRecord(step, await make())))
    this.#making = made.catch(() => {})
    return made
  }

  /** Resolves at once, or where much is waiting when it is written. */
  async #append(record: Uint8Array): Promise<void> {
    this.#pending.push(record)
    this.#bytes += record.length
    if (this.#bytes >= HIGH) {
      this.#write()
      await this.#writing
      if (this.#failure) throw this.#failure
    } else {
      // It keeps the process alive: what was told before the end is written.
      this.#timer ??= setTimeout(() => this.#write(), this.#flushMs)
    }
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.length === 0) return
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#bytes = 0
    this.#writing = this.#writing.then(async () => {
      // Behind half a record no reader finds the next.
      if (this.#failure) return
      // Opened and closed each time: nothing is left open where nobody calls `close`.
      await appendFile(this.file, bytes).catch((error) => {
        this.#failure = fileError('write', this.file, error)
      })
    })
  }
}

function checkTag(tag: unknown): string {
  if (typeof tag !== 'string' || tag === '') throw invalid('EventWriter', 'tag', 'a string, not empty', tag)
  return tag
}

function checkStep(step: unknown): number {
  return checkInteger(step, 'EventWriter', 'step', 0, Number.MAX_SAFE_INTEGER)
}

/** A copy. Throws INVALID_ARGUMENT. */
function numbersOf(values: ArrayLike<number>, tag: string): Float32Array | Float64Array {
  const isArray = Array.isArray(values) || values instanceof Float32Array || values instanceof Float64Array
  if (!isArray || values.length === 0) throw invalid('EventWriter', `the values of ${tag}`, 'an array of numbers, not empty', values)
  // Before they are copied: text or a BigInt is no number.
  const wrong = firstNotFinite(values)
  if (wrong < 0) return values instanceof Float32Array ? values.slice() : Float64Array.from(values)
  throw new ConvlaneError(
    'INVALID_ARGUMENT',
    `EventWriter: the values of ${tag} must be finite, received ${valueText(values[wrong])} at ${wrong}`,
    {
      received: values[wrong],
    },
  )
}
