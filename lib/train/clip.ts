import type { Value } from '../graph/value'
import { clipByNorm, clipByValue, l2Norm } from '../ops/clip'
import type { Clip } from './optimizers'

/** Adds to the graph what an optimizer's `clip` does to gradients, by parameter name; `undefined` stays: a gradient of zero. */
export function clipGradients(
  gradients: ReadonlyMap<string, Value | undefined>,
  clip: Clip | undefined,
): ReadonlyMap<string, Value | undefined> {
  if (!clip) return gradients
  const { value, norm, globalNorm } = clip
  let clipped = [...gradients]
  const each = (change: (gradient: Value) => Value) => {
    clipped = clipped.map(([name, gradient]) => [name, gradient && change(gradient)])
  }
  if (value !== undefined) each((gradient) => clipByValue(gradient, value))
  if (norm !== undefined) each((gradient) => clipByNorm(gradient, l2Norm([gradient]), norm))
  if (globalNorm !== undefined) {
    const all = clipped.flatMap(([, gradient]) => gradient ?? [])
    if (all.length > 0) {
      const total = l2Norm(all)
      each((gradient) => clipByNorm(gradient, total, globalNorm))
    }
  }
  return new Map(clipped)
}
