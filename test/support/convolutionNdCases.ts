import type { KernelInfo } from '../../binding'
import { type ConvolutionNd, passesOfNd } from './convolutionCases'
import { type OpCase, rowEdges, vectorEdges } from './opCase'

const line = (k: number, size: number, C: number, OC: number, more: Partial<ConvolutionNd> = {}): ConvolutionNd => ({
  image: [size],
  kernel: [k],
  C,
  OC,
  ...more,
})
const cube = (k: number, size: number, C: number, OC: number, more: Partial<ConvolutionNd> = {}): ConvolutionNd => ({
  image: [size, size, size],
  kernel: [k, k, k],
  C,
  OC,
  ...more,
})

/** Convolutions along one axis. */
export function lines(info: KernelInfo): ConvolutionNd[] {
  return [
    ...[1, 2, 3, 5, 9].map((k) => line(k, 17, 3, 4)),
    ...vectorEdges(info).map((OC) => line(3, 7, 2, OC, { bias: true, padding: [[1, 1]] })),
    ...vectorEdges(info).map((C) => line(2, 5, C, 3)),
    ...rowEdges(info).map((L) => line(3, L, 2, 5, { N: 2, padding: [[2, 0]] })),
    ...[2, 3, 4].map((stride) => line(3, 16, 3, 5, { stride: [stride], bias: true, activation: 'relu' })),
    line(4, 12, 2, 3, { stride: [2], padding: [[2, 1]], dilation: [2] }),
    line(3, 9, 2, 4, { padding: [[8, 0]], dilation: [4], N: 3 }),
    line(2, 3, 2, 3, { padding: [[3, 3]], dilation: [5] }),
    line(3, 10, 6, 9, { groups: 3, activation: 'tanh', bias: true }),
    line(5, 40, 17, 17, { groups: 17, padding: [[4, 0]] }),
    line(3, 8, 3, 6, { groups: 3, stride: [3], N: 33 }),
    line(1, 1, 1, 1),
    line(7, 7, 5, 2, { activation: 'sigmoid' }),
    line(3, 200, 1, 16, { padding: [[1, 1]] }),
    line(5, 70, 33, 33, { groups: 33, padding: [[2, 2]], bias: true, activation: 'relu' }),
    line(4, 45, 9, 18, { groups: 9, stride: [2], padding: [[1, 1]], N: 2 }),
    line(1, 850, 96, 97, { N: 2, bias: true }), // several stretches of the pixels, each with sums of its own
    line(3, 300, 8, 8, { groups: 2, dilation: [16], padding: [[16, 16]] }),
  ]
}

/** Convolutions along three axes. */
export function cubes(info: KernelInfo): ConvolutionNd[] {
  return [
    ...[1, 2, 3].map((k) => cube(k, 4, 2, 3)),
    ...vectorEdges(info).map((OC) => cube(2, 3, 2, OC, { bias: true })),
    ...vectorEdges(info).map((C) => cube(2, 2, C, 3)),
    ...rowEdges(info).map((W) => ({ image: [2, 2, W], kernel: [2, 1, 3], C: 2, OC: 3, padding: [[1, 0], [0, 0], [1, 1]] as const })), // biome-ignore format: one case
    cube(3, 5, 3, 4, { padding: [[1, 1], [1, 1], [1, 1]], bias: true, activation: 'relu', N: 2 }), // biome-ignore format: one case
    cube(3, 7, 2, 3, { stride: [2, 2, 2] }),
    cube(2, 6, 2, 3, { stride: [1, 2, 3], padding: [[1, 0], [0, 1], [2, 1]] }), // biome-ignore format: one case
    cube(2, 6, 3, 2, { dilation: [3, 2, 1], padding: [[0, 0], [2, 0], [0, 1]] }), // biome-ignore format: one case
    cube(2, 2, 2, 3, { dilation: [4, 5, 3], padding: [[2, 2], [3, 3], [2, 1]] }), // biome-ignore format: one case
    cube(2, 4, 6, 9, { groups: 3, bias: true, activation: 'tanh' }),
    cube(3, 4, 17, 17, { groups: 17, padding: [[1, 1], [1, 1], [1, 1]], stride: [2, 1, 2] }), // biome-ignore format: one case
    { image: [3, 5, 7], kernel: [1, 2, 4], C: 4, OC: 6, groups: 2, N: 3 },
    { image: [9, 1, 4], kernel: [4, 1, 2], C: 1, OC: 5, stride: [2, 1, 1] },
    cube(1, 1, 1, 1),
    cube(3, 3, 4, 3, { activation: 'sigmoid', bias: true }),
    cube(3, 9, 1, 4),
    { image: [3, 6, 7], kernel: [1, 3, 3], C: 18, OC: 18, groups: 18, padding: [[1, 2], [1, 1], [1, 1]] }, // biome-ignore format: one case
    cube(3, 9, 18, 18, { groups: 18, padding: [[1, 1], [1, 1], [1, 1]], bias: true, activation: 'relu' }), // biome-ignore format: one case
    cube(2, 6, 4, 8, { groups: 4, stride: [2, 1, 2], dilation: [1, 2, 1], N: 2 }),
    cube(3, 6, 8, 12, { groups: 4, stride: [1, 2, 1], padding: [[1, 1], [0, 1], [2, 0]] }), // biome-ignore format: one case
  ]
}

