import type { KernelInfo } from '../../binding'
import { activated, activationNames } from './activations'
import { sizeOf } from './compute'
import { type OpCase, rowEdges, vectorEdges } from './opCase'

type Pair = readonly [number, number]

export interface Convolution {
  readonly N?: number
  readonly H: number
  readonly W: number
  readonly C: number
  readonly OC: number
  readonly KH: number
  readonly KW: number
  readonly stride?: Pair
  readonly padding?: readonly [Pair, Pair]
  readonly dilation?: Pair
  readonly groups?: number
  readonly bias?: boolean
  readonly activation?: string
}

export const outputSize = (size: number, k: number, stride: number, [before, after]: Pair, dilation: number): number =>
  Math.floor((size + before + after - dilation * (k - 1) - 1) / stride) + 1

/** A convolution over one to three axes. */
export interface ConvolutionNd {
  readonly N?: number
  readonly image: readonly number[]
  readonly C: number
  readonly OC: number
  readonly kernel: readonly number[]
  readonly stride?: readonly number[]
  readonly padding?: readonly Pair[]
  readonly dilation?: readonly number[]
  readonly groups?: number
  readonly bias?: boolean
  readonly activation?: string
}

/** The three passes of one convolution, the transposed convolution back, and its bias gradient when it has a bias. */
export function passesOfNd(c: ConvolutionNd): OpCase[] {
  const { N = 1, image, C, OC, kernel, groups = 1, bias = false, activation = 'linear' } = c
  const ones = image.map(() => 1)
  const { stride = ones, padding = image.map((): Pair => [0, 0]), dilation = ones } = c
  const x = [N, ...image, C]
  const w = [...kernel, C / groups, OC]
  const y = [N, ...image.map((size, axis) => outputSize(size, kernel[axis]!, stride[axis]!, padding[axis]!, dilation[axis]!)), OC]
  const name = [
    `[${x}] ${kernel.join('x')} to ${OC}`,
    `${stride}` !== `${ones}` && `stride ${stride}`,
    sizeOf(padding.flat().map((p) => p + 1)) > 1 && `padding ${padding.join(' ')}`,
    `${dilation}` !== `${ones}` && `dilation ${dilation}`,
    groups > 1 && `groups ${groups}`,
  ]
  const forward = [bias && 'bias', activation !== 'linear' && activation]
  const attributes = { stride, padding, dilation, groups }
  const op = `conv${image.length}d`
  const label = (pass: string, parts: (string | false)[]) => `${op}${pass} ${parts.filter(Boolean).join(' ')}`
  return [
    {
      name: label('', [...name, ...forward]),
      op,
      shapes: { x, w, ...(bias && { bias: [OC] }), y },
      attributes: { ...attributes, ...activated(activation) },
    },
    { name: label('BackwardInput', name), op: `${op}BackwardInput`, shapes: { dy: y, w, dx: x }, attributes },
    {
      name: label('BackwardWeights', [...name, bias && 'bias']),
      op: `${op}BackwardWeights`,
      shapes: { dy: y, x, dw: w, ...(bias && { db: [OC] }) },
      attributes,
    },
    {
      name: `convTranspose${image.length}d back ${[...name, ...forward].filter(Boolean).join(' ')}`,
      op: `convTranspose${image.length}d`,
      shapes: { x: y, w, ...(bias && { bias: [C] }), y: x },
      attributes: { ...attributes, ...activated(activation) },
    },
    ...(bias ? [{ name: `biasGradient [${y}]`, op: 'biasGradient', shapes: { dy: y, db: [OC] }, attributes: {} }] : []),
  ]
}

export const passesOf = ({ H, W, KH, KW, ...rest }: Convolution): OpCase[] => passesOfNd({ ...rest, image: [H, W], kernel: [KH, KW] })

const square = (k: number, size: number, C: number, OC: number, more: Partial<Convolution> = {}): Convolution => ({
  H: size,
  W: size,
  C,
  OC,
  KH: k,
  KW: k,
  ...more,
})
const around = (p: number): readonly [Pair, Pair] => [
  [p, p],
  [p, p],
]

/**
 * Large enough for the ways of cutting work that small sizes never meet: tiles across images, several blocks of pixels and panels of weights,
 * weights read in place, weight gradients in several splits and in ranges of channels.
 */
