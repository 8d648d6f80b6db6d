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
}

/** The size that takes a last window reaching beyond the padded image, as long as it begins inside the image or the padding before it. */
function ceilSize(size: number, k: number, stride: number, [before, after]: Pair, dilation: number): number {
  const floor = outputSize(size, k, stride, [before, after], dilation)
  const isWhole = (size + before + after - dilation * (k - 1) - 1) % stride === 0
  return isWhole || floor * stride >= size + before ? floor : floor + 1
}

const none: readonly [Pair, Pair] = [
  [0, 0],
  [0, 0],
]

/** The passes of one pooling: maximum with and without positions, average with both divisors, and their gradients. */
export function poolPassesOf(p: Pooling): OpCase[] {
  const { N = 1, H, W, C, size, stride = size, padding = none, dilation = [1, 1], ceil = false } = p
  const sizeRule = ceil ? ceilSize : outputSize
  const x = [N, H, W, C]
  const y = [N, sizeRule(H, size[0], stride[0], padding[0], dilation[0]), sizeRule(W, size[1], stride[1], padding[1], dilation[1]), C]
  const name = [
    `[${x}] ${size[0]}x${size[1]} stride ${stride}`,
    padding.flat().some((side) => side > 0) && `padding ${padding[0]} ${padding[1]}`,
    `${dilation}` !== '1,1' && `dilation ${dilation}`,
    ceil && 'ceil',
  ]
    .filter(Boolean)
    .join(' ')
  const attributes = { size, stride, padding, dilation }
  const average = (countPadding: boolean): OpCase[] => {
    const label = countPadding ? `${name} counting padding` : name
    return [
      { name: `averagePool2d ${label}`, op: 'averagePool2d', shapes: { x, y }, attributes: { ...attributes, countPadding } },
      {
        name: `averagePool2dBackward ${label}`,
        op: 'averagePool2dBackward',
        shapes: { dy: y, dx: x },
        attributes: { ...attributes, countPadding },
      },
    ]
  }
  return [
    { name: `maxPool2d ${name}`, op: 'maxPool2d', shapes: { x, y, positions: y }, attributes },
    { name: `maxPool2d ${name} without positions`, op: 'maxPool2d', shapes: { x, y }, attributes },
    { name: `maxPool2dBackward ${name}`, op: 'maxPool2dBackward', shapes: { dy: y, positions: y, dx: x }, attributes },
    ...average(false),
    ...average(true),
  ]
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

export const poolingCases = (info: KernelInfo): OpCase[] => poolings(info).flatMap(poolPassesOf)
