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

export const convolutionNdCases = (info: KernelInfo): OpCase[] => [...lines(info), ...cubes(info)].flatMap(passesOfNd)
