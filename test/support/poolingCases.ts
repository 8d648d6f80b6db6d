import type { KernelInfo } from '../../binding'
import { outputSize } from './convolutionCases'
import { type OpCase, vectorEdges } from './opCase'

type Pair = readonly [number, number]

export interface Pooling {
  readonly N?: number
  readonly H: number
  readonly W: number
  readonly C: number
  readonly size: Pair
  readonly stride?: Pair
  readonly padding?: readonly [Pair, Pair]
  readonly dilation?: Pair
  readonly ceil?: boolean
  readonly p?: number
}

/** The size that takes a last window reaching beyond the padded image, as long as it begins inside the image or the padding before it. */
function ceilSize(size: number, k: number, stride: number, [before, after]: Pair, dilation: number): number {
  const floor = outputSize(size, k, stride, [before, after], dilation)
  const isWhole = (size + before + after - dilation * (k - 1) - 1) % stride === 0
  return isWhole || floor * stride >= size + before ? floor : floor + 1
}

/** A pooling over one to three axes. */
export interface PoolingNd {
  readonly N?: number
  readonly image: readonly number[]
  readonly C: number
  readonly size: readonly number[]
  readonly stride?: readonly number[]
  readonly padding?: readonly Pair[]
  readonly dilation?: readonly number[]
  readonly ceil?: boolean
  /** Of the Lp pooling. */
  readonly p?: number
}

/** The passes of one pooling: maximum with and without positions, average with both divisors, Lp, and their gradients. */
export function poolPassesOfNd(given: PoolingNd): OpCase[] {
  const { N = 1, image, C, size, stride = size, ceil = false, p = 2 } = given
  const { padding = image.map((): Pair => [0, 0]), dilation = image.map(() => 1) } = given
  const sizeRule = ceil ? ceilSize : outputSize
  const x = [N, ...image, C]
  const y = [N, ...image.map((pixels, axis) => sizeRule(pixels, size[axis]!, stride[axis]!, padding[axis]!, dilation[axis]!)), C]
  const name = [
    `[${x}] ${size.join('x')} stride ${stride}`,
    padding.flat().some((side) => side > 0) && `padding ${padding.join(' ')}`,
    dilation.some((step) => step > 1) && `dilation ${dilation}`,
    ceil && 'ceil',
  ]
    .filter(Boolean)
    .join(' ')
  const attributes = { size, stride, padding, dilation }
  const [max, mean, lp] = ['maxPool', 'averagePool', 'lpPool'].map((kind) => `${kind}${image.length}d`)
  const average = (countPadding: boolean): OpCase[] => {
    const label = countPadding ? `${name} counting padding` : name
    return [
      { name: `${mean} ${label}`, op: mean!, shapes: { x, y }, attributes: { ...attributes, countPadding } },
      { name: `${mean}Backward ${label}`, op: `${mean}Backward`, shapes: { dy: y, dx: x }, attributes: { ...attributes, countPadding } },
    ]
  }
  return [
    { name: `${max} ${name}`, op: max!, shapes: { x, y, positions: y }, attributes },
    { name: `${max} ${name} without positions`, op: max!, shapes: { x, y }, attributes },
    { name: `${max}Backward ${name}`, op: `${max}Backward`, shapes: { dy: y, positions: y, dx: x }, attributes },
    ...average(false),
    ...average(true),
    { name: `${lp} ${name} p ${p}`, op: lp!, shapes: { x, y }, attributes: { ...attributes, p } },
    { name: `${lp}Backward ${name} p ${p}`, op: `${lp}Backward`, shapes: { dy: y, x, y, dx: x }, attributes: { ...attributes, p } },
  ]
}

export const poolPassesOf = ({ H, W, ...rest }: Pooling): OpCase[] => poolPassesOfNd({ ...rest, image: [H, W] })

/** Averages over bins, and their gradient. */
export function adaptivePassesOf(N: number, image: readonly number[], size: readonly number[], C: number): OpCase[] {
  const op = `adaptiveAveragePool${image.length}d`
  const [x, y] = [
    [N, ...image, C],
    [N, ...size, C],
  ]
  return [
    { name: `${op} [${x}] to ${size}`, op, shapes: { x, y }, attributes: {} },
    { name: `${op}Backward [${x}] to ${size}`, op: `${op}Backward`, shapes: { dy: y, dx: x }, attributes: {} },
  ]
}

/** Images of another size and their gradient, by both interpolations. */
export function resizesOf(N: number, image: readonly number[], size: readonly number[], C: number): OpCase[] {
  const [x, y] = [[N, ...image, C], [N, ...size, C]] // biome-ignore format: one line
  const op = `resize${image.length}d`
  return ['linear', 'nearest'].flatMap((interpolation) => [
    { name: `${op} [${x}] to ${size} ${interpolation}`, op, shapes: { x, y }, attributes: { interpolation } },
    {
      name: `${op}Backward [${x}] to ${size} ${interpolation}`,
      op: `${op}Backward`,
      shapes: { dy: y, dx: x },
      attributes: { interpolation },
    },
  ])
}

const square = (k: number, stride: number, size: number, C: number, more: Partial<Pooling> = {}): Pooling => ({
  H: size,
  W: size,
  C,
  size: [k, k],
  stride: [stride, stride],
  ...more,
})

