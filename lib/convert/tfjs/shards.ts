import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { ConvlaneError } from '../../errors'
import { writeAtomically } from '../../io/atomic-file'
import { halfToFloat } from '../../io/float16'
import { openWithin } from '../../io/openWithin'
import { allocate, type Tensor } from '../../tensor'
import { arrayOf, damaged, isObject, objectOf, sizesOf, textOf, unsupported } from './config'

/** Bytes of a shard, as TensorFlow's converter cuts them: browsers keep files up to this size. */
const SHARD = 4 * 1024 * 1024

interface Stored {
  readonly name: string
  readonly shape: readonly number[]
  readonly form: Form
  readonly elements: number
  readonly scale: number
  readonly min: number
}

type Form = keyof typeof bytesOf
const bytesOf = { float32: 4, float16: 2, uint16: 2, uint8: 1 } as const

/**
 * The weights of a manifest, by name, read from the files beside it. Files are as long as the manifest says before anything is read, so that nothing is
 * allocated for numbers that are not there.
 * @throws INVALID_FILE, UNSUPPORTED, FILE_ERROR
 */
export async function readShards(manifest: unknown, folder: string): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>()
  const files = new Set<string>()
  for (const group of arrayOf(manifest, 'weightsManifest')) {
    const { paths, weights } = objectOf(group, 'a group of the weightsManifest')
    const names = arrayOf(paths, 'paths of the weightsManifest').map(checkPath)
    for (const name of names) {
      if (files.has(name)) throw damaged(`the weightsManifest names ${name} twice`, name)
      files.add(name)
    }
    const stored = arrayOf(weights, 'weights of the weightsManifest').map(storedOf)
    const bytes = await readGroup(stored, folder, names)
    let at = 0
    arrayOf(weights, 'weights').forEach((weight, index) => {
      const one = stored[index]!
      const end = at + one.elements * bytesOf[one.form]
      if (tensors.has(one.name)) throw damaged(`the weightsManifest has "${one.name}" twice`, one.name)
      if ((weight as { group?: unknown }).group !== 'optimizer') {
        tensors.set(one.name, { shape: one.shape, data: decode(one, bytes.slice(at, end)) })
      }
      at = end
    })
  }
  return tensors
}

/** A path within the folder of the model; browsers save `./model.weights.bin`. */
function checkPath(value: unknown): string {
  const path = textOf(value, 'a path of the weightsManifest')
  const parts = path.split('/').filter((part) => part !== '.')
  if (parts.length === 0 || /[\\:\0]/.test(path) || parts.some((part) => part === '' || part === '..')) {
    throw damaged(`the weightsManifest names "${path}", which is no path within the folder of the model`, path)
  }
  return parts.join('/')
}

function storedOf(value: unknown): Stored {
  const { name: given, shape: sizes, dtype, quantization, group } = objectOf(value, 'a weight of the weightsManifest')
  const name = textOf(given, 'name of a weight')
  const shape = sizesOf(sizes, `shape of "${name}"`)
  const elements = shape.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(elements * 4)) throw damaged(`"${name}" has shape [${shape}], more than any file holds`, shape)
  // How often an optimizer has run: as many bytes, which nobody reads.
  if (dtype === 'int32' && group === 'optimizer') return { name, shape, elements, form: 'float32', scale: 1, min: 0 }
  if (dtype !== 'float32') throw unsupported(`"${name}" has element type ${dtype}, expected float32`, dtype)
  if (quantization === undefined) return { name, shape, elements, form: 'float32', scale: 1, min: 0 }
  const { dtype: form, ...line } = objectOf(quantization, `quantization of "${name}"`)
  if (typeof form !== 'string' || form === 'float32' || !Object.hasOwn(bytesOf, form)) {
    throw unsupported(`"${name}" is quantized as ${form}, expected uint8, uint16 or float16`, form)
  }
  const { scale, min } = form === 'float16' ? { scale: 1, min: 0 } : line
  if (!Number.isFinite(scale) || !Number.isFinite(min))
    throw damaged(`quantization of "${name}": scale and min must be numbers`, quantization)
  return { name, shape, elements, form: form as Form, scale: scale as number, min: min as number }
}

