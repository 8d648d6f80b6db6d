import type { Binding, Dtype, Operand, Step } from '../../binding'
import { reference } from '../../lib/reference'
import type { ReferenceOperand } from '../../lib/reference/step'
import { sizeOf } from './compute'
import type { OpCase } from './opCase'
import { dtypeOf, opFacts, valuesOf } from './opFacts'
import { Random, seedOf } from './random'

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

/** The values that a case's step reads, the same on every run. */
export function tensorsOf(c: OpCase, whole: boolean): Tensors {
  const random = new Random(seedOf(c.name))
  return Object.fromEntries(readBy(c).map((name) => [name, arrays[dtypeOf(c, name)].from(valuesOf(c, name, random, whole))]))
}

/** What the reference makes of the tensors: the operands that the step writes, in double precision. */
export function runReference(c: OpCase, tensors: Tensors): Record<string, Float64Array> {
  const operands: Record<string, ReferenceOperand & { data: Float64Array }> = {}
  for (const [name, shape] of Object.entries(c.shapes))
    operands[name] = { shape, data: tensors[name] ? Float64Array.from(tensors[name]) : new Float64Array(sizeOf(shape)).fill(Number.NaN) }
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

/** An operand with guard zones on both sides. Its first element lies at an odd multiple of its size, as a caller's array may. */
function guarded(dtype: Dtype, size: number): { whole: Values; inner: Values } {
  const whole = new arrays[dtype](size + 2 * GUARD).fill(sentinels[dtype])
  return { whole, inner: whole.subarray(GUARD, GUARD + size) }
}

const isIntact = (values: Values, sentinel: number): boolean => values.every((value) => Object.is(value, sentinel))

/**
 * What the native core makes of the tensors. Throws when it touched a guard zone or an operand that it should only read. The output is written
 * over the operand `over` if given.
 */
export function runNative(binding: Binding, c: OpCase, tensors: Tensors, algorithm?: string, over?: string): Record<string, Values> {
  const alias = aliasOf(c, over)
  const names = Object.keys(c.shapes).filter((name) => name !== alias)
  const buffers = names.map((name) => {
    const dtype = dtypeOf(c, name)
    const buffer = guarded(dtype, sizeOf(c.shapes[name]!))
    if (tensors[name]) buffer.inner.set(tensors[name])
    return { name, dtype, ...buffer }
  })
  binding.execute(
    stepOf(c, algorithm, over),
    buffers.map(({ inner }) => inner),
    c.scalars,
  )
  const written = writtenBy(c)
  for (const { name, dtype, whole, inner } of buffers) {
    const zones = [whole.subarray(0, GUARD), whole.subarray(GUARD + inner.length)]
    if (!zones.every((zone) => isIntact(zone, sentinels[dtype]))) throw new Error(`${c.name}: wrote beyond ${name}`)
    if (!written.includes(name) && name !== over && inner.some((value, i) => !Object.is(value, tensors[name]![i])))
      throw new Error(`${c.name}: changed ${name}, which is only read`)
  }
  const innerOf = (name: string) => buffers.find((buffer) => buffer.name === (name === alias ? over : name))!.inner
  return Object.fromEntries(written.map((name) => [name, innerOf(name)]))
}