const beyondBlocks: Convolution[] = [
  square(3, 5, 16, 20, { N: 17, padding: around(1), bias: true, activation: 'relu' }),
  square(3, 6, 17, 18, { N: 9, stride: [2, 2], padding: around(1) }),
  square(3, 5, 20, 16, { N: 16, dilation: [2, 2], padding: around(2) }),
  square(2, 4, 36, 34, {
    N: 13,
    groups: 2,
    padding: [
      [1, 0],
      [0, 2],
    ],
  }),
  square(1, 4, 16, 17, { N: 18, padding: around(1) }),
  square(3, 21, 3, 5, { N: 2, padding: around(1) }),
  square(3, 44, 2, 3, { N: 2, padding: around(1) }),
  { N: 2, H: 3, W: 1100, C: 2, OC: 3, KH: 1, KW: 3 },
  // Rows of the image that are taken one by one, without lists.
  square(1, 32, 9, 37, { N: 3, stride: [2, 2], bias: true, activation: 'relu' }),
  square(1, 16, 18, 114, { N: 12, stride: [2, 2], groups: 2 }),
  square(3, 16, 24, 9, { N: 36, stride: [2, 2], padding: [[0, 1], [0, 1]] }), // biome-ignore format: one case
  // Many images: lists of pointers that move from some to others, several panels of weights, phases of unequal sizes.
  square(3, 4, 5, 37, { N: 140, padding: around(1), stride: [2, 2], bias: true, activation: 'relu' }),
  square(3, 7, 13, 70, { N: 65, padding: around(1), stride: [2, 2] }),
  square(3, 5, 34, 10, { N: 90, padding: around(1), stride: [2, 2], groups: 2 }),
  square(3, 4, 6, 128),
  square(1, 10, 12, 130, { bias: true }),
  square(1, 17, 21, 336, { N: 2, groups: 3, bias: true, activation: 'relu' }), // panels of two widths take strips of pixels in turn
  square(1, 7, 20, 130, { N: 2, bias: true, activation: 'tanh' }),
  // Tiles of one and of two vectors: with rows that follow each other and rows apart, fewer than a tile has, and a multiple of 4 KiB apart.
  square(1, 9, 24, 20, { N: 2, bias: true, activation: 'relu' }),
  square(1, 5, 33, 16, { bias: true, activation: 'tanh' }),
  square(1, 30, 36, 50, { stride: [2, 2], groups: 2, bias: true }),
  square(1, 3, 40, 30),
  square(1, 4, 1024, 18),
  square(1, 32, 36, 30, { stride: [2, 2], groups: 2, bias: true }),
  square(3, 5, 27, 12, { padding: around(1), bias: true, activation: 'relu' }), // 25 pixels and 27 channels: a tall tile, and one that is taken in two parts
  square(3, 9, 40, 70, { padding: around(1) }),
  square(3, 25, 9, 130, { padding: around(1), bias: true }),
  square(3, 8, 150, 18, { N: 6, padding: around(1) }),
  square(5, 13, 20, 33, { N: 2, padding: around(2), bias: true, activation: 'relu' }),
  square(3, 50, 40, 24, { N: 2, padding: around(1) }),
  square(5, 30, 17, 40, { N: 3, padding: around(2) }),
  square(3, 3, 240, 256, { padding: around(1) }),
  square(3, 7, 130, 48, { N: 5, padding: around(1) }),
  square(3, 9, 12, 20, {
    N: 7,
    padding: [
      [2, 0],
      [0, 3],
    ],
  }),
  // For Winograd: tiles of three sizes, some of which leave out points; filters transformed where they are used; a target written past the caches.
  square(3, 7, 20, 36, { N: 11, padding: around(1), bias: true, activation: 'relu' }),
  square(3, 14, 9, 40, {
    N: 6,
    padding: [
      [1, 1],
      [0, 2],
    ],
  }),
  square(3, 2, 272, 200, { N: 3, padding: around(1), bias: true, activation: 'silu' }),
  square(3, 92, 2, 96, { padding: around(1), bias: true, activation: 'relu' }),
  square(3, 1, 84, 88, { N: 80, padding: around(1), bias: true }), // many filters, transformed once for many tiles
  square(1, 60, 20, 40),
  square(1, 24, 112, 128, { N: 2, bias: true }), // weight gradients whose next pixels are packed with each tile,
  square(1, 25, 100, 97, { N: 3, stride: [2, 2], bias: true }), // in rows so short that some of them are left
  square(3, 9, 70, 20, { N: 3, padding: around(1) }),
]

