import type { Layer } from './layer'

/** Number of dimensions, the batch included: 2 `[N, C]`, 3 `[N, L, C]`, 4 `[N, H, W, C]`, 5 `[N, D, H, W, C]`. */
export type Rank = 2 | 3 | 4 | 5

/** The dimensions that each rank stands for. */
export const dimensions = { 2: '[N, C]', 3: '[N, L, C]', 4: '[N, H, W, C]', 5: '[N, D, H, W, C]' } as const

/** What to do about a rank that does not fit, as the compiler and the run-time messages say it. */
export const flattenHint = ': put flatten() or globalAveragePool2d() before it'

type Dimensions = typeof dimensions
type Hint<Want> = Want extends 2 ? typeof flattenHint : ''

/** What a layer takes, in words. */
type RankText<I extends Rank> = [3 | 4 | 5] extends [I] ? 'rank 3 or more [N, …, C]' : `rank ${I} ${Dimensions[I]}`

/** Sizes of one sample of rank R. */
export type SampleShape<R extends Rank> = R extends 2
  ? readonly [number]
  : R extends 3
    ? readonly [number, number]
    : R extends 4
      ? readonly [number, number, number]
      : readonly [number, number, number, number]

/** Rank of a batch of samples of shape S. */
export type RankOfSample<S extends readonly number[]> = number extends S['length']
  ? Rank
  : S['length'] extends 1
    ? 2
    : S['length'] extends 2
      ? 3
      : S['length'] extends 3
        ? 4
        : S['length'] extends 4
          ? 5
          : never

declare const alike: unique symbol
/** Rank in of a layer that joins nodes: any, but that of all its nodes is the same. */
export type Alike = 'any' & { readonly [alike]: true }

/** The layer itself where rank R fits it, else a string literal type that is the compiler's message. */
export type Fits<R extends Rank, L> =
  L extends Layer<infer I, infer _O, infer Name>
    ? Rank extends R
      ? L
      : [I] extends ['any']
        ? L
        : [Extract<R, I>] extends [never]
          ? `${Name} takes ${RankText<I & Rank>} but gets rank ${R} ${Dimensions[R]}${Hint<I>}`
          : L
    : L

/** The node itself where its rank goes with that of the first node of a layer that joins nodes, else the compiler's message. */
export type FitsFirst<First, R extends Rank, L, N> =
  L extends Layer<infer I, infer _O, infer Name>
    ? I extends Alike
      ? First extends Rank
        ? Rank extends First | R
          ? N
          : R extends First
            ? N
            : `${Name} takes nodes of one rank but gets rank ${First} ${Dimensions[First]} and rank ${R} ${Dimensions[R]}`
        : N
      : N
    : N

/** The layer itself unless it needs several nodes, which a sequence does not have. */
type Follows<L> =
  L extends Layer<infer I, infer _O, infer Name> ? (I extends Alike ? `${Name} joins several nodes: use network() instead` : L) : L

/** Rank that layer L makes of rank R. */
export type After<R extends Rank, L> = L extends Layer<infer _I, infer O, infer _Name> ? (O extends Rank ? O : R) : R

/** Ranks that arrive at each position, and the last layer's: tail-recursive, so that long chains stay within the compiler's limits. */
type Arriving<R extends Rank, L extends readonly unknown[], Arrived extends readonly Rank[] = []> = L extends readonly [
  infer Head,
  ...infer Tail,
]
  ? Arriving<After<R, Head>, Tail, [...Arrived, R]>
  : [...Arrived, R]

type At<A, K> = K extends keyof A ? (A[K] extends Rank ? A[K] : never) : never
type Last<A> = A extends readonly [...infer _Before, infer Z] ? (Z extends Rank ? Z : Rank) : Rank

/** The layers L where each fits what arrives at it. Homomorphic in L, so that L is inferred from the arguments and a misfit is reported at its own. */
export type Chain<R extends Rank, L extends readonly Layer[], A = Arriving<R, L>> = {
  [K in keyof L]: number extends L['length'] ? L[K] : Follows<L[K]> extends L[K] ? Fits<At<A, K>, L[K]> : Follows<L[K]>
}

/** Rank that comes out of the layers L when R goes in. */
export type RankAfter<R extends Rank, L extends readonly unknown[]> = number extends L['length'] ? Rank : Last<Arriving<R, L>>