/** Every pooling of the case list. */
export function poolings(info: KernelInfo): Pooling[] {
  const one: readonly [Pair, Pair] = [
    [1, 1],
    [1, 1],
  ]
  return [
    ...[1, 3, 10, 17, 64, 65].map((C) => square(2, 2, 6, C)),
    ...vectorEdges(info).map((C) => square(3, 2, 5, C, { padding: one })),
    ...[1, 1.5, 3, 10].map((p) => square(3, 2, 7, 5, { padding: one, p })),
    square(2, 1, 5, 2),
    square(3, 1, 6, 3, { N: 2, padding: one }),
    square(3, 2, 7, 4, { N: 3 }),
    square(3, 3, 8, 2),
    square(2, 3, 9, 2),
    square(5, 2, 9, 3, {
      padding: [
        [2, 2],
        [2, 2],
      ],
    }),
    square(7, 7, 7, 5),
    square(11, 4, 23, 2),
    square(1, 1, 4, 3),
    square(1, 2, 5, 3),
    square(2, 2, 1, 3, { padding: one }),
    square(2, 2, 7, 3, { ceil: true }),
    square(3, 2, 6, 2, {
      ceil: true,
      padding: [
        [0, 1],
        [1, 0],
      ],
    }),
    square(3, 2, 8, 2, {
      padding: [
        [1, 0],
        [0, 1],
      ],
    }),
    square(2, 2, 9, 3, { dilation: [2, 2] }),
    square(3, 1, 9, 2, {
      dilation: [2, 3],
      padding: [
        [2, 2],
        [3, 3],
      ],
    }),
    square(2, 1, 3, 2, { dilation: [3, 3], padding: one }),
    { H: 4, W: 9, C: 3, size: [2, 3], stride: [2, 1] },
    {
      H: 9,
      W: 4,
      C: 3,
      size: [3, 2],
      stride: [1, 2],
      padding: [
        [1, 1],
        [0, 1],
      ],
    },
    { H: 1, W: 12, C: 2, size: [1, 4], stride: [1, 2] },
    { N: 33, H: 4, W: 4, C: 2, size: [2, 2] },
    { N: 2, H: 28, W: 28, C: 6, size: [2, 2] },
  ]
}

/** Poolings along one and three axes. */
export function poolingsNd(info: KernelInfo): PoolingNd[] {
  return [
    ...vectorEdges(info).map((C) => ({ image: [9], C, size: [3], stride: [2], padding: [[1, 1]] as const })),
    ...[1, 3, 5].map((p) => ({ image: [11], C: 3, size: [4], stride: [1], p })),
    { image: [12], C: 2, size: [3], stride: [3], ceil: true, N: 3 },
    { image: [13], C: 2, size: [3], stride: [3], ceil: true, padding: [[0, 1]] },
    { image: [13], C: 4, size: [2], stride: [1], dilation: [5], padding: [[3, 4]] },
    { image: [1], C: 1, size: [1] },
    { image: [40], C: 6, size: [40] },
    ...vectorEdges(info).map((C) => ({ image: [2, 3, 4], C, size: [2, 2, 2], stride: [1, 1, 2] })),
    { image: [4, 4, 4], C: 3, size: [2, 2, 2], N: 2, p: 3 },
    { image: [5, 4, 3], C: 3, size: [3, 2, 1], stride: [2, 1, 1], padding: [[1, 1], [0, 1], [0, 0]], p: 1 }, // biome-ignore format: one case
    { image: [5, 5, 7], C: 2, size: [2, 2, 2], stride: [2, 2, 2], ceil: true },
    { image: [6, 5, 7], C: 2, size: [2, 3, 2], stride: [1, 2, 3], dilation: [3, 2, 4], padding: [[0, 1], [2, 2], [1, 0]] }, // biome-ignore format: one case
    { image: [1, 1, 1], C: 1, size: [1, 1, 1] },
    { image: [3, 4, 5], C: 4, size: [3, 4, 5], N: 3 },
  ]
}

const adaptiveCases = (info: KernelInfo): OpCase[] => [
  ...vectorEdges(info).flatMap((C) => adaptivePassesOf(1, [5, 7], [2, 3], C)),
  ...[[12], [5], [7], [1]].flatMap(([L]) => [1, 3, 5, 9].flatMap((size) => adaptivePassesOf(2, [L!], [size], 3))),
  ...adaptivePassesOf(2, [7, 7], [1, 1], 6),
  ...adaptivePassesOf(1, [3, 10], [4, 3], 2),
  ...adaptivePassesOf(33, [4, 4], [2, 2], 2),
  ...adaptivePassesOf(2, [3, 4, 5], [2, 2, 2], 3),
  ...adaptivePassesOf(1, [4, 6, 2], [4, 3, 5], 2),
]

const resizeCases = (info: KernelInfo): OpCase[] => [
  ...vectorEdges(info).flatMap((C) => resizesOf(1, [2, 3], [4, 6], C)),
  ...[1, 4, 5, 7].flatMap((L) => [1, 3, 4, 10].flatMap((size) => resizesOf(2, [L], [size], 3))),
  ...resizesOf(2, [7, 7], [1, 1], 6),
  ...resizesOf(1, [3, 10], [9, 3], 2),
  ...resizesOf(1, [1, 1], [3, 2], 4),
  ...resizesOf(33, [4, 4], [6, 2], 2),
  ...resizesOf(2, [3, 4, 5], [6, 8, 10], 3),
  ...resizesOf(1, [4, 6, 2], [3, 7, 5], 2),
]

export const poolingCases = (info: KernelInfo): OpCase[] => [
  ...poolings(info).flatMap(poolPassesOf),
  ...poolingsNd(info).flatMap(poolPassesOfNd),
  ...adaptiveCases(info),
  ...resizeCases(info),
]
