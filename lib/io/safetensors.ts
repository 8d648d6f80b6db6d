import { type FileHandle, open } from 'node:fs/promises'
import { ConvlaneError } from '../errors'
import type { Tensor } from '../tensor'
import { writeAtomically } from './atomic-file'
import { fileError } from './files'
import { bfloatToFloat, halfToFloat } from './float16'
import { duplicateKey } from './json-keys'

/** Largest header, as in the format's own reader. */
const MAX_HEADER = 100_000_000
const METADATA = '__metadata__'

/** What a safetensors file holds. */
export interface TensorFile {
  /** By name, in the order of their data. A name may be any text, `__proto__` too: read with `Object.entries`. */
  readonly tensors: Readonly<Record<string, Tensor>>
  /** Free text by key, as the file has it. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Writes float32 tensors as a safetensors file (https://github.com/huggingface/safetensors#format): header length, JSON header
 * padded with spaces so that the data starts at a multiple of 8 bytes, then the data without gaps, in the order of the names given.
 * The file appears whole or not at all: an old one survives whatever fails. Do not change the tensors before the promise resolves.
 * @throws `INVALID_TENSOR`, `INVALID_ARGUMENT`; `FILE_ERROR` with the system's error as `cause`
 */
export async function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const fields: [string, unknown][] = []
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw new ConvlaneError('INVALID_ARGUMENT', `writeSafetensors: metadata "${key}" must be a string`)
  }
  if (Object.keys(metadata).length > 0) fields.push([METADATA, metadata])
  const chunks: Uint8Array[] = []
  let end = 0
  for (const [name, tensor] of Object.entries(tensors)) {
    checkTensor(name, tensor)
    const { buffer, byteOffset, byteLength } = tensor.data
    chunks.push(new Uint8Array(buffer, byteOffset, byteLength))
    fields.push([name, { dtype: 'F32', shape: [...tensor.shape], data_offsets: [end, end + byteLength] }])
    end += byteLength
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(fields)))
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ')
  if (header.length - 8 > MAX_HEADER) {
    throw new ConvlaneError('INVALID_ARGUMENT', `writeSafetensors: names and metadata take ${json.length} bytes, at most ${MAX_HEADER} fit`)
  }
  header.writeBigUInt64LE(BigInt(header.length - 8))
  json.copy(header, 8)
  await writeAtomically(file, [header, ...chunks])
}

/**
 * Reads a safetensors file of float32, float16 and bfloat16 tensors, the last two as float32, which holds them exactly. Every number in its header is checked
 * before it is used.
 * @throws `FILE_ERROR` when it cannot be read, `INVALID_FILE` when it breaks the format, `UNSUPPORTED` for other element types.
 */
export async function readSafetensors(file: string): Promise<TensorFile> {
  const { tensors, metadata } = await readTensors(file, () => true)
  return { tensors, metadata }
}

/** Those tensors of a safetensors file that are wanted, and the names of the others, which may be of any element type. Throws as {@link readSafetensors}. */
export async function readTensors(file: string, isWanted: (name: string) => boolean): Promise<TensorFile & { readonly unread: string[] }> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'r')
    const stats = await handle.stat()
    if (!stats.isFile()) throw new ConvlaneError('INVALID_FILE', `${file}: is not a regular file`)
    const { header, start } = await readHeader(handle, stats.size, file)
    const { entries, metadata } = parseHeader(header, stats.size - start, file)
    const tensors: [string, Tensor][] = []
    const unread: string[] = []
    for (const { name, dtype, shape, begin, end } of entries) {
      if (isWanted(name)) {
        const widen = wideners.get(dtype)
        if (!widen) throw unsupportedType(file, name, dtype)
        const bytes = new Uint8Array(end - begin)
        await readExactly(handle, bytes, start + begin, file)
        tensors.push([name, { shape, data: widen(bytes.buffer) }])
      } else unread.push(name)
    }
    return { tensors: Object.fromEntries(tensors), metadata, unread }
  } catch (error) {
    throw error instanceof ConvlaneError ? error : fileError('read', file, error)
  } finally {
    await handle?.close()
  }
}

async function readHeader(handle: FileHandle, size: number, file: string): Promise<{ header: string; start: number }> {
  const refuse = (message: string) => new ConvlaneError('INVALID_FILE', `${file}: not a safetensors file: ${message}`)
  if (size < 8) throw refuse(`${size} bytes are too few for a header length`)
  const prefix = Buffer.alloc(8)
  await readExactly(handle, prefix, 0, file)
  const length = prefix.readBigUInt64LE()
  if (length > MAX_HEADER) throw refuse(`a header of ${length} bytes, at most ${MAX_HEADER} are allowed`)
  const start = 8 + Number(length)
  if (start > size) throw refuse(`a header of ${length} bytes in a file of ${size} bytes`)
  const bytes = Buffer.alloc(Number(length))
  await readExactly(handle, bytes, 8, file)
  if (bytes[0] !== 0x7b) throw refuse('its header does not start with {')
  try {
    return { header: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), start }
  } catch {
    throw refuse('its header is not UTF-8')
  }
}

