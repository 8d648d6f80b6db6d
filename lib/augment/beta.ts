/** Quantiles between which shares are interpolated: their number less one is a power of two. */
const QUANTILES = 1025

/** log Γ(x), x > 0: Lanczos' approximation with g = 7 and nine terms, good to about 1e-15. */
function logGamma(x: number): number {
  const terms = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
    9.9843695780195716e-6, 1.5056327351493116e-7,
  ]
  const series = terms.reduce((sum, term, index) => sum + term / (x + index), 0.99999999999980993)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series)
}

/** The distribution function of Beta(α, α) at x ≤ ½: its continued fraction, by Lentz' method (Numerical Recipes, 6.4). */
function distribution(alpha: number, x: number): number {
  if (x <= 0) return 0
  const front = Math.exp(logGamma(2 * alpha) - 2 * logGamma(alpha) + alpha * (Math.log(x) + Math.log1p(-x))) / alpha
  const tiny = 1e-300
  const apart = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / apart(1 - (2 * alpha * x) / (alpha + 1))
  let fraction = d
  for (let m = 1; m < 500; m++) {
    const even = (m * (alpha - m) * x) / ((alpha + 2 * m - 1) * (alpha + 2 * m))
    const odd = (-(alpha + m) * (2 * alpha + m) * x) / ((alpha + 2 * m) * (alpha + 2 * m + 1))
    let change = 1
    for (const term of [even, odd]) {
      d = 1 / apart(1 + term * d)
      c = apart(1 + term / c)
      change = c * d
      fraction *= change
    }
    if (Math.abs(change - 1) < 1e-15) break
  }
  return front * fraction
}

/** The quantiles of Beta(α, α) at 0, 1/1024, … 1: between neighbours a random share is interpolated. */
export function betaQuantiles(alpha: number): number[] {
  const half = (QUANTILES - 1) / 2
  const lower = Array.from({ length: half }, (_, index) => {
    const wanted = index / (QUANTILES - 1)
    let [low, high] = [0, 0.5]
    for (let round = 0; round < 60; round++) {
      const middle = (low + high) / 2
      if (distribution(alpha, middle) < wanted) low = middle
      else high = middle
    }
    return index === 0 ? 0 : (low + high) / 2
  })
  return [...lower, 0.5, ...lower.map((share) => 1 - share).reverse()]
}
