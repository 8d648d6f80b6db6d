import { ConvlaneError } from '../errors'
import type { AttributeValue } from '../ops/op'

/** Elements of an operand. Computation is in double precision whatever the array; results are rounded when they are stored. */
export type ReferenceData = Float64Array | Float32Array | Int32Array | Uint8Array

/** One operand of a step: row-major, contiguous. A view of the runtime's memory, so that writing it is the step's effect. */
export interface ReferenceOperand {
  readonly data: ReferenceData
  readonly shape: readonly number[]
}

/** One step of docs/steps.md with everything it needs to run. Optional operands that are left out are absent or `undefined`. */
export interface ReferenceStep {
  readonly operands: Readonly<Record<string, ReferenceOperand | undefined>>
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>
  readonly scalars: Readonly<Record<string, number>>
}

const missing = (what: string): ConvlaneError => new ConvlaneError('INVALID_STEP', `the step lacks ${what}`)

export function operand(step: ReferenceStep, name: string): ReferenceOperand {
  const found = step.operands[name]
  if (!found) throw missing(`operand ${name}`)
  return found
}

export function optional(step: ReferenceStep, name: string): ReferenceOperand | undefined {
  return step.operands[name]
}

export function numberOf(step: ReferenceStep, name: string, fallback?: number): number {
  const value = step.attributes[name] ?? fallback
  if (typeof value !== 'number') throw missing(`the number ${name}`)
  return value
}

export function flagOf(step: ReferenceStep, name: string): boolean {
  return step.attributes[name] === true
}

/** The numbers of an attribute in order, whether it is one number, an array, or arrays in an array. */
export function numbersOf(step: ReferenceStep, name: string): number[] {
  const value = step.attributes[name]
  if (typeof value === 'number') return [value]
  if (!Array.isArray(value)) throw missing(`the numbers ${name}`)
  return value.flat()
}

export function scalarOf(step: ReferenceStep, name: string): number {
  const value = step.scalars[name]
  if (value === undefined) throw missing(`the scalar ${name}`)
  return value
}

/** The learning rate of the run, times the step's own factor. */
export function rateOf(step: ReferenceStep): number {
  return scalarOf(step, 'learningRate') * numberOf(step, 'rateFactor', 1)
}

/**
 * How a window walks over an image: where its tap (kd, kh, kw) at output (od, oh, ow) lies is `od · strideD − front + kd · dilationD`, and so for
 * height and width. With fewer than three axes the first ones have a stride and a dilation of 1, and no padding.
 */
export interface Walk {
  readonly strideD: number
  readonly strideH: number
  readonly strideW: number
  readonly front: number
  readonly back: number
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
  readonly dilationD: number
  readonly dilationH: number
  readonly dilationW: number
}

export function walkOf(step: ReferenceStep): Walk {
  const [strideD, strideH, strideW] = windowSizes(numbersOf(step, 'stride'))
  const given = numbersOf(step, 'padding')
  const [front, back, top, bottom, left, right] = [...new Array(6 - given.length).fill(0), ...given] as number[]
  const [dilationD, dilationH, dilationW] = windowSizes(numbersOf(step, 'dilation'))
  return {
    strideD,
    strideH,
    strideW,
    front: front!,
    back: back!,
    top: top!,
    bottom: bottom!,
    left: left!,
    right: right!,
    dilationD,
    dilationH,
    dilationW,
  }
}

/** One to three numbers, one per axis, as those of depth, height and width: 1 for an axis that there is not. */
export function windowSizes(sizes: readonly number[]): [number, number, number] {
  if (sizes.length < 1 || sizes.length > 3) throw new ConvlaneError('INVALID_STEP', `expected one to three sizes, got [${sizes}]`)
  return [...new Array(3 - sizes.length).fill(1), ...sizes] as [number, number, number]
}

/** Rows and columns of an operand seen as a matrix whose columns are its last axis. */
export function asMatrix({ shape }: ReferenceOperand): { rows: number; columns: number } {
  const columns = shape.length === 0 ? 1 : shape[shape.length - 1]!
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), columns }
}
