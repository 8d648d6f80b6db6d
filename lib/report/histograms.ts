import { checkOptions } from '../check'
import type { Model } from '../model/model'
import { checkInteger } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import { checkModel } from './checkModel'

/** How the numbers of a tensor are spread. */
export interface Histogram {
  /** From the least finite number to the largest: one more than there are counts, evenly apart. */
  readonly edges: readonly number[]
  /** How many numbers lie between two edges; one that lies on an edge counts above it, on the last one below. */
  readonly counts: readonly number[]
  /** How many are NaN or infinite, and counted nowhere. */
  readonly notFinite: number
}

/** Options of {@link histogram} and {@link weightHistograms}. */
export interface HistogramOptions {
  /** How many parts, 1 to 10,000. Default 32. */
  readonly bins?: number
}

/**
 * Counts the numbers of a tensor in even parts between the least and the largest that are finite. Where all are alike, the parts lie around it, over a range of 1.
 * Where none is finite, all counts are 0, and the edges go from 0 to 1.
 * @throws INVALID_ARGUMENT, INVALID_TENSOR, INVALID_DTYPE
 */
export function histogram(tensor: Tensor, options: HistogramOptions = {}): Histogram {
  checkOptions('histogram', options, ['bins'])
  checkTensor(tensor, 'histogram', 'tensor')
  const bins = checkInteger(options.bins ?? 32, 'histogram', 'bins', 1, 10_000)
  let [low, high, notFinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of tensor.data) {
    if (!Number.isFinite(value)) notFinite++
    else {
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  if (low > high) [low, high] = [0, 1]
  else if (low === high) [low, high] = [low - 0.5, high + 0.5]
  const counts = new Array<number>(bins).fill(0)
  const factor = bins / (high - low)
  for (const value of tensor.data) {
    if (Number.isFinite(value)) counts[Math.min(bins - 1, Math.floor((value - low) * factor))]!++
  }
  const edges = Array.from({ length: bins + 1 }, (_, k) => (k === bins ? high : low + ((high - low) * k) / bins))
  return { edges, counts, notFinite }
}

/**
 * The histogram of every weight tensor, by its name.
 * @throws INVALID_ARGUMENT
 */
export async function weightHistograms(model: Model<never, unknown>, options: HistogramOptions = {}): Promise<Record<string, Histogram>> {
  checkModel(model, 'weightHistograms')
  return Object.fromEntries(Object.entries(await model.getWeights()).map(([name, tensor]) => [name, histogram(tensor, options)]))
}