/** Windows that cover the innermost axes of an image, which are taken for channels, and ones that only seem to: of few and many channels and filters. */
function covering(info: KernelInfo): ConvolutionNd[] {
  const image = (
    kernel: readonly number[],
    size: readonly number[],
    C: number,
    OC: number,
    more: Partial<ConvolutionNd> = {},
  ): ConvolutionNd => ({
    image: size,
    kernel,
    C,
    OC,
    ...more,
  })
  const whole = (k: number, C: number, OC: number, more: Partial<ConvolutionNd> = {}) => image([k, k], [k, k], C, OC, more)
  return [
    ...vectorEdges(info).map((OC) => whole(3, 5, OC, { N: 3, bias: true, activation: 'relu' })),
    ...rowEdges(info).map((N) => whole(2, 9, 18, { N, bias: true })),
    ...[1, 3, 4, 5, 12].flatMap((few) => [whole(4, 40, few, { N: 6, bias: true }), whole(4, few, 40, { N: 6, activation: 'tanh' })]),
    whole(4, 130, 3, { N: 70 }),
    whole(3, 101, 120, { N: 5, bias: true }), // as wide as weight gradients of one tap that are packed
    image([1, 1], [1, 1], 100, 130, { N: 9, bias: true }),
    // The window covers the width only, or all but the depth; strides of what is covered don't matter.
    image([3, 12], [9, 12], 1, 20, { N: 2, bias: true, activation: 'relu' }),
    image([2, 5], [8, 5], 6, 9, { stride: [2, 4], padding: [[1, 1], [0, 2]] }), // biome-ignore format: one case
    image([3, 3, 3], [5, 3, 3], 4, 7, { N: 2, stride: [2, 1, 1], padding: [[1, 0], [0, 0], [0, 0]], bias: true }), // biome-ignore format: one case
    image([2, 3, 4], [2, 3, 4], 3, 17, { N: 4, bias: true }),
    image([9], [9], 7, 33, { N: 5, bias: true, activation: 'sigmoid' }),
    // One window, but of less than the image, or of its padding, or with gaps, or of each group its own; a height that is covered beside a width that is not.
    image([3, 3], [4, 4], 5, 6, { stride: [2, 2], bias: true }),
    image([3, 3], [2, 2], 5, 6, { padding: [[1, 0], [0, 1]] }), // biome-ignore format: one case
    image([1, 1], [1, 1], 5, 6, { N: 3, stride: [3, 3], padding: [[1, 0], [0, 0]] }), // biome-ignore format: one case
    image([1, 1], [1, 1], 5, 6, { N: 3, padding: [[0, 0], [0, 1]] }), // biome-ignore format: one case
    image([2, 2], [3, 3], 5, 6, { dilation: [2, 2] }),
    image([3, 3], [3, 3], 8, 6, { N: 2, groups: 2, bias: true }),
    image([4, 2], [4, 9], 7, 5, { N: 2 }),
    // Mostly padding, with few channels on one side.
    ...[1, 2, 5, 8].flatMap((few) => [
      image([5, 5], [6, 6], 40, few, { N: 3 }),
      image([7, 7], [4, 4], few, 20, { N: 2, padding: [[3, 3], [3, 3]], bias: true }), // biome-ignore format: one case
    ]),
  ]
}

export const convolutionNdCases = (info: KernelInfo): OpCase[] => [...lines(info), ...cubes(info), ...covering(info)].flatMap(passesOfNd)
