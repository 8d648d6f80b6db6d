/** Four words of 32 bits, as unsigned integers. */
export type Words4 = readonly [number, number, number, number]

const low = (a: number, b: number): number => Math.imul(a, b) >>> 0
const high = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n)

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC11):
 * the same counter and key give the same four words, whoever asks and in whatever order. All words are unsigned 32-bit integers.
 */
export function philox4x32(counter: Words4, key: readonly [number, number]): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = high(0xd2511f53, c0)
    const high1 = high(0xcd9e8d57, c2)
    const low0 = low(0xd2511f53, c0)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low(0xcd9e8d57, c2)
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}
