/** Whether one score comes before another: the larger one, and NaN before every number, as in PyTorch. */
export const exceeds = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b))

/** Where the largest score is: the first one where several are alike. */
export function firstLargest(scores: ArrayLike<number>): number {
  let best = 0
  for (let k = 1; k < scores.length; k++) if (exceeds(scores[k]!, scores[best]!)) best = k
  return best
}
