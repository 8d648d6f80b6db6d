/** Points that curves by step have at most: about what a screen shows. */
const MOST = 1000

/** Numbers by step, in points that are means of `stride` steps in a row each. Where there would be too many, pairs of points become one. */
export class StepCurves {
  /** Steps in a point. */
  stride = 1
  /** Of each point, its last step. */
  readonly at: number[] = []
  /** Values of the points, by name. */
  readonly columns: Record<string, number[]> = {}
  readonly #sums: Record<string, number> = {}
  #count = 0

  /**
   * Adds a step.
   * @param values the same names each time
   * @returns whether points that were there before have changed
   */
  add(at: number, values: Readonly<Record<string, number>>): boolean {
    for (const name in values) {
      this.columns[name] ??= []
      this.#sums[name] = (this.#sums[name] ?? 0) + values[name]!
    }
    if (++this.#count < this.stride) return false
    this.at.push(at)
    for (const name in values) {
      this.columns[name]!.push(this.#sums[name]! / this.#count)
      this.#sums[name] = 0
    }
    this.#count = 0
    if (this.at.length < MOST) return false
    this.#halve()
    return true
  }

  #halve(): void {
    const half = this.at.length / 2
    for (let i = 0; i < half; i++) {
      this.at[i] = this.at[2 * i + 1]!
      for (const column of Object.values(this.columns)) column[i] = (column[2 * i]! + column[2 * i + 1]!) / 2
    }
    for (const column of [this.at, ...Object.values(this.columns)]) column.length = half
    this.stride *= 2
  }
}