async function readGroup(stored: readonly Stored[], folder: string, files: readonly string[]): Promise<Uint8Array> {
  const expected = stored.reduce((sum, { elements, form }) => sum + elements * bytesOf[form], 0)
  const opened: { file: string; handle: FileHandle; size: number }[] = []
  try {
    for (const file of files) {
      opened.push({ file, ...(await openWithin(folder, file, (what) => damaged(`the weightsManifest names ${what}`, file))) })
    }
    const received = opened.reduce((sum, { size }) => sum + size, 0)
    if (received !== expected) {
      const message = `the weightsManifest says ${expected} bytes, ${files.join(', ') || 'its files'} have ${received}`
      throw new ConvlaneError('INVALID_FILE', message, { expected, received })
    }
    const bytes = allocate(Uint8Array, expected, 'weights')
    let at = 0
    for (const { file, handle, size } of opened) {
      const end = at + size
      while (at < end) {
        const { bytesRead } = await handle.read(bytes, at, Math.min(2 ** 26, end - at))
        if (bytesRead === 0) throw damaged(`${file}: truncated while it was read`)
        at += bytesRead
      }
    }
    return bytes
  } finally {
    for (const { handle } of opened) await handle.close()
  }
}

/** @param bytes of their own, so that they lie at a multiple of any element's size */
function decode({ form, elements, scale, min }: Stored, { buffer }: Uint8Array): Float32Array {
  if (form === 'float32') return new Float32Array(buffer as ArrayBuffer)
  if (form === 'float16') return halfToFloat(new Uint16Array(buffer))
  const numbers = form === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer)
  const values = new Float32Array(elements)
  for (let i = 0; i < elements; i++) values[i] = numbers[i]! * scale + min
  return values
}

/** A weights manifest for `model.json`, and the file names in it. */
export interface Manifest {
  readonly paths: readonly string[]
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: 'float32' }[]
}

/** Names that {@link writeShards} gives: by what they hold, so that those of an older model stay whole until its model.json is replaced. */
const ownName = /^group1-[0-9a-f]{12}-shard\d+of\d+\.bin$/

/** Writes the tensors as shards into a folder, each whole or not at all. @throws FILE_ERROR */
export async function writeShards(folder: string, tensors: readonly (readonly [name: string, tensor: Tensor])[]): Promise<Manifest> {
  const pieces = tensors.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  const total = pieces.reduce((sum, { length }) => sum + length, 0)
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  const count = Math.ceil(total / SHARD)
  const key = hash.digest('hex').slice(0, 12)
  const paths = Array.from({ length: count }, (_, index) => `group1-${key}-shard${index + 1}of${count}.bin`)
  for (const [index, path] of paths.entries()) {
    await writeAtomically(join(folder, path), part(pieces, index * SHARD, Math.min(total, (index + 1) * SHARD)))
  }
  return { paths, weights: tensors.map(([name, { shape }]) => ({ name, shape: [...shape], dtype: 'float32' as const })) }
}

/** The bytes from `start` to `end` of pieces that lie one behind the other. */
function part(pieces: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const found: Uint8Array[] = []
  let at = 0
  for (const piece of pieces) {
    const [from, to] = [Math.max(start, at) - at, Math.min(end, at + piece.length) - at]
    if (from < to) found.push(piece.subarray(from, to))
    at += piece.length
  }
  return found
}

/** Shards of ours that a `model.json` names: what an export that replaces it may remove. */
export function ownShards(json: string): string[] {
  try {
    const { weightsManifest } = JSON.parse(json)
    const paths = Array.isArray(weightsManifest) ? weightsManifest.flatMap((group) => (isObject(group) ? group.paths : [])) : []
    return paths.filter((path): path is string => typeof path === 'string' && ownName.test(path))
  } catch {
    return []
  }
}
