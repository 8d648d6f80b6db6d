import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import type { Architecture } from './architecture'

/** Names of the classes that a model tells apart, checked: a copy that stays as it is. Throws INVALID_ARGUMENT. */
export function checkClassNames(value: unknown, { outputs }: Pick<Architecture, 'outputs'>, label: string): readonly string[] {
  const classes = classesOf(outputs)
  const areNames = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
  if (!areNames) throw invalid(label, 'classNames', 'an array of strings, by class number', value)
  if (classes === undefined) {
    const message = `${label}: classNames are for a model of one output [N, K], this one gives ${outputs.map(({ shape }) => `[N, ${shape.join(', ')}]`).join(' and ')}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: value })
  }
  if (value.length > classes) throw invalid(label, 'classNames', `at most ${classes} names, one for each class`, value)
  return Object.freeze([...value])
}

/** How many classes a model tells apart: two with a single number, the probability of the second; nothing where its output is of another kind. */
function classesOf(outputs: Architecture['outputs']): number | undefined {
  const [output, ...others] = outputs
  if (others.length > 0 || output!.shape.length !== 1) return undefined
  return Math.max(2, output!.shape[0]!)
}

/**
 * What the model's names become by those of data sets: the longest list, where all begin alike. Data that has none, or is for a model that does not give one row
 * of classes, changes nothing.
 * @throws INVALID_ARGUMENT where one number has two names: the model would learn, or be measured by, other classes than it says
 */
export function joinedClassNames(
  own: readonly string[] | undefined,
  all: readonly unknown[],
  architecture: Pick<Architecture, 'outputs'>,
  label: string,
): readonly string[] | undefined {
  if (classesOf(architecture.outputs) === undefined) return own
  return all.reduce<readonly string[] | undefined>((before, data) => {
    const given = (data as { readonly classNames?: unknown } | undefined)?.classNames
    if (given === undefined) return before
    const names = checkClassNames(given, architecture, `${label}: data`)
    const at = before ? names.findIndex((name, k) => k < before.length && name !== before[k]) : -1
    if (at >= 0) {
      const what = `class ${at} is "${names[at]}" in the data and "${before![at]}" in the ${before === own ? 'model' : 'other data'}`
      const hint = before === own ? ": set model.classNames to the data's if that is meant" : ''
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${what}${hint}`, { expected: before, received: names })
    }
    return before && before.length >= names.length ? before : names
  }, own)
}
