import { invalid } from '../check'
import { ConvlaneError } from '../errors'

/** A weight tensor of a model, as a {@link Match} sees it. */
export interface WeightFacts {
  /** Its full name: `conv2d_1/kernel`. */
  readonly name: string
  /** Name of its layer. */
  readonly layer: string
  /** Its sizes. */
  readonly shape: readonly number[]
}

/**
 * Which weights: by the names of their layers (`'conv2d_1'`, `'conv*'`) or, with a `/`, by their full names (`'*\/bias'`), `*` standing for any part of a name;
 * several such patterns; or a function that says so of each, as `({ shape }) => shape.length < 2`.
 */
export type Match = string | readonly string[] | ((weight: WeightFacts) => boolean)

/** Whether a pattern is the name; `*` stands for any number of characters but `/`. */
export function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^/]*')}$`).test(name)
}

/** A match as a list of patterns or a function. Throws INVALID_ARGUMENT. */
export function checkMatch(match: unknown, label: string): readonly string[] | ((weight: WeightFacts) => boolean) {
  if (typeof match === 'function') return match as (weight: WeightFacts) => boolean
  const patterns: unknown = typeof match === 'string' ? [match] : match
  const isPattern = (pattern: unknown) => typeof pattern === 'string' && pattern !== ''
  if (Array.isArray(patterns) && patterns.length > 0 && patterns.every(isPattern)) return patterns
  throw invalid(label, 'match', 'a name or pattern, several of them, or a function', match)
}

/** The weights that match, each pattern at least one. Throws INVALID_ARGUMENT. */
export function matching(match: unknown, weights: readonly WeightFacts[], label: string): WeightFacts[] {
  const checked = checkMatch(match, label)
  if (typeof checked === 'function') return weights.filter((weight) => checked(weight) === true)
  const isMeant = (pattern: string) => (weight: WeightFacts) => fits(pattern, pattern.includes('/') ? weight.name : weight.layer)
  const idle = checked.find((pattern) => !weights.some(isMeant(pattern)))
  if (idle !== undefined) throw nothing(idle, weights, label)
  return weights.filter((weight) => checked.some((pattern) => isMeant(pattern)(weight)))
}

/** The error for a pattern that nothing matches. */
export function nothing(pattern: string, weights: readonly WeightFacts[], label: string): ConvlaneError {
  const names = weights.map(({ name }) => name)
  const known = `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`
  const message = `${label}: no weight matches "${pattern}"; there are ${known || 'none'}`
  return new ConvlaneError('INVALID_ARGUMENT', message, { expected: names, received: pattern })
}
