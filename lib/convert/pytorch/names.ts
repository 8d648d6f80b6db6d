import { checkOptions, invalid } from '../../check'
import { ConvlaneError } from '../../errors'
import { Model } from '../../model/model'
import { type Match, matching } from '../../train/match'
import { type Slot, slotsOf } from './slots'

/**
 * What layers here are called there: module names by layer (`{ conv2d: 'conv1', batchNorm: 'layer1.0.bn1' }`; layers that are not in it keep their names), or a
 * function of the layer's name. The full name of a weight, `'head/kernel'`, may stand for a layer, with the full name of the tensor there.
 */
export type PytorchNames = Readonly<Record<string, string>> | ((layer: string) => string)

/** Options of {@link exportPytorch}, and of {@link importPytorch} with some more. */
export interface PytorchOptions {
  /** What layers are called there. Default: as here. */
  readonly names?: PytorchNames
  /** Weights that are left out, by layer or full name, with `*`. Default: none. */
  readonly skip?: Match
}

/** The slots that options speak of, and which tensors of a file belong to what they leave out. Throws INVALID_ARGUMENT, UNSUPPORTED. */
export function slotsFor(
  model: Model<never, unknown>,
  file: unknown,
  options: PytorchOptions,
  label: string,
  more: readonly string[],
): { slots: Slot[]; isSkipped: (theirs: string) => boolean } {
  if (!(model instanceof Model)) throw invalid(label, 'model', 'a model', model)
  if (typeof file !== 'string' || file === '') throw invalid(label, 'file', 'a path', file)
  checkOptions(label, options, ['names', 'skip', ...more])
  const { architecture } = model
  const weights = architecture.layers.flatMap(({ name: layer, parameters }) =>
    parameters.map(({ name, shape }) => ({ name, layer, shape })),
  )
  const skipped = options.skip === undefined ? [] : matching(options.skip, weights, label)
  const names = new Set(skipped.map(({ name }) => name))
  const nameOf = namer(options.names ?? {}, [...architecture.layers.map(({ name }) => name), ...weights.map(({ name }) => name)], label)
  const slots = slotsOf(architecture, nameOf, (name) => !names.has(name))
  const taken = new Map<string, string>()
  for (const { name, theirs, addend } of slots) {
    for (const one of addend ? [theirs, addend] : [theirs]) {
      const other = taken.get(one)
      if (other !== undefined)
        throw new ConvlaneError('INVALID_ARGUMENT', `${label}: "${other}" and "${name}" are both called "${one}" there`, { received: one })
      taken.set(one, name)
    }
  }
  const left = skipped.map(({ name, layer }) => nameOf(layer, name, ''))
  return { slots, isSkipped: (theirs) => left.some((one) => (one.endsWith('.') ? theirs.startsWith(one) : theirs === one)) }
}

function namer(names: PytorchNames, known: readonly string[], label: string): (layer: string, weight: string, suffix: string) => string {
  const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''
  if (typeof names === 'function') {
    return (layer, _, suffix) => {
      const name: unknown = names(layer)
      if (!isName(name)) throw invalid(label, 'names', `a function that gives a name for "${layer}"`, name)
      return `${name}.${suffix}`
    }
  }
  if (typeof names !== 'object' || names === null || Array.isArray(names))
    throw invalid(label, 'names', 'an object of names, or a function', names)
  const all = new Map(Object.entries(names))
  for (const [name, theirs] of all) {
    if (!known.includes(name))
      throw invalid(label, 'names', `names of the layers and weights of the model, ${known.slice(0, 12).join(', ')}`, name)
    if (!isName(theirs)) throw invalid(label, `names["${name}"]`, 'a string, not empty', theirs)
  }
  return (layer, weight, suffix) => all.get(weight) ?? `${all.get(layer) ?? layer}.${suffix}`
}
