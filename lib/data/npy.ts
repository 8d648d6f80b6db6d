import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { aborted, contentOf, nextTurn, readWhole } from '../io/files'
import { readZip } from '../io/zip'
import { MAX_ELEMENTS } from '../shape'
import { allocate } from '../tensor'
import { checkSignal } from '../train/options'
import { type NumpyType, numpyType } from './numpyTypes'

/** An array of NumPy's, as convlane takes it: row-major. */
export interface NumpyArray {
  /** Sizes; none for a single number. */
  readonly shape: readonly number[]
  /** float16, float32 and float64 as float32; uint8 and bool as bytes; all other whole numbers as int32. */
  readonly data: Float32Array | Int32Array | Uint8Array
  /** NumPy's name of the type in the file: `<f8`. */
  readonly dtype: string
}

/** Options of {@link readNpy}. */
export interface NpyOptions {
  /** Ends it with ABORTED. Default: nothing does. */
  readonly signal?: AbortSignal
}

/** Options of {@link readNpz}. */
export interface NpzOptions extends NpyOptions {
  /** Arrays that are read. Default: all. */
  readonly names?: readonly string[]
}

/**
 * Reads an array that NumPy's `save` wrote: numbers of any size and byte order, in C or Fortran order (which is turned round), never pickled objects. float64 is
 * rounded to float32. The event loop turns while numbers are converted.
 * @param source a path, or the file's content
 * @throws FILE_ERROR; INVALID_FILE where it is no whole .npy file; UNSUPPORTED for types that are no real numbers, and values beyond int32 or float32; INVALID_ARGUMENT;
 *   OUT_OF_MEMORY; ABORTED
 */
export async function readNpy(source: string | Uint8Array, options: NpyOptions = {}): Promise<NumpyArray> {
  checkOptions('readNpy', options, ['signal'])
  const signal = checkSignal(options.signal, 'readNpy')
  const { bytes, name } = await contentOf(source, 'readNpy', (file) => readWhole(file, signal))
  return parseNpy(bytes, name, signal)
}

/**
 * Reads arrays that NumPy's `savez` or `savez_compressed` wrote, by name. Uncompressing is done off the main thread, and never gives more than the archive says, 4 GiB at
 * most.
 * @param source a path, or the file's content
 * @returns an object without a prototype, in the order of the file
 * @throws what {@link readNpy} throws; INVALID_FILE for names that are not there
 */
export async function readNpz(source: string | Uint8Array, options: NpzOptions = {}): Promise<Record<string, NumpyArray>> {
  checkOptions('readNpz', options, ['names', 'signal'])
  const { names } = options
  const signal = checkSignal(options.signal, 'readNpz')
  if (names !== undefined && !(Array.isArray(names) && names.every((name) => typeof name === 'string'))) {
    throw invalid('readNpz', 'names', 'an array of strings', names)
  }
  const { bytes, name: file } = await contentOf(source, 'readNpz', (path) => readWhole(path, signal))
  const all = readZip(bytes, file)
  const entries = new Map(all.map((entry) => [entry.name.replace(/\.npy$/, ''), entry]))
  if (entries.size < all.length) throw new ConvlaneError('INVALID_FILE', `${file}: holds an array twice, with .npy and without`)
  const missing = names?.find((name) => !entries.has(name))
  if (missing !== undefined) {
    throw new ConvlaneError('INVALID_FILE', `${file}: holds no "${missing}", it holds ${[...entries.keys()].join(', ')}`)
  }
  const arrays: Record<string, NumpyArray> = Object.create(null)
  for (const [name, entry] of entries) {
    if (names && !names.includes(name)) continue
    if (signal?.aborted) throw aborted(signal)
    arrays[name] = await parseNpy(await entry.read(), `${file}: "${entry.name}"`, signal)
  }
  return arrays
}

/** Numbers that are converted before the event loop turns. */
const AT_ONCE = 2 ** 19

async function parseNpy(bytes: Uint8Array, name: string, signal: AbortSignal | undefined): Promise<NumpyArray> {
  if (signal?.aborted) throw aborted(signal)
  const { descr, isFortran, shape, start } = readHeader(bytes, name)
  const type = numpyType(descr)
  if (!type) {
    throw new ConvlaneError('UNSUPPORTED', `${name}: holds elements of type ${descr}, expected real numbers of up to 64 bits`, {
      received: descr,
    })
  }
  const count = shape.reduce((product, size) => product * size, 1)
  const expected = count * type.bytes
  if (!Number.isSafeInteger(expected) || bytes.length - start !== expected) {
    const kind = bytes.length - start < expected ? 'truncated' : 'too long'
    const message = `${name}: ${kind}: its header says [${shape.join(', ')}] of ${descr}, ${expected} bytes, it has ${bytes.length - start}`
    throw new ConvlaneError('INVALID_FILE', message, { expected, received: bytes.length - start })
  }
  const turned = isFortran && shape.filter((size) => size > 1).length > 1
  return { shape, data: await convert(bytes.subarray(start), type, turned ? shape : undefined, name, signal), dtype: descr }
}

