import { checkMatch, fits, type Match, nothing, type WeightFacts } from '../train/match'
import type { Architecture, PlacedLayer } from './architecture'

/** What training leaves alone: names of layers, as a whole, and full names of parameters. */
export type Frozen = ReadonlySet<string>

/** The layers that are made with `trainable: false`. */
export function frozenAtFirst(layers: readonly PlacedLayer[]): Frozen {
  return new Set(layers.filter(({ layer }) => !layer.trainable).map(({ name }) => name))
}

/** What the optimizer may change of a layer, frozen or not. */
const trainedOf = ({ name: layer, parameters }: PlacedLayer): WeightFacts[] =>
  parameters.filter(({ trained = true }) => trained).map(({ name, shape }) => ({ name, layer, shape }))

/** What the optimizer may change, frozen or not, in order. */
export function trainableWeights({ layers }: Architecture): WeightFacts[] {
  return layers.flatMap(trainedOf)
}

/** Full names of the parameters that training changes, in order. */
export function trainedNames(architecture: Architecture): string[] {
  const { frozen } = architecture
  return trainableWeights(architecture)
    .filter(({ name, layer }) => !frozen.has(layer) && !frozen.has(name))
    .map(({ name }) => name)
}

/** Whether training leaves all of a layer alone. */
export function isFrozen(frozen: Frozen, layer: PlacedLayer): boolean {
  const trained = trainedOf(layer)
  return frozen.has(layer.name) || (trained.length > 0 && trained.every(({ name }) => frozen.has(name)))
}

/** What is frozen once more is, or less. Throws INVALID_ARGUMENT for patterns that nothing matches. */
export function changeFrozen(architecture: Architecture, match: Match, freeze: boolean, label: string): Frozen {
  const { layers } = architecture
  const checked = checkMatch(match, label)
  const patterns = typeof checked === 'function' ? [] : checked
  const isMeant = (weight: WeightFacts) =>
    typeof checked === 'function'
      ? checked(weight) === true
      : patterns.some((pattern) => pattern.includes('/') && fits(pattern, weight.name))
  const ofLayers = (pattern: string) => layers.filter(({ name }) => !pattern.includes('/') && fits(pattern, name))
  for (const pattern of patterns) {
    const isIdle = pattern.includes('/')
      ? !trainableWeights(architecture).some(({ name }) => fits(pattern, name))
      : ofLayers(pattern).length === 0
    if (isIdle) throw nothing(pattern, trainableWeights(architecture), label)
  }
  const whole = new Set(patterns.flatMap(ofLayers))
  const frozen = new Set<string>()
  for (const layer of layers) {
    const was = architecture.frozen.has(layer.name)
    if (whole.has(layer)) {
      if (freeze) frozen.add(layer.name)
      continue
    }
    const meant = new Set(
      trainedOf(layer)
        .filter(isMeant)
        .map(({ name }) => name),
    )
    if (was && (freeze || meant.size === 0)) frozen.add(layer.name)
    else {
      for (const { name } of trainedOf(layer)) if (meant.has(name) ? freeze : was || architecture.frozen.has(name)) frozen.add(name)
    }
  }
  return frozen
}

/** Whether the names are layers or trained parameters of the model: what a file may hold. */
export function areKnown(architecture: Architecture, names: readonly string[]): boolean {
  const known = new Set([...architecture.layers.map(({ name }) => name), ...trainableWeights(architecture).map(({ name }) => name)])
  return names.every((name) => known.has(name))
}