/**
 * Results too large for the caches: in a program, where they are aligned, they are written past them, and so are the zeros between those of a stride.
 * Only the pass that writes them. Of depthwise convolutions what comes next is fetched, too.
 */
const pastTheCaches: OpCase[] = [
  passesOf(square(1, 520, 2, 16, { bias: true, activation: 'relu' }))[0]!,
  passesOf(square(1, 540, 16, 2, { stride: [2, 2] }))[1]!,
  passesOf(square(3, 208, 64, 64, { groups: 64, padding: around(1), activation: 'relu' }))[0]!,
  passesOf(square(3, 260, 64, 64, { groups: 64, padding: around(1), stride: [2, 2] }))[2]!,
]

/** For the direct kernels: every width of a tile, taps and steps that have one of their own and others, whole and part vectors, planes of grouped channels. */
export function directConvolutions(info: KernelInfo): Convolution[] {
  const depthwise = (k: number, size: number, C: number, more: Partial<Convolution> = {}, multiplier = 1) =>
    square(k, size, C, C * multiplier, { groups: C, ...more })
  return [
    ...Array.from({ length: 18 }, (_, i): Convolution => ({ ...depthwise(3, 3, 16, { padding: around(1), bias: true }), W: i + 1 })),
    ...vectorEdges(info).map((C) => depthwise(3, 4, Math.max(2, C), { padding: around(1), bias: true, activation: 'relu' })),
    ...[1, 2, 4, 5, 6, 7, 9].map((k) => depthwise(k, 11, 17, { padding: around(k >> 1) })),
    ...Array.from(
      { length: 30 },
      (_, i): Convolution => ({ ...depthwise(i % 2 === 0 ? 5 : 7, 7, 33, { padding: around(3), bias: i % 3 === 0 }), W: i + 2 }),
    ), // tiles of whole lines
    {
      ...depthwise(7, 8, 18, {
        padding: [
          [1, 4],
          [0, 9],
        ],
        activation: 'relu',
      }),
      W: 17,
    }, // windows beyond the edge
    ...[1, 2, 3, 4, 5, 7].map((k) => depthwise(k, 15, 18, { stride: [2, 2], padding: around(k >> 1), bias: true, activation: 'tanh' })),
    ...[5, 7].map((k) => depthwise(k, 29, 18, { stride: [2, 2], dilation: [2, 2], padding: around(k) })),
    ...[9, 13].map((k) => depthwise(k, 27, 17, { stride: [2, 2], padding: around(k >> 1) })), // 5 and 7 taps in a phase of the gradient
    depthwise(3, 11, 20, { stride: [3, 3], padding: around(1) }),
    depthwise(3, 12, 33, { dilation: [2, 2], padding: around(2) }),
    depthwise(3, 13, 16, { dilation: [2, 2], stride: [2, 2], padding: around(2) }),
    depthwise(5, 9, 16, { dilation: [2, 3], stride: [3, 2], padding: around(4), N: 2 }),
    depthwise(2, 2, 16, { stride: [2, 2], padding: around(3), bias: true }),
    depthwise(3, 21, 65, { padding: around(1), N: 2 }),
    depthwise(3, 23, 34, { stride: [2, 2], padding: around(1), N: 2 }),
    ...[24, 40, 48, 96].map((C) => depthwise(3, 8, C, { padding: around(1), bias: true, activation: 'relu', N: 2 })),
    ...[3, 5, 7].flatMap((k) => [
      { ...depthwise(k, k + 4, 48, { padding: around(k >> 1), bias: true }), W: 133 },
      { ...depthwise(k, k + 5, 40, { stride: [2, 2], padding: around(k >> 1) }), W: 139 },
      depthwise(k, 12, 34, { padding: around(k + 1), bias: true, activation: 'gelu' }),
      depthwise(k, 11, 24, { stride: [2, 2], padding: around(k + 2) }),
      depthwise(k, 19, 33, { dilation: [1, 3], padding: around(k) }),
      depthwise(k, 9, 32, { stride: [1, 2], padding: around(1) }),
      depthwise(k, 10, 17, { stride: [2, 1] }),
    ]),
    ...[2, 3, 8].map((multiplier) => depthwise(3, 9, 11, { padding: around(1), bias: true, activation: 'relu' }, multiplier)),
    depthwise(3, 9, 7, { stride: [2, 2], padding: around(1) }, 2),
    depthwise(3, 5, 256, { padding: around(1), bias: true, activation: 'sigmoid' }),
    depthwise(3, 7, 512, { padding: around(1) }),
    depthwise(3, 6, 256, { dilation: [1, 2], padding: around(2) }),
    { ...depthwise(3, 6, 34, { stride: [2, 2], padding: around(1) }), W: 261 },
    depthwise(3, 4, 256, { stride: [2, 2], padding: around(1) }, 2),
    // Tiles of two lines and columns: every width, whole and part tiles, blocks of channels of which the last is part of a vector.
    ...Array.from(
      { length: 9 },
      (_, i): Convolution => ({ ...depthwise(3, 7, 64, { padding: around(1), bias: true, activation: 'relu' }), W: i + 8 }),
    ),
    ...Array.from({ length: 9 }, (_, i): Convolution => ({ ...depthwise(3, 11, 70, { stride: [2, 2], padding: around(1) }), W: i + 14 })),
    depthwise(3, 10, 72, { bias: true }),
    depthwise(3, 18, 72, { stride: [2, 2], activation: 'silu' }),
    depthwise(3, 8, 65, { padding: around(4), bias: true, activation: 'gelu', N: 2 }),
    {
      ...depthwise(3, 17, 80, {
        stride: [2, 2],
        padding: [
          [0, 1],
          [3, 0],
        ],
        N: 2,
      }),
      W: 18,
    },
    { ...depthwise(3, 6, 66, { dilation: [1, 2], padding: around(2) }), W: 17 },
    depthwise(3, 9, 521, { padding: around(1), bias: true }),
    depthwise(3, 1, 64, { stride: [2, 2], padding: around(1) }),
    square(3, 9, 22, 11, { groups: 11, padding: around(1), bias: true }),
    square(3, 12, 32, 32, { groups: 8, padding: around(1), N: 2, bias: true, activation: 'relu' }),
    square(3, 12, 24, 40, { groups: 8, stride: [2, 2], padding: around(1) }),
    square(5, 7, 10, 15, { groups: 5, dilation: [1, 2], padding: around(2) }),
    square(3, 6, 48, 48, { groups: 3, padding: around(1) }),
    // Groups: every width of a tile, of one vector and of two, whole and in part, and one by one; pairs of columns in the gradient, and what is done tap by tap.
    ...Array.from(
      { length: 19 },
      (_, i): Convolution => ({ ...square(3, 3, 32, 32, { groups: 8, padding: around(1), bias: true }), W: i + 1 }),
    ),
    ...Array.from(
      { length: 19 },
      (_, i): Convolution => ({ ...square(3, 4, 24, 24, { groups: 6, stride: [2, 2], padding: around(1) }), W: i + 1 }),
    ),
    ...[
      [1, 3],
      [2, 2],
      [2, 4],
      [3, 1],
      [4, 2],
      [5, 7],
      [6, 6],
      [8, 8],
      [8, 4],
      [12, 3],
      [16, 16],
      [16, 2],
    ].flatMap(([from, to]) => [
      square(3, 10, from! * 5, to! * 5, { groups: 5, padding: around(1), bias: true, activation: 'relu', N: 2 }),
      square(3, 9, from! * 9, to! * 9, { groups: 9, stride: [2, 2], padding: around(2), bias: true, activation: 'tanh' }),
    ]),
    square(3, 23, 64, 64, { groups: 16, padding: around(1), N: 3 }),
    square(3, 24, 64, 64, { groups: 8, stride: [2, 2], padding: around(1), N: 3 }),
    square(3, 13, 48, 48, { groups: 3, stride: [2, 2], padding: around(3) }),
    square(3, 7, 32, 32, { groups: 4, stride: [1, 2], padding: around(4), bias: true }),
    square(3, 11, 32, 32, { groups: 4, dilation: [2, 2], padding: around(2) }),
    square(3, 11, 16, 32, { groups: 4, dilation: [1, 2], stride: [2, 2], padding: around(1) }),
    square(3, 11, 16, 32, { groups: 4, stride: [3, 3], padding: around(1), bias: true }),
    square(1, 12, 32, 32, { groups: 8, stride: [2, 2], bias: true }),
    square(2, 9, 32, 16, { groups: 4, stride: [2, 2], bias: true, activation: 'elu' }),
    square(5, 12, 32, 32, { groups: 8, stride: [2, 2], padding: around(2) }),
    ...[1, 2, 3, 4].flatMap((few) => [
      square(3, 14, few, 34, { padding: around(1), bias: true, activation: 'relu' }),
      square(3, 14, 35, few, { padding: around(1), bias: true, activation: 'elu' }),
      square(7, 17, few, 18, { stride: [2, 2], padding: around(3) }),
      square(4, 9, 19, few, { stride: [2, 2], padding: around(1), bias: true }),
    ]),
    // Several bands of lines and of columns, weights that stay in registers, images cut between chunks and whole ones, neighbours merged, few of both kinds.
    square(3, 36, 1, 33, { N: 2, padding: around(1), bias: true, activation: 'relu' }),
    square(3, 34, 33, 1, { N: 2, padding: around(1), bias: true }),
    { H: 2, W: 1030, C: 3, OC: 17, KH: 2, KW: 3 },
    square(5, 16, 1, 6, { N: 9, padding: around(2), bias: true, activation: 'tanh' }),
    square(7, 33, 3, 20, { N: 2, stride: [2, 2], padding: around(3) }),
    // Terms of weight gradients that fill their tiles, or all but, with the sums of dy and without.
    square(7, 12, 2, 18, { N: 3, padding: around(3), bias: true }),
    square(7, 12, 1, 30, { N: 3, bias: true }),
    square(3, 12, 2, 17, { N: 2, bias: true }),
    square(5, 12, 4, 16, { bias: true }),
    square(3, 24, 2, 20, { N: 3, stride: [2, 2], padding: around(1) }),
    square(3, 12, 5, 18, { stride: [2, 3], dilation: [3, 2], padding: around(4) }),
    square(2, 9, 34, 10, { padding: around(3), bias: true, activation: 'relu' }),
    ...[8, 12, 16].flatMap((few) => [square(3, 13, few, 40, { padding: around(1) }), square(3, 13, 40, few, { padding: around(1) })]),
    // Few from so many that each is a dot product: channels in one tile and in two, phases of strides, positions that some taps reach, none, or never all.
    ...[1, 3, 5, 8].flatMap((few) => [
      square(3, 9, 70, few, { N: 2, padding: around(1), bias: true, activation: 'relu' }),
      square(3, 9, few, 70, { padding: around(1) }),
    ]),
    square(3, 40, 64, 3, { padding: around(1) }),
    square(7, 15, 3, 66, { stride: [2, 2], padding: around(3) }),
    square(3, 12, 2, 66, { stride: [3, 2], dilation: [2, 3], padding: around(4) }),
    square(3, 6, 66, 2, { padding: around(5), bias: true }),
    square(9, 5, 66, 3, { padding: around(4), bias: true, activation: 'tanh' }),
    square(1, 7, 300, 6, { bias: true }),
    square(1, 9, 3, 80, { stride: [2, 2] }),
    { H: 1, W: 40, C: 100, OC: 3, KH: 1, KW: 9 },
  ]
}

