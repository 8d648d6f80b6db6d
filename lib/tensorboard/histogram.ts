/** What an event file says about many numbers. */
export interface Histogram {
  readonly min: number
  readonly max: number
  /** How many. */
  readonly num: number
  readonly sum: number
  readonly sumSquares: number
  /** Upper ends of the buckets, rising; a bucket has the numbers from the end of the one before to just below its own. */
  readonly bucketLimit: readonly number[]
  /** How many numbers are in each. */
  readonly bucket: readonly number[]
}

/** Upper ends of all buckets: 0, and up to 10²⁰ on both sides of it each end 1.1 times the one before, from 10⁻¹² on. TensorFlow's rule, to the bit. */
let ends: Float64Array | undefined

function bucketEnds(): Float64Array {
  if (ends) return ends
  const positive: number[] = []
  for (let end = 1e-12; end < 1e20; end *= 1.1) positive.push(end)
  positive.push(Number.MAX_VALUE)
  ends = Float64Array.from([...positive.map((end) => -end).reverse(), 0, ...positive])
  return ends
}

/** Where the first number is that is not finite; -1 where all are. */
export function firstNotFinite(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}

/** Elements that are counted in one go, about a millisecond. */
export const SLICE = 2 ** 16

/** Counts numbers, a slice at a time. */
export class HistogramCounter {
  readonly #counts = new Float64Array(bucketEnds().length)
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #num = 0
  #sum = 0
  #sumSquares = 0

  /** All must be finite. */
  add(values: ArrayLike<number>): void {
    const limits = bucketEnds()
    const last = limits.length - 1
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      let [low, high] = [0, last]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (limits[middle]! > value) high = middle
        else low = middle + 1
      }
      this.#counts[low]!++
      if (value < this.#min) this.#min = value
      if (value > this.#max) this.#max = value
      this.#sum += value
      this.#sumSquares += value * value
    }
    this.#num += values.length
  }

  /** Buckets in a row that are empty are one. */
  get histogram(): Histogram {
    const limits = bucketEnds()
    const [bucketLimit, bucket]: number[][] = [[], []]
    this.#counts.forEach((count, index) => {
      const isRun = count === 0 && bucket!.at(-1) === 0
      if (isRun) bucketLimit![bucketLimit!.length - 1] = limits[index]!
      else {
        bucketLimit!.push(limits[index]!)
        bucket!.push(count)
      }
    })
    return {
      min: this.#min,
      max: this.#max,
      num: this.#num,
      sum: this.#sum,
      sumSquares: this.#sumSquares,
      bucketLimit: bucketLimit!,
      bucket: bucket!,
    }
  }
}
