import type { Attributes } from '../../lib/ops/op'
import { reference } from '../../lib/reference'
import type { ReferenceOperand } from '../../lib/reference/step'

export interface Input {
  readonly shape: readonly number[]
  readonly data: readonly number[] | Float64Array
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** Runs one op of the reference in double precision on copies; returns what became of every operand. */
export function compute(
  op: string,
  inputs: Readonly<Record<string, Input>>,
  outputs: Readonly<Record<string, readonly number[]>>,
  attributes: Attributes = {},
  scalars: Readonly<Record<string, number>> = {},
): Record<string, Float64Array> {
  const operands: Record<string, ReferenceOperand & { data: Float64Array }> = {}
  for (const [name, { shape, data }] of Object.entries(inputs)) {
    if (sizeOf(shape) !== data.length) throw new Error(`${op}: ${name} has ${data.length} elements for [${shape}]`)
    operands[name] = { shape, data: Float64Array.from(data) }
  }
  for (const [name, shape] of Object.entries(outputs)) operands[name] = { shape, data: new Float64Array(sizeOf(shape)).fill(Number.NaN) }
  const run = reference[op]
  if (!run) throw new Error(`the reference has no op ${op}`)
  run({ operands, attributes, scalars })
  return Object.fromEntries(Object.entries(operands).map(([name, { data }]) => [name, data]))
}

/** One image of one channel. */
export const image = (rows: readonly (readonly number[])[]): Input => ({ shape: [1, rows.length, rows[0]!.length, 1], data: rows.flat() })
/** One filter for one channel. */
export const filter = (rows: readonly (readonly number[])[]): Input => ({ shape: [rows.length, rows[0]!.length, 1, 1], data: rows.flat() })
/** A single row of the shape that its length says. */
export const vector = (data: readonly number[]): Input => ({ shape: [data.length], data })

/** Attributes of a convolution without stride, padding, dilation or groups, changed by what is given. */
export const convolution = (changes: Attributes = {}): Attributes => ({
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
  groups: 1,
  activation: 'linear',
  algorithm: 'auto',
  ...changes,
})

/** Central differences of a function of many numbers, which is called with the same array changed in place. */
export function differences(f: () => number, x: Float64Array, h = 1e-5): Float64Array {
  return x.map((value, i) => {
    x[i] = value + h
    const above = f()
    x[i] = value - h
    const below = f()
    x[i] = value
    return (above - below) / (2 * h)
  })
}
