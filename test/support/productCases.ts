import type { KernelInfo } from '../../binding'
import { activated, activationNames } from './activations'
import { type OpCase, rowEdges, vectorEdges } from './opCase'

export function matmulCase(M: number, N: number, K: number, transposeA = false, transposeB = false): OpCase {
  const letters = `${transposeA ? 'transposed ' : ''}a, ${transposeB ? 'transposed ' : ''}b`
  return {
    name: `matmul ${M}x${N}x${K} ${letters}`,
    op: 'matmul',
    shapes: { a: transposeA ? [K, M] : [M, K], b: transposeB ? [N, K] : [K, N], y: [M, N] },
    attributes: { transposeA, transposeB },
  }
}

export function denseCase(N: number, I: number, O: number, bias = true, activation = 'linear'): OpCase {
  return {
    name: `dense [${N},${I}] to ${O}${bias ? ' bias' : ''} ${activation}`,
    op: 'dense',
    shapes: { x: [N, I], w: [I, O], ...(bias && { bias: [O] }), y: [N, O] },
    attributes: activated(activation),
  }
}

/** Products of matrices with sizes around the tiles' and blocks' edges, each in the four ways of storing its factors. */
export function productCases(info: KernelInfo): OpCase[] {
  const sizes: [M: number, N: number, K: number][] = [
    [1, 1, 1],
    [1, 1, 300],
    [5, 1, 7],
    [1, 9, 6],
    [33, 21, 1], // the weight gradient of one image
    ...[1, 2, 3, 4].map((M): [number, number, number] => [M, 22, 41]), // few rows by a transposed b
    [13, 17, 11],
    [64, 65, 10],
    [65, 64, 63],
    ...vectorEdges(info).map((N): [number, number, number] => [5, N, 9]),
    ...rowEdges(info).map((M): [number, number, number] => [M, 19, 6]),
    ...[127, 129, 255, 256, 257, 383, 385, 511, 513].map((K): [number, number, number] => [3, 7, K]),
    [97, 70, 40],
    [31, 193, 30],
    [200, 12, 25],
    [130, 300, 20],
    [140, 70, 300],
    [9, 20, 1030],
    [3, 260, 1030],
    [20, 270, 1040],
    [300, 10, 300],
  ]
  return [
    ...sizes.flatMap(([M, N, K]) => [false, true].flatMap((a) => [false, true].map((b) => matmulCase(M, N, K, a, b)))),
    matmulCase(2, 2051, 2048),
    matmulCase(7, 2051, 2048),
    ...[37, 300, 530].map((N) => matmulCase(1, N, 1030)), // a row, by the kernel that reads b once
    matmulCase(1, 530, 40),
    // Panels that the first tile of a chunk copies, some of them partial, and reductions in parts.
    matmulCase(101, 150, 37),
    matmulCase(97, 130, 1030),
    matmulCase(25, 70, 1100),
    matmulCase(26, 190, 700), // few rows copy panels of a b that does not stay near
    matmulCase(97, 300, 70, true),
    ...[1, 2, 16, 17, 33].map((N) => denseCase(N, 20, 10)),
    ...[1, 3, 63, 64, 65, 256, 400].map((I) => denseCase(4, I, 12)),
    ...vectorEdges(info).map((O) => denseCase(3, 9, O)),
    ...['linear', ...activationNames].flatMap((activation) => [true, false].map((bias) => denseCase(7, 30, 21, bias, activation))),
  ]
}
