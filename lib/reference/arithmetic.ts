import { binaryOf } from './broadcast'
import { mapOf } from './elementwise'
import type { ReferenceStep } from './step'

export const multiply = binaryOf((a, b) => a * b)
export const sub = binaryOf((a, b) => a - b)
export const div = binaryOf((a, b) => a / b)
/** As in C: JavaScript has NaN for 1 to the power of NaN and of infinities. */
export const pow = binaryOf((a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b))
export const minimum = binaryOf((a, b) => Math.min(a, b))
export const maximum = binaryOf((a, b) => Math.max(a, b))
/** a where it is positive, else a · b; 0 is added so that no result is −0. */
export const prelu = binaryOf((a, b) => (a > 0 ? a : 0 + a * b))
export const equal = binaryOf((a, b) => (a === b ? 1 : 0))
export const notEqual = binaryOf((a, b) => (a === b ? 0 : 1))
export const less = binaryOf((a, b) => (a < b ? 1 : 0))
export const lessEqual = binaryOf((a, b) => (a <= b ? 1 : 0))

export const exp = mapOf(Math.exp)
export const log = mapOf(Math.log)
export const sqrt = mapOf(Math.sqrt)
export const abs = mapOf(Math.abs)
export const sign = mapOf(Math.sign)

/** Between the bounds that there are. */
export function clip(step: ReferenceStep): void {
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = step.attributes as { low?: number; high?: number }
  mapOf((x) => Math.min(high, Math.max(low, x)))(step)
}
