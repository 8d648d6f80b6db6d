import { ConvlaneError } from './errors'

/** Four words of 32 bits, as unsigned integers. */
export type Words4 = readonly [number, number, number, number]

const low = (a: number, b: number): number => Math.imul(a, b) >>> 0

function high(a: number, b: number): number {
  const aLow = a & 0xffff
  const bLow = b & 0xffff
  const aHigh = a >>> 16
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  return aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16)
}

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

/**
 * What a stream of random numbers is for. Streams of different purposes never overlap: they differ in the counter's last word, whose top bit is set,
 * while dropout's (see docs/steps.md) is the high word of a step number, which never comes near.
 */
export type Purpose = 'weights' | 'shuffle' | 'data' | 'split'
const purposes: Record<Purpose, number> = { weights: 0x80000001, shuffle: 0x80000002, data: 0x80000003, split: 0x80000004 }

/** Checks a seed: a whole number from 0 to 2⁵³ − 1. Throws INVALID_ARGUMENT, naming `owner`. */
export function checkSeed(seed: unknown, owner: string): number {
  if (!Number.isSafeInteger(seed) || (seed as number) < 0) {
    const expected = 'a whole number from 0 to 2^53 - 1'
    throw new ConvlaneError('INVALID_ARGUMENT', `${owner}: seed must be ${expected}, got ${String(seed)}`, { expected, received: seed })
  }
  return seed as number
}

/** One sequence of random numbers, fixed by seed, purpose and index (of a parameter, of an epoch, …). */
export class RandomStream {
  readonly #key: readonly [number, number]
  readonly #index: readonly [number, number]
  readonly #purpose: number
  #block = 0
  #words: Words4 = [0, 0, 0, 0]
  #left = 0

  constructor(seed: number, purpose: Purpose, index = 0) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)]
    this.#index = [index >>> 0, Math.floor(index / 2 ** 32)]
    this.#purpose = purposes[purpose]
  }

  /** The next unsigned 32-bit integer. */
  word(): number {
    if (this.#left === 0) {
      this.#words = philox4x32([this.#block++, this.#index[0], this.#index[1], this.#purpose], this.#key)
      this.#left = 4
    }
    return this.#words[4 - this.#left--]!
  }

  /** A number in [low, high), of 32 random bits. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.word() / 2 ** 32)
  }

  /** A normally distributed number (Box and Muller's transform). */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log((this.word() + 1) / 2 ** 32))
    return mean + deviation * radius * Math.cos(2 * Math.PI * (this.word() / 2 ** 32))
  }

  /** A whole number in [0, n), n at most 2³². */
  below(n: number): number {
    return Math.floor(n * (this.word() / 2 ** 32))
  }
}

/** A random order of 0 … n − 1, drawn as it is read: no work at once however large n is, beyond filling in the numbers. */
export class Permutation {
  readonly #order: Int32Array
  readonly #stream: RandomStream
  #next = 0

  constructor(n: number, stream: RandomStream) {
    this.#order = new Int32Array(n)
    for (let i = 0; i < n; i++) this.#order[i] = i
    this.#stream = stream
  }

  /** The next `count` numbers of the order, fewer at its end. A view that later calls do not change. */
  take(count: number): Int32Array {
    const order = this.#order
    const start = this.#next
    this.#next = Math.min(order.length, start + count)
    for (let i = start; i < this.#next; i++) {
      const j = i + this.#stream.below(order.length - i)
      const drawn = order[j]!
      order[j] = order[i]!
      order[i] = drawn
    }
    return order.subarray(start, this.#next)
  }
}

/** The whole random order of 0 … n − 1 at once. */
export const permutation = (n: number, stream: RandomStream): Int32Array => new Permutation(n, stream).take(n)
