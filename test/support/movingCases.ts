import type { KernelInfo } from '../../binding'
import { broadcastShape } from './broadcastCases'
import { type OpCase, vectorEdges } from './opCase'

type Shape = readonly number[]
type Sides = readonly (readonly [number, number])[]

export function concatAlongCase(x: Shape, axis: number, sizes: readonly number[]): OpCase {
  const along = (size: number) => x.map((other, index) => (index === axis ? size : other))
  const parts = sizes.map((size, part) => [`x${part}`, along(size)])
  const y = along(sizes.reduce((sum, size) => sum + size, 0))
  return {
    name: `concat of ${sizes} along ${axis} of [${x}]`,
    op: 'concat',
    shapes: { ...Object.fromEntries(parts), y },
    attributes: { count: sizes.length, axis },
  }
}

export function boxCase(x: Shape, start: readonly number[], y: Shape): OpCase {
  return { name: `slice [${x}] from [${start}] to [${y}]`, op: 'slice', shapes: { x, y }, attributes: { start } }
}

/** Forward and, for what repeats elements, backward. */
export function padsOf(x: Shape, sides: Sides): OpCase[] {
  const mirrored = sides.map(([before, after], axis): [number, number] => [Math.min(before, x[axis]! - 1), Math.min(after, x[axis]! - 1)])
  return (['constant', 'edge', 'reflect'] as const).flatMap((mode): OpCase[] => {
    const padding = mode === 'reflect' ? mirrored : sides
    const y = x.map((size, axis) => size + padding[axis]![0] + padding[axis]![1])
    return [
      {
        name: `pad [${x}] by [${padding}] ${mode}`,
        op: 'pad',
        shapes: { x, y },
        attributes: { padding, mode, ...(mode === 'constant' && { value: -1.5 }) },
      },
      { name: `padBackward [${x}] by [${padding}] ${mode}`, op: 'padBackward', shapes: { dy: y, dx: x }, attributes: { padding, mode } },
    ]
  })
}

export function gathersOf(x: Shape, axis: number, indices: Shape): OpCase[] {
  const y = [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)]
  const attributes = { axis }
  const note = `[${x}] along ${axis} by [${indices}]`
  return [
    { name: `gather ${note}`, op: 'gather', shapes: { x, indices, y }, attributes },
    { name: `scatterAdd ${note}`, op: 'scatterAdd', shapes: { dy: y, indices, dx: x }, attributes },
  ]
}

export function oneHotCase(indices: Shape, depth: number): OpCase {
  return { name: `oneHot [${indices}] of ${depth}`, op: 'oneHot', shapes: { indices, y: [...indices, depth] }, attributes: {} }
}

export function castsOf(shape: Shape): OpCase[] {
  return (['float32', 'int32', 'uint8'] as const).flatMap((from) =>
    (['float32', 'int32'] as const).map(
      (to): OpCase => ({
        name: `cast [${shape}] from ${from} to ${to}`,
        op: 'cast',
        shapes: { x: shape, y: shape },
        attributes: { to },
        dtypes: { x: from, y: to },
      }),
    ),
  )
}

/** A product of stacks of matrices, stored in each of the four ways. */
export function stacksOf(a: Shape, b: Shape, M: number, N: number, K: number): OpCase[] {
  const y = [...broadcastShape(a, b), M, N]
  return [false, true].flatMap((transposeA) =>
    [false, true].map(
      (transposeB): OpCase => ({
        name: `matmul [${a}] ${M}x${K}${transposeA ? ' transposed' : ''} by [${b}] ${K}x${N}${transposeB ? ' transposed' : ''}`,
        op: 'matmul',
        shapes: { a: [...a, ...(transposeA ? [K, M] : [M, K])], b: [...b, ...(transposeB ? [N, K] : [K, N])], y },
        attributes: { transposeA, transposeB },
      }),
    ),
  )
}

/** Ops that move elements about, by axes and by indices, and products of stacks. */
export function movingCases(info: KernelInfo): OpCase[] {
  const none = [0, 0] as const
  return [
    concatAlongCase([3, 4], 0, [1, 2]),
    concatAlongCase([2, 1, 5], 1, [3, 1, 2]),
    concatAlongCase([2, 3, 4, 2], 2, [1, 1]),
    concatAlongCase([6], 0, [6, 1, 3]),
    concatAlongCase([2, 1, 9001], 1, [2, 3]),
    boxCase([7], [2], [3]),
    boxCase([3, 5], [0, 1], [3, 4]),
    boxCase([4, 3, 5], [1, 0, 0], [2, 3, 5]),
    boxCase([4, 3, 5], [0, 1, 2], [4, 1, 3]),
    boxCase([2, 3, 4, 5, 2, 3], [1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 1, 2]),
    boxCase([5, 200, 61], [0, 3, 4], [5, 190, 50]),
    ...padsOf([], []),
    ...padsOf([5], [[2, 3]]),
    ...padsOf([1], [[2, 0]]),
    ...padsOf([3, 4], [none, [1, 2]]),
    ...padsOf([3, 4], [[2, 1], none]),
    ...padsOf([2, 5, 4, 3], [none, [2, 2], [1, 3], none]),
    ...padsOf(
      [3, 3, 3],
      [
        [1, 2],
        [2, 2],
        [0, 1],
      ],
    ),
    ...padsOf([2, 70, 80], [none, [3, 0], [2, 9]]),
    ...gathersOf([5], 0, []),
    ...gathersOf([5, 3], 0, [7]),
    ...gathersOf([2, 5, 3], 1, [2, 4]),
    ...gathersOf([2, 5], 1, [3]),
    ...gathersOf([1, 6, 2], 2, []),
    ...gathersOf([40, 700], 0, [90]),
    ...gathersOf([3, 9, 20], 1, [400]),
    oneHotCase([], 3),
    oneHotCase([5], 4),
    oneHotCase([2, 3], 1),
    oneHotCase([900, 2], 33),
    ...[[], [3, 5], [40001]].flatMap(castsOf),
    ...vectorEdges(info).flatMap((size) => [...gathersOf([3, size], 0, [4]), ...stacksOf([2], [], 3, size, 5)]),
    ...stacksOf([3], [3], 4, 5, 6),
    ...stacksOf([], [3], 4, 5, 6),
    ...stacksOf([3], [], 4, 5, 6),
    ...stacksOf([2, 1], [3], 2, 3, 4),
    ...stacksOf([2, 3], [1, 1], 1, 7, 2),
    ...stacksOf([4], [4], 33, 40, 300),
  ]
}
