import type { Tensor } from '../tensor'

/** Of the elements of one tensor, in double precision. */
export interface TensorStatistics {
  /** Sum by number of elements. */
  readonly mean: number
  /** Root of the mean square distance from the mean. */
  readonly deviation: number
  /** Smallest element. */
  readonly min: number
  /** Largest element. */
  readonly max: number
  /** Root of the sum of squares. */
  readonly norm: number
  /** Share of elements that are 0. */
  readonly zeros: number
  /** How many are NaN or infinite: then mean, deviation and norm are not finite either. */
  readonly notFinite: number
}

/** Statistics of tensors by name: of what `getWeights` or `getGradients` gives. */
export function tensorStatistics(tensors: Readonly<Record<string, Tensor>>): Record<string, TensorStatistics> {
  return Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, statisticsOf(data)]))
}

function statisticsOf(data: Float32Array): TensorStatistics {
  let [sum, squares, min, max, zeros, notFinite] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (const value of data) {
    sum += value
    squares += value * value
    if (value < min) min = value
    if (value > max) max = value
    if (value === 0) zeros++
    if (!Number.isFinite(value)) notFinite++
  }
  const mean = sum / data.length
  let distances = 0
  for (const value of data) distances += (value - mean) ** 2
  return { mean, deviation: Math.sqrt(distances / data.length), min, max, norm: Math.sqrt(squares), zeros: zeros / data.length, notFinite }
}