/** What reads elements as float32. */
const wideners: ReadonlyMap<string, (buffer: ArrayBuffer) => Float32Array> = new Map([
  ['F32', (buffer) => new Float32Array(buffer)],
  ['F16', (buffer) => halfToFloat(new Uint16Array(buffer))],
  ['BF16', (buffer) => bfloatToFloat(new Uint16Array(buffer))],
])

/** Bytes of an element, of the types that are commonly met. */
const bytesOf: ReadonlyMap<string, number> = new Map([
  ...['F64', 'I64', 'U64'].map((type) => [type, 8] as const),
  ...['F32', 'I32', 'U32'].map((type) => [type, 4] as const),
  ...['F16', 'BF16', 'I16', 'U16'].map((type) => [type, 2] as const),
  ...['I8', 'U8', 'BOOL'].map((type) => [type, 1] as const),
])

function unsupportedType(file: string, name: string, dtype: string): ConvlaneError {
  const expected = 'F32, F16 or BF16'
  return new ConvlaneError('UNSUPPORTED', `${file}: "${name}" has element type ${dtype}, expected ${expected}`, {
    expected,
    received: dtype,
  })
}

interface Entry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** @param dataBytes bytes that follow the header: the entries must cover them, each once */
function parseHeader(header: string, dataBytes: number, file: string): { entries: Entry[]; metadata: Record<string, string> } {
  const refuse = (message: string) => new ConvlaneError('INVALID_FILE', `${file}: damaged safetensors header: ${message}`)
  let fields: unknown
  try {
    fields = JSON.parse(header)
  } catch (error) {
    throw refuse((error as Error).message)
  }
  const twice = duplicateKey(header)
  if (twice !== undefined) throw refuse(`"${twice}" appears twice`)
  let metadata: Record<string, string> = {}
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(fields as object)) {
    if (name !== METADATA) entries.push(parseEntry(name, value, file))
    else if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) metadata = value as Record<string, string>
    else throw refuse(`${METADATA} must map names to strings`)
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { name, begin, end } of entries) {
    if (begin !== covered) throw refuse(`"${name}" starts at byte ${begin} of the data, expected ${covered} (no gaps, no overlaps)`)
    covered = end
  }
  if (covered !== dataBytes) {
    const kind = covered > dataBytes ? 'truncated' : 'too long'
    throw new ConvlaneError('INVALID_FILE', `${file}: ${kind}: the header says ${covered} bytes of data, the file has ${dataBytes}`, {
      expected: covered,
      received: dataBytes,
    })
  }
  return { entries, metadata }
}

function parseEntry(name: string, value: unknown, file: string): Entry {
  const refuse = (message: string) => new ConvlaneError('INVALID_FILE', `${file}: damaged safetensors header: "${name}" ${message}`)
  if (!isObject(value)) throw refuse('is no object')
  const { dtype, shape, data_offsets: offsets, ...others } = value
  if (Object.keys(others).length > 0) throw refuse(`has an unknown field "${Object.keys(others)[0]}"`)
  if (typeof dtype !== 'string') throw refuse('has no dtype')
  if (!isSizes(shape)) throw refuse(`has shape ${JSON.stringify(shape)}, expected whole numbers`)
  if (!isSizes(offsets) || offsets.length !== 2) throw refuse(`has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`)
  const [begin, end] = offsets as [number, number]
  const size = bytesOf.get(dtype)
  if (size === undefined) throw unsupportedType(file, name, dtype)
  const bytes = shape.reduce((product, size) => product * size, size)
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    throw refuse(`has shape [${shape.join(', ')}] (${bytes} bytes) but data_offsets [${begin}, ${end}]`)
  }
  return { name, dtype, shape, begin, end }
}

async function readExactly(handle: FileHandle, into: Uint8Array, position: number, file: string): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await handle.read(into, at, Math.min(2 ** 26, into.length - at), position + at)
    if (bytesRead === 0) throw new ConvlaneError('INVALID_FILE', `${file}: truncated while it was read`)
    at += bytesRead
  }
}

function checkTensor(name: string, { shape, data }: Tensor): void {
  const refuse = (message: string) => new ConvlaneError('INVALID_TENSOR', `writeSafetensors: "${name}" ${message}`)
  if (name === METADATA) throw refuse('is no name for a tensor: the format reserves it')
  if (!(data instanceof Float32Array)) throw refuse('has no Float32Array data')
  if (!isSizes(shape) || shape.reduce((product, size) => product * size, 1) !== data.length) {
    throw refuse(`has shape ${JSON.stringify(shape)} but ${data.length} elements`)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}
