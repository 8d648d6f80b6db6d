import { checkOptions, invalid } from '../check'
import type { Attributes } from '../ops/op'
import { checkNumber } from '../shape'
import { type Match, matching, type WeightFacts } from './match'

/** Weights that the optimizer treats in a way of their own. */
export interface ParameterGroup {
  /** Which. A weight that several groups match belongs to the first. */
  readonly match: Match
  /** Times the optimizer's learning rate, which may be a schedule. Default 1. */
  readonly learningRateFactor?: number
  /** Instead of the optimizer's; 0 for none. Default: the optimizer's. */
  readonly weightDecay?: number
}

/** A group with the full names of its weights. */
export interface ResolvedGroup {
  readonly names: readonly string[]
  readonly learningRateFactor: number | undefined
  readonly weightDecay: number | undefined
}

/** Throws INVALID_ARGUMENT. */
export function resolveGroups(groups: unknown, weights: readonly WeightFacts[]): ResolvedGroup[] {
  if (!Array.isArray(groups)) throw invalid('compile', 'groups', 'an array of objects', groups)
  let left = weights
  return groups.map((group: ParameterGroup, index) => {
    const label = `compile: groups[${index}]`
    checkOptions(label, group, ['match', 'learningRateFactor', 'weightDecay'])
    const { match, learningRateFactor, weightDecay } = group
    for (const [name, value] of Object.entries({ learningRateFactor, weightDecay })) {
      if (value !== undefined) checkNumber(value, label, name, { low: 0 })
    }
    const matched = new Set(matching(match, weights, label))
    const names = left.filter((weight) => matched.has(weight)).map(({ name }) => name)
    left = left.filter((weight) => !matched.has(weight))
    return { names, learningRateFactor, weightDecay }
  })
}

/** Attributes of the update of a weight that are its group's. */
export function groupAttributes(groups: readonly ResolvedGroup[], name: string): Attributes {
  const { learningRateFactor = 1, weightDecay } = groups.find(({ names }) => names.includes(name)) ?? {}
  return {
    ...(learningRateFactor !== 1 && { rateFactor: learningRateFactor }),
    ...(weightDecay !== undefined && { weightDecay }),
  }
}

/** Groups as `compile` takes them, weights by name: JSON. */
export function groupsConfig(groups: readonly ResolvedGroup[]): ParameterGroup[] {
  return groups
    .filter(({ names }) => names.length > 0)
    .map(({ names, learningRateFactor, weightDecay }) => ({
      match: names,
      ...(learningRateFactor !== undefined && { learningRateFactor }),
      ...(weightDecay !== undefined && { weightDecay }),
    }))
}
