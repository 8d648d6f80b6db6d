import type { KernelInfo } from '../../binding'
import { type OpCase, vectorEdges } from './opCase'

type Shape = readonly number[]

/** Batch normalization of one shape: training, inference and backward, with and without what may be left out, and the moving average of its statistics. */
export function batchNormOf(shape: Shape): OpCase[] {
  const channels = [shape.at(-1)!]
  const [x, y, dy, dx] = [shape, shape, shape, shape]
  const [mean, variance, gamma, beta, dgamma, dbeta] = [channels, channels, channels, channels, channels, channels]
  const named = (op: string, shapes: Record<string, Shape>, attributes: OpCase['attributes'], note: string): OpCase => ({
    name: `${op} [${shape}] ${note}`,
    op,
    shapes,
    attributes,
  })
  const linear = { epsilon: 1e-3, activation: 'linear' }
  return [
    named('batchNorm', { x, gamma, beta, y, mean, variance }, { epsilon: 1e-3, activation: 'relu' }, 'relu'),
    named('batchNorm', { x, gamma, y, mean, variance }, { epsilon: 1e-5, activation: 'tanh' }, 'scaled, tanh'),
    named('batchNorm', { x, beta, y, mean, variance }, { epsilon: 1e-3, activation: 'sigmoid' }, 'centered, sigmoid'),
    named('batchNorm', { x, y, mean, variance }, linear, 'plain'),
    named('batchNorm', { x, gamma, beta, residual: shape, y, mean, variance }, { epsilon: 1e-3, activation: 'relu' }, 'residual, relu'),
    named('batchNorm', { x, residual: shape, y, mean, variance }, linear, 'residual'),
    named('batchNormInference', { x, mean, variance, gamma, beta, y }, { epsilon: 1e-3, activation: 'relu' }, 'relu'),
    named('batchNormInference', { x, mean, variance, y }, linear, 'plain'),
    named('batchNormBackward', { dy, x, mean, variance, gamma, dx, dgamma, dbeta }, { epsilon: 1e-3 }, 'all'),
    named('batchNormBackward', { dy, x, mean, variance, dx }, { epsilon: 1e-3 }, 'dx alone'),
    named('batchNormBackward', { dy, x, mean, variance, gamma, beta, dx, dgamma, dbeta }, { epsilon: 1e-3, activation: 'relu' }, 'relu'),
    named('batchNormBackward', { dy, x, mean, variance, dx }, { epsilon: 1e-3, activation: 'relu' }, 'dx alone, relu'),
    named('batchNormBackward', { dy, x, mean, variance, gamma, dgamma, dbeta }, { epsilon: 1e-3 }, 'without dx'),
    named('movingAverage', { param: channels, value: channels }, { momentum: 0.99 }, ''),
    named('movingAverage', { param: channels, value: channels }, { momentum: 0 }, 'the value alone'),
    ...[0.25, 1].map((part) => ({
      ...named('movingAverage', { param: channels, value: channels }, { share: 'part' }, `a share of ${part}`),
      scalars: { part },
    })),
  ]
}

/** Sizes around the vector's, around a leaf of 64 rows, and some that are cut into several stretches. */
export function batchNormCases(info: KernelInfo): OpCase[] {
  const shapes: Shape[] = [
    [1, 3],
    [2, 5],
    [2, 3, 4, 5],
    [2, 2, 3, 2, 7],
    ...vectorEdges(info).map((channels) => [3, 2, channels]),
    ...[63, 64, 65, 128, 129, 300].map((rows) => [rows, 6]),
    [9, 41, 30, 3],
    [4, 33, 17, 33],
    [7, 9001],
  ]
  return shapes.flatMap(batchNormOf)
}
