import type { Binding, Dtype, Operand, Step } from '../../binding'
import { reference } from '../../lib/reference'
import type { ReferenceOperand } from '../../lib/reference/step'
import { sizeOf } from './compute'
import type { OpCase } from './opCase'
import { dtypeOf, opFacts, valuesOf } from './opFacts'
import { Random, seedOf } from './random'
import { firstOtherBit } from './tolerance'

export type Values = Float32Array | Int32Array | Uint8Array
export type Tensors = Readonly<Record<string, Values>>

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const
/** Around and in operands before they are written: whoever reads them gets NaN or nonsense, whoever writes them is noticed. */
const sentinels = { float32: Number.NaN, int32: -123456789, uint8: 0xa5 } as const

export const writtenBy = (c: OpCase): string[] => {
  const { outputs, updates = [] } = opFacts[c.op]!
  return [...outputs, ...updates].filter((name) => c.shapes[name])
}
export const readBy = (c: OpCase): string[] => Object.keys(c.shapes).filter((name) => !opFacts[c.op]!.outputs.includes(name))

const tensors = new WeakMap<OpCase, Record<number, Tensors>>()

/** The values that a case's step reads, the same on every run. */
export function tensorsOf(c: OpCase, whole: boolean): Tensors {
  const made = tensors.get(c)?.[Number(whole)]
  if (made) return made
  const random = new Random(seedOf(c.name))
  const values = Object.fromEntries(readBy(c).map((name) => [name, new arrays[dtypeOf(c, name)](valuesOf(c, name, random, whole))]))
  tensors.set(c, { ...tensors.get(c), [Number(whole)]: values })
  return values
}

/** What the reference makes of the tensors: the operands that the step writes, in double precision. */
export function runReference(c: OpCase, tensors: Tensors): Record<string, Float64Array> {
  const operands: Record<string, ReferenceOperand & { data: Float64Array }> = {}
  for (const [name, shape] of Object.entries(c.shapes))
    operands[name] = { shape, data: tensors[name] ? new Float64Array(tensors[name]) : new Float64Array(sizeOf(shape)).fill(Number.NaN) }
  reference[c.op]!({ operands, attributes: c.attributes, scalars: c.scalars ?? {} })
  return Object.fromEntries(writtenBy(c).map((name) => [name, operands[name]!.data]))
}

export const operandOf = (c: OpCase, name: string, place: Pick<Operand, 'space' | 'offset' | 'batched'>): Operand => ({
  ...place,
  dtype: dtypeOf(c, name),
  shape: c.shapes[name]!,
})

/** The output that is written over `over`. */
const aliasOf = (c: OpCase, over?: string) => (over === undefined ? undefined : opFacts[c.op]!.outputs[0]!)

/** The case's step for `execute`: each operand is the buffer of its number in the order of `shapes`, the output that of `over` if given. */
export function stepOf(c: OpCase, algorithm?: string, over?: string): Step {
  const alias = aliasOf(c, over)
  const names = Object.keys(c.shapes).filter((name) => name !== alias)
  const numberOf = (name: string) => names.indexOf(name === alias ? over! : name)
  const operands = Object.keys(c.shapes).map((name) => [
    name,
    operandOf(c, name, { space: 'buffer', offset: numberOf(name), batched: false }),
  ])
  return { ...c.attributes, ...(algorithm && { algorithm }), ...Object.fromEntries(operands), op: c.op }
}

const GUARD = 67

interface Guarded {
  readonly dtype: Dtype
  readonly whole: Values
  readonly inner: Values
}

/** An operand with guard zones on both sides. Its first element lies at an odd multiple of its size, as a caller's array may. */
function operandBuffer(c: OpCase, tensors: Tensors, name: string): Guarded {
  const dtype = dtypeOf(c, name)
  const size = sizeOf(c.shapes[name]!)
  const whole = new arrays[dtype](size + 2 * GUARD).fill(sentinels[dtype])
  const inner = whole.subarray(GUARD, GUARD + size)
  if (tensors[name]) inner.set(tensors[name])
  return { dtype, whole, inner }
}

const readables = new WeakMap<Values, Guarded>()

/** The buffer of an operand that is only read: one for all runs, since each run checks that nothing changed it. */
function readable(c: OpCase, tensors: Tensors, name: string): Guarded {
  const made = readables.get(tensors[name]!) ?? operandBuffer(c, tensors, name)
  readables.set(tensors[name]!, made)
  return made
}

/** What a guard zone holds as long as nobody writes there. */
const zones = {
  float32: new Float32Array(GUARD).fill(sentinels.float32),
  int32: new Int32Array(GUARD).fill(sentinels.int32),
  uint8: new Uint8Array(GUARD).fill(sentinels.uint8),
} as const

/**
 * What the native core makes of the tensors. Throws when it touched a guard zone or an operand that it should only read. The output is written
 * over the operand `over` if given.
 */
export function runNative(binding: Binding, c: OpCase, tensors: Tensors, algorithm?: string, over?: string): Record<string, Values> {
  const alias = aliasOf(c, over)
  const names = Object.keys(c.shapes).filter((name) => name !== alias)
  const written = writtenBy(c)
  const isRead = (name: string) => !written.includes(name) && name !== over
  const buffers = names.map((name) => ({ name, ...(isRead(name) ? readable(c, tensors, name) : operandBuffer(c, tensors, name)) }))
  binding.execute(
    stepOf(c, algorithm, over),
    buffers.map(({ inner }) => inner),
    c.scalars,
  )
  for (const { name, dtype, whole, inner } of buffers) {
    const isChanged = (zone: Values) => firstOtherBit(zone, zones[dtype]) !== undefined
    if (isChanged(whole.subarray(0, GUARD)) || isChanged(whole.subarray(GUARD + inner.length)))
      throw new Error(`${c.name}: wrote beyond ${name}`)
    if (isRead(name) && firstOtherBit(inner, tensors[name]!) !== undefined)
      throw new Error(`${c.name}: changed ${name}, which is only read`)
  }
  const innerOf = (name: string) => buffers.find((buffer) => buffer.name === (name === alias ? over : name))!.inner
  return Object.fromEntries(written.map((name) => [name, innerOf(name)]))
}