/** @param turned sizes of an array whose first index changes fastest; absent where the last one does */
async function convert(
  bytes: Uint8Array,
  type: NumpyType,
  turned: readonly number[] | undefined,
  name: string,
  signal: AbortSignal | undefined,
): Promise<NumpyArray['data']> {
  const asItIs = turned ? undefined : type.view?.(bytes)
  if (asItIs) return asItIs
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = allocate(type.target, bytes.length / type.bytes, name)
  const places = turned ? new FortranOrder(turned) : undefined
  for (let at = 0; at < data.length; at++) {
    const value = type.read(view, (places ? places.next() : at) * type.bytes)
    data[at] = value
    if (!type.fits(value, data[at]!)) {
      const range = type.target === Int32Array ? 'whole numbers of 32 bits' : 'float32'
      throw new ConvlaneError('UNSUPPORTED', `${name}: element ${at} is ${value}, expected ${range}`, { received: value })
    }
    if (at % AT_ONCE !== AT_ONCE - 1) continue
    await nextTurn()
    if (signal?.aborted) throw aborted(signal)
  }
  return data
}

/** Where the elements of an array in Fortran order lie, in C order. */
class FortranOrder {
  readonly #shape: readonly number[]
  readonly #strides: readonly number[]
  readonly #index: number[]
  #place = 0

  constructor(shape: readonly number[]) {
    this.#shape = shape
    this.#strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1))
    this.#index = shape.map(() => 0)
  }

  next(): number {
    const place = this.#place
    for (let axis = this.#shape.length - 1; axis >= 0; axis--) {
      this.#place += this.#strides[axis]!
      if (++this.#index[axis]! < this.#shape[axis]!) break
      this.#place -= this.#strides[axis]! * this.#shape[axis]!
      this.#index[axis] = 0
    }
    return place
  }
}

interface Header {
  readonly descr: string
  readonly isFortran: boolean
  readonly shape: readonly number[]
  /** Where the elements begin. */
  readonly start: number
}

/** A header of numbers has a hundred bytes; one of a structured type may have some thousands. */
const LONGEST_HEADER = 2 ** 16

/** One entry of the header: a name, and a text, a truth value, a tuple of sizes, or what is told apart no further. Python 2 wrote an L behind long sizes. */
const entry = /\s*'(\w+)'\s*:\s*(?:'([^']*)'|(True|False)|\(((?:\s*\d+L?\s*(?:,|(?=\))))*)\s*\)|(\[[\s\S]*\]))\s*(?:,|(?=\}))/y

/** Source: NumPy's NEP 1 and numpy/lib/format.py. */
function readHeader(bytes: Uint8Array, name: string): Header {
  const refuse = (message: string) => new ConvlaneError('INVALID_FILE', `${name}: ${message}`)
  if (bytes.length === 0) throw refuse('is empty, expected a .npy file')
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 6)).toString('latin1') !== '\x93NUMPY')
    throw refuse('is no .npy file: it does not start with \\x93NUMPY')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]!
  if (version < 1 || version > 3)
    throw new ConvlaneError('UNSUPPORTED', `${name}: is of version ${version}, expected 1 to 3`, { received: version })
  const [first, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)]
  if (length > LONGEST_HEADER || first + length > bytes.length) throw refuse(`damaged: its header would have ${length} bytes`)
  const text = Buffer.from(bytes.subarray(first, first + length))
    .toString('utf8')
    .trim()
  const found = new Map<string, RegExpExecArray>()
  entry.lastIndex = 1
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    if (found.has(match[1]!)) throw refuse(`damaged header: has ${match[1]} twice`)
    found.set(match[1]!, match)
    if (found.size > 3 || /^\s*\}$/.test(text.slice(entry.lastIndex))) break
  }
  const [, , descr, , , structured] = found.get('descr') ?? []
  const order = found.get('fortran_order')?.[3]
  const sizes = found.get('shape')?.[4]
  if (!text.startsWith('{') || found.size !== 3 || (descr ?? structured) === undefined || order === undefined || sizes === undefined) {
    throw refuse(`damaged header: ${JSON.stringify(text.slice(0, 60))}`)
  }
  const shape = (sizes.match(/\d+/g) ?? []).map(Number)
  if (!shape.every((size) => size <= MAX_ELEMENTS)) throw refuse(`damaged header: sizes ${sizes}`)
  return { descr: descr ?? structured!, isFortran: order === 'True', shape, start: first + length }
}
