import type { KernelInfo } from '../../binding'
import { activated } from './activations'
import { type OpCase, vectorEdges } from './opCase'
import type { OpFacts } from './opFacts'

type Shape = readonly number[]

const sizeOf = (shape: Shape) => shape.reduce((product, size) => product * size, 1)
const named = (op: string, shapes: Record<string, Shape>, attributes: OpCase['attributes'], note: string): OpCase => ({
  name: `${op} [${shapes.x}] ${Object.values(attributes).join(' ')} ${note}`,
  op,
  shapes,
  attributes,
})

/** Layer and RMS normalization over the last axes, forward and backward, with and without what may be left out. */
export function rowNormsOf(shape: Shape, axes: number): OpCase[] {
  const [rows, columns] = [shape.slice(0, -axes), shape.slice(-axes)]
  const [x, y, dy, dx] = [shape, shape, shape, shape]
  const [mean, variance, meanSquare] = [rows, rows, rows]
  const [gamma, beta, dgamma, dbeta] = [columns, columns, columns, columns]
  const [relu, tanh] = [activated('relu'), activated('tanh')]
  const plain = { axes, epsilon: 1e-3 }
  const linear = { ...plain, activation: 'linear' }
  return [
    named('layerNorm', { x, gamma, beta, y, mean, variance }, { ...plain, ...relu }, 'all'),
    named('layerNorm', { x, gamma, y, mean }, { ...plain, ...tanh }, 'scaled'),
    named('layerNorm', { x, beta, y, variance }, linear, 'centered'),
    named('layerNorm', { x, y }, linear, 'alone'),
    named('layerNormBackward', { dy, x, mean, variance, gamma, dx, dgamma, dbeta }, plain, 'all'),
    named('layerNormBackward', { dy, x, mean, variance, dx }, plain, 'dx alone'),
    named('layerNormBackward', { dy, x, mean, variance, dbeta }, plain, 'dbeta alone'),
    named('layerNormBackward', { dy, x, mean, variance, gamma, dx, dgamma }, plain, 'without dbeta'),
    named('rmsNorm', { x, gamma, y, meanSquare }, { ...plain, ...relu }, 'all'),
    named('rmsNorm', { x, y }, linear, 'alone'),
    named('rmsNormBackward', { dy, x, meanSquare, gamma, dx, dgamma }, plain, 'all'),
    named('rmsNormBackward', { dy, x, meanSquare, dx }, plain, 'dx alone'),
    named('rmsNormBackward', { dy, x, meanSquare, dgamma }, plain, 'dgamma alone'),
  ]
}

/** Group normalization of one shape, forward and backward. */
export function groupNormsOf(shape: Shape, groups: number): OpCase[] {
  const statistics = [shape[0]!, groups]
  const channels = [shape.at(-1)!]
  const [x, y, dy, dx, mean, variance] = [shape, shape, shape, shape, statistics, statistics]
  const [gamma, beta, dgamma, dbeta] = [channels, channels, channels, channels]
  const plain = { groups, epsilon: 1e-3 }
  const linear = { ...plain, activation: 'linear' }
  return [
    named('groupNorm', { x, gamma, beta, y, mean, variance }, { ...plain, ...activated('relu') }, 'all'),
    named('groupNorm', { x, gamma, y, mean }, { ...plain, ...activated('silu') }, 'scaled'),
    named('groupNorm', { x, beta, y, variance }, linear, 'centered'),
    named('groupNorm', { x, y }, linear, 'alone'),
    named('groupNormBackward', { dy, x, mean, variance, gamma, dx, dgamma, dbeta }, plain, 'all'),
    named('groupNormBackward', { dy, x, mean, variance, dx }, plain, 'dx alone'),
    named('groupNormBackward', { dy, x, mean, variance, gamma, dgamma }, plain, 'dgamma alone'),
    named('groupNormBackward', { dy, x, mean, variance, dx, dbeta }, plain, 'without gamma'),
  ]
}

/** Sizes around the vector's, around leaves and blocks of a row, and some that are cut into several stretches. */
export function normCases(info: KernelInfo): OpCase[] {
  const edges = vectorEdges(info)
  return [
    ...edges.flatMap((columns) => rowNormsOf([3, columns], 1)),
    ...[1, 2, 10, 1000, 1024, 1025, 4100].flatMap((columns) => rowNormsOf([2, columns], 1)),
    ...[63, 64, 65, 129, 300].flatMap((rows) => rowNormsOf([rows, 7], 1)),
    ...rowNormsOf([2, 3, 4, 5], 2),
    ...rowNormsOf([2, 3, 4, 5], 3),
    ...rowNormsOf([5, 18, 20, 33], 1),
    ...rowNormsOf([3, 20, 33, 9], 3),
    ...edges.flatMap((channels) => groupNormsOf([2, 3, 2 * channels], 2)),
    ...[1, 3, 63, 64, 65, 129].flatMap((positions) => groupNormsOf([3, positions, 6], 3)),
    ...groupNormsOf([4, 6], 1),
    ...groupNormsOf([4, 6], 6),
    ...groupNormsOf([2, 3, 2, 3, 8], 4),
    ...groupNormsOf([2, 31, 30, 12], 12),
    ...groupNormsOf([2, 41, 25, 33], 3),
    ...groupNormsOf([8, 52, 40, 16], 16),
  ]
}

const positive = (random: { between(low: number, high: number): number }, shape: Shape) =>
  Array.from({ length: sizeOf(shape) }, () => random.between(0.01, 0.99))

const parameters = new Set(['gamma', 'beta', 'dgamma', 'dbeta'])
const rowCount = (c: OpCase) => sizeOf(c.shapes.x!) / sizeOf(c.shapes.x!.slice(-(c.attributes.axes as number)))
const batched = (_: OpCase, name: string) => !parameters.has(name)

export const normFacts: Readonly<Record<string, OpFacts>> = {
  layerNorm: { outputs: ['y', 'mean', 'variance'], terms: (_, output) => (output === 'y' ? 8 : 2), factor: 8, batched },
  rmsNorm: { outputs: ['y', 'meanSquare'], terms: (_, output) => (output === 'y' ? 4 : 2), factor: 8, batched },
  groupNorm: { outputs: ['y', 'mean', 'variance'], terms: (_, output) => (output === 'y' ? 8 : 2), factor: 8, batched },
  layerNormBackward: {
    outputs: ['dx', 'dgamma', 'dbeta'],
    data: { variance: positive },
    terms: (c, output) => (output === 'dx' ? 4 : Math.min(rowCount(c), 64)),
    factor: 8,
    batched,
  },
  rmsNormBackward: {
    outputs: ['dx', 'dgamma'],
    data: { meanSquare: positive },
    terms: (c, output) => (output === 'dx' ? 4 : Math.min(rowCount(c), 64)),
    factor: 8,
    batched,
  },
  groupNormBackward: {
    outputs: ['dx', 'dgamma', 'dbeta'],
    data: { variance: positive },
    terms: (c, output) => (output === 'dx' ? 4 : Math.min(sizeOf(c.shapes.x!.slice(0, -1)), 256)),
    factor: 8,
    batched,
  },
}
