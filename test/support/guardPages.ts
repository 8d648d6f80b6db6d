import type { Binding } from '../../binding'
import { sizeOf } from './compute'
import { stepOf, type Tensors, type Values, writtenBy } from './executeStep'
import type { OpCase } from './opCase'
import { dtypeOf } from './opFacts'

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const
const PAGE = 65536

/**
 * Memories between pages that nobody may touch: V8 surrounds those of WebAssembly with inaccessible ones, so that code need not check each access (its
 * documentation: "trap-based bounds checks", 64-bit platforms). Whoever reads or writes beyond an operand here ends the process by a signal.
 */
interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}
const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: new (size: { initial: number }) => Memory } }
const memories: Memory[] = []

function memory(slot: number, bytes: number): ArrayBuffer {
  memories[slot] ??= new WebAssembly.Memory({ initial: 1 })
  const missing = Math.ceil(bytes / PAGE) - memories[slot].buffer.byteLength / PAGE
  if (missing > 0) memories[slot].grow(missing)
  return memories[slot].buffer
}

export type Place = 'beginning' | 'end'

/**
 * What the native core makes of the tensors, each operand in a memory of its own, at its beginning or its end. The memories serve the next run, too: the
 * results are there only until then.
 */
export function runBetweenPages(binding: Binding, c: OpCase, tensors: Tensors, algorithm: string, place: Place): Record<string, Values> {
  const names = Object.keys(c.shapes)
  const views = names.map((name, slot) => {
    const Type = arrays[dtypeOf(c, name)]
    const length = sizeOf(c.shapes[name]!)
    const buffer = memory(slot, length * Type.BYTES_PER_ELEMENT)
    const view = new Type(buffer, place === 'end' ? buffer.byteLength - length * Type.BYTES_PER_ELEMENT : 0, length)
    if (tensors[name]) view.set(tensors[name])
    else new Uint8Array(buffer, view.byteOffset, view.byteLength).fill(0xff)
    return view
  })
  binding.execute(stepOf(c, algorithm), views, c.scalars)
  return Object.fromEntries(writtenBy(c).map((name) => [name, views[names.indexOf(name)]!]))
}