/** Every convolution of the case list. Each comes with its two gradients. */
export function convolutions(info: KernelInfo): Convolution[] {
  return [
    ...[1, 2, 3, 4, 5, 7, 9, 11].map((k) => square(k, 12, 2, 3)),
    ...[1, 3, 4, 17, 33].map((C) => square(3, 6, C, 10, { padding: around(1), bias: true })),
    ...[1, 10, 17, 64, 65].map((OC) => square(3, 5, 3, OC, { bias: true, activation: 'relu' })),
    ...[1, 10, 17, 64, 65].map((OC) => square(1, 5, 65, OC)),
    ...vectorEdges(info).map((OC) => square(3, 4, 2, OC, { padding: around(1), bias: true })),
    ...vectorEdges(info).map((C) => square(2, 3, C, 5)),
    ...rowEdges(info).map((OW) => ({ H: 1, W: OW, C: 3, OC: 20, KH: 1, KW: 1 })),
    ...rowEdges(info).map((OW) => ({ N: 2, H: 3, W: OW, C: 2, OC: 7, KH: 3, KW: 3, padding: around(1) })),
    ...[127, 128, 129, 255, 256, 257, 383, 385, 511, 513].map((C) => square(1, 3, C, 6)),
    ...[31, 33, 57].map((C) => square(3, 4, C, 9, { padding: around(1) })),
    square(3, 34, 4, 8, { padding: around(1) }),
    ...activationNames.map((activation) => square(3, 5, 3, 17, { bias: true, activation })),
    square(5, 29, 1, 6, { bias: true, activation: 'relu' }),
    square(5, 14, 6, 16, { bias: true, activation: 'relu', N: 3 }),
    square(7, 23, 3, 4, { stride: [2, 2], padding: around(3) }),
    square(11, 31, 3, 4, { stride: [4, 4], padding: around(2) }),
    ...(
      [
        [2, 2],
        [1, 2],
        [3, 1],
        [2, 3],
        [4, 4],
      ] as const
    ).map((stride) => square(3, 9, 3, 5, { stride, padding: around(1) })),
    square(2, 7, 2, 3, { stride: [3, 3] }),
    square(1, 7, 5, 6, { stride: [2, 2] }),
    square(1, 5, 4, 6, {
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
    square(3, 5, 2, 4, {
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
    square(3, 5, 2, 4, {
      padding: [
        [0, 2],
        [1, 0],
      ],
      stride: [2, 2],
    }),
    square(2, 3, 2, 4, {
      padding: [
        [3, 2],
        [4, 1],
      ],
    }),
    square(3, 11, 3, 4, { dilation: [2, 2], padding: around(2) }),
    square(3, 11, 2, 5, { dilation: [1, 3] }),
    square(2, 9, 3, 4, {
      dilation: [2, 1],
      stride: [1, 2],
      padding: [
        [0, 1],
        [1, 0],
      ],
    }),
    square(2, 3, 2, 3, { dilation: [5, 5], padding: around(3) }),
    square(3, 2, 2, 3, {
      dilation: [4, 7],
      padding: [
        [4, 4],
        [7, 7],
      ],
    }),
    square(1, 1, 1, 1),
    square(1, 1, 70, 33),
    square(3, 1, 3, 5, { padding: around(1) }),
    square(5, 2, 3, 4, { padding: around(2) }),
    square(5, 5, 4, 3),
    { H: 1, W: 40, C: 3, OC: 4, KH: 1, KW: 5 },
    { H: 40, W: 1, C: 3, OC: 4, KH: 5, KW: 1 },
    {
      H: 6,
      W: 9,
      C: 3,
      OC: 4,
      KH: 2,
      KW: 3,
      padding: [
        [0, 1],
        [1, 1],
      ],
    },
    square(3, 6, 4, 6, { groups: 2, padding: around(1), bias: true, activation: 'tanh' }),
    square(3, 6, 6, 9, { groups: 3, stride: [2, 1] }),
    square(1, 4, 8, 12, { groups: 4, bias: true }),
    square(3, 5, 34, 36, { groups: 2 }),
    square(3, 6, 3, 3, { groups: 3, padding: around(1) }),
    square(3, 6, 8, 16, { groups: 8, padding: around(1), bias: true, activation: 'relu' }),
    ...[17, 64, 65].map((C) => square(3, 5, C, C, { groups: C, padding: around(1) })),
    square(5, 9, 16, 16, { groups: 16, stride: [2, 2], padding: around(2), dilation: [2, 2] }),
    ...[1, 2, 5, 33].map((N) => square(3, 4, 3, 4, { N, padding: around(1), bias: true, activation: 'sigmoid' })),
    ...[2, 16, 17].map((N) => square(1, 2, 3, 4, { N })),
    ...beyondBlocks,
    ...directConvolutions(info),
  ]
}

export const convolutionCases = (info: KernelInfo): OpCase[] => [...convolutions(info).flatMap(passesOf), ...pastTheCaches]
