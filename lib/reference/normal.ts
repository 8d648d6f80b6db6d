/** exp(−x²/2) / √(2π). */
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

/**
 * The standard normal distribution function, (1 + erf(x / √2)) / 2: near 0 the series of erf, whose terms have one sign, further out the continued
 * fraction of the tail.
 */
export function normalBelow(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a < 3) {
    let sum = a
    for (let n = 1, term = a; n < 200 && term > sum * 1e-18; n++) {
      term *= (a * a) / (2 * n + 1)
      sum += term
    }
    return 0.5 + Math.sign(x) * normalDensity(a) * sum
  }
  let fraction = a
  for (let n = 100; n > 0; n--) fraction = a + n / fraction
  const tail = normalDensity(a) / fraction
  return x < 0 ? tail : 1 - tail
}
