import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConvlaneError } from '../../../errors'
import { openWithin } from '../../../io/openWithin'
import type { ModelProto, TensorProto } from '../schema'
import { Failure } from './failure'
import { isExternal } from './tensor'

/** Every tensor of a file whose data is in a file of its own. */
function externalTensors({ graph }: ModelProto): TensorProto[] {
  const inNodes = (graph?.node ?? []).flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? []))
  return [...(graph?.initializer ?? []), ...inNodes].filter(isExternal)
}

/**
 * The data of tensors that have it in files of their own, beside the model or in folders below it. A path that leads elsewhere, by `..` or by a link, is refused.
 * @param file the model's; none where it was given as bytes
 * @throws INVALID_FILE, FILE_ERROR; INVALID_ARGUMENT without a file
 */
export async function readExternal(model: ModelProto, file: string | undefined, source: string): Promise<Map<TensorProto, Uint8Array>> {
  const found = new Map<TensorProto, Uint8Array>()
  const tensors = externalTensors(model)
  if (tensors.length === 0) return found
  if (file === undefined) {
    const message = `${source}: the data of "${tensors[0]!.name}" is in a file of its own: give the path of the model instead of its bytes`
    throw new ConvlaneError('INVALID_ARGUMENT', message)
  }
  const handles = new Map<string, { readonly handle: FileHandle; readonly size: number }>()
  try {
    for (const tensor of tensors) {
      const fail = new Failure(`${source}: "${tensor.name}"`)
      const facts = new Map(tensor.externalData.map(({ key, value }) => [key, value]))
      const location = facts.get('location') ?? ''
      if (!handles.has(location)) {
        handles.set(location, await openWithin(dirname(file), location, (what) => fail.damaged(`its data is in ${what}`)))
      }
      const { handle, size } = handles.get(location)!
      const number = (key: string, fallback: number) => {
        const text = facts.get(key)
        if (text === undefined) return fallback
        if (/^\d{1,15}$/.test(text)) return Number(text)
        throw fail.damaged(`${key} of its data is ${JSON.stringify(text.slice(0, 40))}`)
      }
      const offset = number('offset', 0)
      const length = number('length', Math.max(0, size - offset))
      if (offset + length > size) throw fail.damaged(`its data is bytes ${offset} to ${offset + length} of ${location}, which has ${size}`)
      found.set(tensor, await readBytes(handle, offset, length, fail))
    }
    return found
  } finally {
    await Promise.all([...handles.values()].map(({ handle }) => handle.close()))
  }
}

async function readBytes(handle: FileHandle, offset: number, length: number, fail: Failure): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(2 ** 26, length - at), offset + at)
    if (bytesRead === 0) throw fail.damaged('its data is truncated')
    at += bytesRead
  }
  return bytes
}
