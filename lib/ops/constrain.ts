import { ConvlaneError } from '../errors'
import { checkInteger, checkNumber, elementCount, valueText } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import type { Attributes } from './op'
import { checkOptions, type OpOptions } from './options'
import { runUpdate } from './update'

/**
 * What a parameter must be after each update; it is brought there at the update's end. Norms are those of the incoming weights of one output: of a kernel
 * over all axes but that of the outputs (Keras: axis `[0, 1, 2]` of a 2-D convolution), of a vector, as a bias is, over all of it.
 * - `{ maxNorm }`: a norm above this is scaled down to it (Srivastava and others, "Dropout", 2014). One below stays as it is (PyTorch's `renorm`; Keras
 *   divides by norm + 1e-7 in any case)
 * - `'unitNorm'`: every norm is scaled to 1; zeros stay
 * - `'nonNegative'`: what is below 0 becomes 0
 */
export type Constraint = { readonly maxNorm: number } | 'unitNorm' | 'nonNegative'

/** A shape as `[before, outputs, after]`: norms are over the first and the last. */
export type Incoming = readonly [before: number, outputs: number, after: number]

export interface ConstrainOptions extends OpOptions {
  /** The shape as `[before, outputs, after]`. Default: the last axis is the outputs', `[…, outputs, 1]`; of a vector, one norm. */
  readonly incoming?: Incoming | undefined
}

/** Throws INVALID_ARGUMENT. */
export function checkConstraint(value: unknown, label: string, argument: string): Constraint {
  if (value === 'unitNorm' || value === 'nonNegative') return value
  const { maxNorm } = (value ?? {}) as { maxNorm?: unknown }
  if (maxNorm === undefined || Object.keys(value as object).length > 1) {
    const expected = "{ maxNorm }, 'unitNorm' or 'nonNegative'"
    const message = `${label}: ${argument} must be ${expected}, received ${valueText(value)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { expected, received: value })
  }
  if (checkNumber(maxNorm, `${label}: ${argument}`, 'maxNorm', { low: 0 }) > 0) return value as Constraint
  throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${argument}: maxNorm must be above 0, received 0`, { received: 0 })
}

/** Attributes of the step `constrain`. */
export function constrainAttributes(constraint: Constraint, shape: readonly number[], incoming?: Incoming): Attributes {
  const elements = shape.reduce((product, size) => product * size, 1)
  const last = shape.at(-1) ?? 1
  const view = incoming ?? (shape.length < 2 ? [1, 1, elements] : [elements / last, last, 1])
  if (typeof constraint === 'string') return { rule: constraint, incoming: view }
  return { rule: 'maxNorm', limit: constraint.maxNorm, incoming: view }
}

/**
 * Weights brought to where a constraint has them, as at the end of an update. Gives a new tensor.
 * Throws `INVALID_ARGUMENT`, `INVALID_SHAPE` when `incoming` is of another size, and what a bad tensor throws.
 */
export function constrain(w: Tensor, constraint: Constraint, options: ConstrainOptions = {}): Tensor {
  checkOptions(options, ['incoming'], 'constrain')
  checkTensor(w, 'constrain', 'w')
  const { incoming } = options
  if (incoming !== undefined) {
    for (const size of incoming) checkInteger(size, 'constrain', 'incoming')
    if (incoming.length !== 3 || elementCount(incoming, 'constrain') !== elementCount(w.shape, 'constrain')) {
      const message = `constrain: incoming must be three sizes of as many elements as [${w.shape}], received ${valueText(incoming)}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: w.shape, received: incoming })
    }
  }
  const attributes = constrainAttributes(checkConstraint(constraint, 'constrain', 'constraint'), w.shape, incoming)
  return runUpdate('constrain', { param: w }, attributes, {}, options).param!
}
