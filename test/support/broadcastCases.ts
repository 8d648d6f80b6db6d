import type { KernelInfo } from '../../binding'
import type { Attributes } from '../../lib/ops/op'
import { type OpCase, vectorEdges } from './opCase'

type Shape = readonly number[]

export const binaryNames = ['sub', 'div', 'pow', 'minimum', 'maximum', 'prelu', 'equal', 'notEqual', 'less', 'lessEqual'] as const
export const unaryNames = ['exp', 'log', 'sqrt', 'abs', 'sign'] as const

/** The shape that shapes which fit are broadcast to. */
export function broadcastShape(...shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)))
}

/** Every op of two operands. */
export function binariesOf(a: Shape, b: Shape): OpCase[] {
  const y = broadcastShape(a, b)
  const binary = (op: string, attributes: Attributes = {}, note = ''): OpCase => ({
    name: `${op} [${a}] and [${b}]${note}`,
    op,
    shapes: { a, b, y },
    attributes,
  })
  return [
    ...binaryNames.map((op) => binary(op)),
    binary('multiply'),
    binary('add', { activation: 'linear' }, ' linear'),
    binary('add', { activation: 'relu' }, ' relu'),
  ]
}

export function whereCase(condition: Shape, a: Shape, b: Shape): OpCase {
  const y = broadcastShape(condition, a, b)
  return { name: `where [${condition}], [${a}] or [${b}]`, op: 'where', shapes: { condition, a, b, y }, attributes: {} }
}

/** Every function of one number. */
export function unariesOf(shape: Shape): OpCase[] {
  const clip = (attributes: Attributes): OpCase => ({
    name: `clip [${shape}] ${JSON.stringify(attributes)}`,
    op: 'clip',
    shapes: { x: shape, y: shape },
    attributes,
  })
  return [
    ...unaryNames.map((op): OpCase => ({ name: `${op} [${shape}]`, op, shapes: { x: shape, y: shape }, attributes: {} })),
    clip({ low: -0.5, high: 0.25 }),
    clip({ low: 0.125 }),
    clip({ high: -0.25 }),
  ]
}

/** Sum, mean, largest and smallest over the axes from `first` to `last`, and the way back of sum and mean. */
export function reductionsOf(x: Shape, first: number, last: number, keepDims: boolean): OpCase[] {
  const isReduced = (axis: number) => axis >= first && axis <= last
  const kept = x.map((size, axis) => (isReduced(axis) ? 1 : size))
  const y = keepDims ? kept : x.filter((_, axis) => !isReduced(axis))
  const reduce = (op: string, attributes: Attributes = {}): OpCase => ({
    name: `${op} of [${x}] to [${y}] over ${first} to ${last} ${JSON.stringify(attributes)}`,
    op,
    shapes: { x, y },
    attributes: { axes: [first, last], ...attributes },
  })
  const repeat = (mean: boolean): OpCase => ({
    name: `broadcastTo [${kept}] to [${x}]${mean ? ' mean' : ''}`,
    op: 'broadcastTo',
    shapes: { x: kept, y: x },
    attributes: { mean },
  })
  return [reduce('sum', { mean: false }), reduce('sum', { mean: true }), reduce('max'), reduce('min'), repeat(false), repeat(true)]
}

export function transposeCase(x: Shape, permutation: readonly number[]): OpCase {
  const y = permutation.map((axis) => x[axis]!)
  return { name: `transpose [${x}] by [${permutation}]`, op: 'transpose', shapes: { x, y }, attributes: { permutation } }
}

/** Ops that broadcast, reduce and permute axes: sizes around the vector's, every way of repeating, and some that are cut into several chunks. */
export function broadcastCases(info: KernelInfo): OpCase[] {
  const pairs: [Shape, Shape][] = [
    [[], []],
    [[1], []],
    [[3], [3]],
    [[1, 5], [1]],
    [[2, 3], []],
    [[], [4, 3]],
    [[4, 3], [3]],
    [[4, 1], [3]],
    [
      [4, 1],
      [1, 3],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [
      [2, 1, 4],
      [3, 1],
    ],
    [
      [2, 1, 3, 1],
      [2, 1, 5],
    ],
    [
      [1, 2, 1, 3, 1, 2],
      [2, 1, 2, 1, 3, 1],
    ],
    [[5, 9001], [9001]],
    [[40001], [1]],
    [
      [3, 7001, 2],
      [7001, 1],
    ],
    ...vectorEdges(info).flatMap((size): [Shape, Shape][] => [
      [[2, size], [size]],
      [
        [2, 1],
        [1, size],
      ],
    ]),
  ]
  const reductions: [x: Shape, first: number, last: number][] = [
    [[1], 0, 0],
    [[7], 0, 0],
    [[3, 5], 0, 0],
    [[3, 5], 1, 1],
    [[3, 5], 0, 1],
    [[2, 3, 4, 5], 1, 2],
    [[2, 3, 4, 5], 0, 2],
    [[2, 3, 4, 5], 2, 3],
    [[2, 3, 2, 3, 2, 3], 2, 4],
    [[2, 5000, 3], 1, 1],
    [[70001], 0, 0],
    [[300, 401], 0, 0],
    [[3, 40001], 1, 1],
    [[2, 20011, 2], 0, 1],
    ...vectorEdges(info).flatMap((size): [Shape, number, number][] => [
      [[2, size], 1, 1],
      [[3, size], 0, 0],
    ]),
  ]
  return [
    ...pairs.flatMap(([a, b]) => [...binariesOf(a, b), whereCase(a, b, []), whereCase([], a, b), whereCase(b, b, a)]),
    ...[[], [1], [2, 3], [70, 7], [40001], ...vectorEdges(info).map((size) => [2, size])].flatMap(unariesOf),
    ...reductions.flatMap(([x, first, last]) => [...reductionsOf(x, first, last, false), ...reductionsOf(x, first, last, true)]),
    ...(
      [
        [[], []],
        [[3], [0]],
        [
          [3, 5],
          [1, 0],
        ],
        [
          [3, 5],
          [0, 1],
        ],
        [
          [2, 3, 4],
          [0, 2, 1],
        ],
        [
          [2, 3, 4],
          [2, 0, 1],
        ],
        [
          [2, 3, 4, 5],
          [0, 3, 1, 2],
        ],
        [
          [2, 3, 4, 5],
          [0, 2, 1, 3],
        ],
        [
          [2, 1, 3, 1, 2, 5],
          [5, 1, 4, 0, 3, 2],
        ],
        [
          [151, 157],
          [1, 0],
        ],
        [
          [2, 300, 61],
          [0, 2, 1],
        ],
      ] satisfies [Shape, number[]][]
    ).map(([x, permutation]) => transposeCase(x, permutation)),
  ]
}
