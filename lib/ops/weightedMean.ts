import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { div } from './arithmetic'
import { type Operand, typeOf } from './call'
import { equal } from './compare'
import { multiply } from './multiply'
import { checkOptions, type OpOptions } from './options'
import { mean, sum } from './sum'
import { where } from './where'

/**
 * Σ w · v / Σ w over the rows of `values [N, ...]`, v being the mean of a row and w its weight of `weights [N]`; 0 where all weights are 0. What a loss of
 * your own is with sample weights. Throws `INVALID_SHAPE`, and what a bad tensor throws.
 */
export function weightedMean(values: Tensor, weights: Tensor, options?: OpOptions): Tensor
export function weightedMean(values: Value, weights: Value, options?: OpOptions): Value
export function weightedMean(values: Operand, weights: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('weightedMean', options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(values, label, 'values')
  const { shape: given } = typeOf(weights, label, 'weights')
  if (shape.length === 0 || given.length !== 1 || given[0] !== shape[0]) {
    const message = `${label}: weights must have shape ${shapeText(shape.slice(0, 1))} for values ${shapeText(shape)}, received ${shapeText(given)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape.slice(0, 1), received: given })
  }
  const run = { runtime: options.runtime, name: options.name }
  const axes = shape.slice(1).map((_, axis) => axis + 1)
  // Written for values; primitives take tensors likewise.
  const rows = axes.length > 0 ? mean(values as Value, { ...run, axes }) : (values as Value)
  const all = sum(weights as Value, run)
  return div(sum(multiply(rows, weights as Value, run), run), where(equal(all, 0, run), 1, all, run), run)
}
