import type { Value } from '../graph/value'
import { clipByNorm, clipByValue, l2Norm } from '../ops/clip'
import type { Clip } from './optimizers'

/** The norm of all gradients together; nothing where there are none. */
export function totalNorm(gradients: ReadonlyMap<string, Value | undefined>): Value | undefined {
  const all = [...gradients.values()].flatMap((gradient) => gradient ?? [])
  return all.length > 0 ? l2Norm(all) : undefined
}

/** Adds to the graph what an optimizer's `clip` does to gradients, by parameter name; `undefined` stays: a gradient of zero. `total`: their norm. */
export function clipGradients(
  gradients: ReadonlyMap<string, Value | undefined>,
  total: Value | undefined,
  clip: Clip | undefined,
): ReadonlyMap<string, Value | undefined> {
  if (!clip) return gradients
  const { value, norm: own, globalNorm } = clip
  let clipped = [...gradients]
  const each = (change: (gradient: Value) => Value) => {
    clipped = clipped.map(([name, gradient]) => [name, gradient && change(gradient)])
  }
  if (value !== undefined) each((gradient) => clipByValue(gradient, value))
  if (own !== undefined) each((gradient) => clipByNorm(gradient, l2Norm([gradient]), own))
  if (globalNorm !== undefined) {
    const norm = value === undefined && own === undefined ? total : totalNorm(new Map(clipped))
    if (norm) each((gradient) => clipByNorm(gradient, norm, globalNorm))
  }
  return new Map(clipped)
}
