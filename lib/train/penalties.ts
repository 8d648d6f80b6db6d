import type { Value } from '../graph/value'
import type { Regularizer } from '../layers/regularizers'
import { add } from '../ops/add'
import { l2Norm } from '../ops/clip'
import { multiply } from '../ops/multiply'
import { scale } from '../ops/scale'
import { mean, sum } from '../ops/sum'
import { abs, sign } from '../ops/unary'

/** A tensor and what it adds to the loss. */
export interface Penalty {
  readonly value: Value
  readonly regularizer: Regularizer
}

const addAll = (terms: readonly Value[]): Value | undefined =>
  terms.reduce<Value | undefined>((all, term) => (all ? add(all, term) : term), undefined)

/** What weights add to the loss; it is not to be differentiated: {@link addPenaltyGradient} does that. */
export function weightPenalty(penalties: readonly Penalty[]): Value | undefined {
  const squared = new Map<number, Value[]>()
  const terms: Value[] = []
  for (const {
    value,
    regularizer: { l1 = 0, l2 = 0 },
  } of penalties) {
    if (l2 > 0) squared.set(l2, [...(squared.get(l2) ?? []), value])
    if (l1 > 0) terms.push(scale(sum(abs(value)), l1))
  }
  for (const [l2, values] of squared) {
    const norm = l2Norm(values)
    terms.push(scale(multiply(norm, norm), l2))
  }
  return addAll(terms)
}

/** The gradient of a weight with that of its penalty: l1 · sign(w) + 2 · l2 · w. */
export function addPenaltyGradient(gradient: Value | undefined, { value, regularizer: { l1 = 0, l2 = 0 } }: Penalty): Value | undefined {
  const terms = [...(l2 > 0 ? [scale(value, 2 * l2)] : []), ...(l1 > 0 ? [scale(sign(value), l1)] : [])]
  return addAll(gradient ? [gradient, ...terms] : terms)
}

/** What results of layers add to the loss: the sum over a sample, the mean over the batch. */
export function activityPenalty(penalties: readonly Penalty[]): Value | undefined {
  return addAll(
    penalties.flatMap(({ value, regularizer: { l1 = 0, l2 = 0 } }) => {
      const elements = value.shape.slice(1).reduce<number>((product, size) => product * size!, 1)
      return [
        ...(l1 > 0 ? [scale(mean(abs(value)), l1 * elements)] : []),
        ...(l2 > 0 ? [scale(mean(multiply(value, value)), l2 * elements)] : []),
      ]
    }),
  )
}
