import type { KernelInfo } from '../../binding'
import { activated, activationNames, activations } from './activations'
import { type OpCase, vectorEdges } from './opCase'

type Shape = readonly number[]
const named = (op: string, shape: Shape, rest: Omit<OpCase, 'name' | 'op'>, note = ''): OpCase => ({
  name: `${op} [${shape}]${note && ` ${note}`}`,
  op,
  ...rest,
})

/** Scalars of a dropout case. */
const draw = { seed: 2 ** 40 + 12345, step: 7 }

/** All elementwise ops on tensors of one shape. */
export function elementwiseOf(shape: Shape): OpCase[] {
  const [x, y, a, b, dy, dx] = [shape, shape, shape, shape, shape, shape]
  const channels = shape.at(-1) ?? 1
  const perChannel = (value: (c: number) => number) => Array.from({ length: channels }, (_, c) => value(c))
  const normalize = (dtype: 'uint8' | 'float32', scale: number | number[], offset: number | number[], note: string) =>
    named('normalize', shape, { shapes: { x, y }, attributes: { scale, offset }, dtypes: { x: dtype } }, `${dtype} ${note}`)
  const perChannelNormalize = [
    normalize(
      'uint8',
      perChannel((c) => 1 / (c + 60)),
      perChannel((c) => c / 8 - 0.5),
      'per channel',
    ),
    normalize(
      'float32',
      perChannel((c) => c - 1.5),
      perChannel((c) => c / 8),
      'per channel',
    ),
  ]
  return [
    ...Object.entries(activations).flatMap(([op, { attributes, from }]) => [
      named(op, shape, { shapes: { x, y }, attributes }),
      named(`${op}Backward`, shape, { shapes: { dy, [from]: shape, dx }, attributes }),
      named(`${op}Backward`, shape, { shapes: { dy, [from]: shape, also: shape, dx }, attributes }, 'and more'),
    ]),
    ...['linear', ...activationNames].map((activation) =>
      named('add', shape, { shapes: { a, b, y }, attributes: activated(activation) }, activation),
    ),
    named('multiply', shape, { shapes: { a, b, y }, attributes: {} }),
    named('scale', shape, { shapes: { x, y }, attributes: { factor: -0.75 } }),
    named('scale', shape, { shapes: { x, s: [], y }, attributes: { factor: 3 } }, 'by a tensor'),
    ...[0, 0.25, 0.5, 0.9].map((rate) =>
      named('dropout', shape, { shapes: { x, y }, attributes: { rate, stream: 3 }, scalars: draw }, `rate ${rate}`),
    ),
    normalize('uint8', 1 / 255, 0, 'one scale'),
    normalize('float32', 2, -1, 'one scale'),
    ...(shape.length > 1 ? perChannelNormalize : []),
    named('fill', shape, { shapes: { y }, attributes: { value: 0.1 } }),
  ]
}

/** What gradients of a shape go through. */
export function clippingOf(shape: Shape): OpCase[] {
  const [x, y] = [shape, shape]
  return [
    named('l2Norm', shape, { shapes: { x0: x, norm: [] }, attributes: { count: 1 } }),
    named('l2Norm', shape, { shapes: { x0: x, x1: [3, 2], x2: x, norm: [] }, attributes: { count: 3 } }, 'and others'),
    named('clipByNorm', shape, { shapes: { x, norm: [], y }, attributes: { limit: 0.25 } }, 'to 0.25'),
    named('clipByNorm', shape, { shapes: { x, norm: [], y }, attributes: { limit: 100 } }, 'below the limit'),
    named('clipByValue', shape, { shapes: { x, y }, attributes: { limit: 0.5 } }),
  ]
}

/** Optimizer steps over `size` parameters, and clipping of their gradients. */
export function optimizersOf(size: number): OpCase[] {
  const shape = [size]
  const [param, velocity, grad, m, v, square, mean, sum] = [shape, shape, shape, shape, shape, shape, shape, shape]
  const scalars = { learningRate: 0.05 }
  const sgd = (note: string, momentum: number, nesterov: boolean, weightDecay: number, decoupled = false): OpCase =>
    named(
      'sgd',
      shape,
      { shapes: { param, ...(momentum > 0 && { velocity }), grad }, attributes: { momentum, nesterov, weightDecay, decoupled }, scalars },
      note,
    )
  const adam = (step: number, weightDecay: number, decoupled = false): OpCase =>
    named(
      'adam',
      shape,
      {
        shapes: { param, m, v, grad },
        attributes: { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay, decoupled },
        scalars: { learningRate: 0.01, step },
      },
      `step ${step}${weightDecay > 0 ? ' with decay' : ''}${decoupled ? ', decoupled' : ''}`,
    )
  const rmsprop = (note: string, centered: boolean, momentum: number, weightDecay: number, decoupled = false): OpCase =>
    named(
      'rmsprop',
      shape,
      {
        shapes: { param, square, ...(centered && { mean }), ...(momentum > 0 && { velocity }), grad },
        attributes: { alpha: 0.9, epsilon: 1e-6, momentum, weightDecay, decoupled },
        scalars,
      },
      note,
    )
  const adagrad = (note: string, step: number, learningRateDecay: number, initialAccumulator: number, decoupled = false): OpCase =>
    named(
      'adagrad',
      shape,
      {
        shapes: { param, sum, grad },
        attributes: { learningRateDecay, initialAccumulator, epsilon: 1e-7, weightDecay: 0.1, decoupled },
        scalars: { ...scalars, step },
      },
      note,
    )
  return [
    sgd('plain', 0, false, 0),
    sgd('with decay', 0, false, 0.1),
    sgd('momentum', 0.9, false, 0),
    sgd('Nesterov with decay', 0.9, true, 0.01),
    adam(1, 0),
    adam(1000, 0.02),
    sgd('decoupled decay', 0.9, false, 0.1, true),
    adam(3, 0.1, true),
    rmsprop('plain', false, 0, 0),
    rmsprop('with decay', false, 0, 0.1),
    rmsprop('momentum, decoupled decay', false, 0.9, 0.1, true),
    rmsprop('centered with momentum', true, 0.5, 0),
    adagrad('with decay', 1, 0, 0),
    adagrad('decaying, from 0.1, decoupled decay', 7, 0.01, 0.1, true),
    named(
      'sgd',
      shape,
      { shapes: { param, grad }, attributes: { weightDecay: 0.1, decoupled: true, rateFactor: 0.1 }, scalars },
      'a tenth of the rate',
    ),
    named(
      'adam',
      shape,
      {
        shapes: { param, m, v, grad },
        attributes: { beta1: 0.9, beta2: 0.99, epsilon: 1e-6, rateFactor: 3 },
        scalars: { learningRate: 0.01, step: 2 },
      },
      'three times the rate',
    ),
    named(
      'rmsprop',
      shape,
      { shapes: { param, square, grad }, attributes: { alpha: 0.9, epsilon: 1e-6, rateFactor: 0.5 }, scalars },
      'half the rate',
    ),
    named(
      'adagrad',
      shape,
      {
        shapes: { param, sum, grad },
        attributes: { learningRateDecay: 0, initialAccumulator: 0, epsilon: 1e-7, rateFactor: 0 },
        scalars: { ...scalars, step: 2 },
      },
      'no rate',
    ),
    ...clippingOf(shape),
    ...constraintsOf([1, 1, size]),
  ]
}

/** Every constraint on a parameter of `[before, outputs, after]`, with a limit that some norms are above. */
export function constraintsOf(incoming: Shape): OpCase[] {
  const [before, outputs, after] = incoming as [number, number, number]
  const limit = 0.5 * Math.sqrt(before * after)
  const shapes = { param: after === 1 ? [before, outputs] : [before * outputs * after] }
  return (['maxNorm', 'unitNorm', 'nonNegative'] as const).map((rule) => {
    const attributes = { rule, incoming, ...(rule === 'maxNorm' && { limit }) }
    return named('constrain', incoming, { shapes, attributes }, rule)
  })
}

/** Elementwise ops and optimizers: sizes around the vector's, and one that is cut into several chunks. */
export function elementwiseCases(info: KernelInfo): OpCase[] {
  const shapes: Shape[] = [[1], [1025], [2, 3], [2, 3, 4, 5], ...vectorEdges(info).map((size) => [1, size]), [3, 341], [5, 9001]]
  const incoming: Shape[] = [
    [1, 1, 1],
    [3, 4, 1],
    [2, 5, 3],
    [300, 7, 1],
    [130, 1, 1],
    [2, 1, 700],
    ...vectorEdges(info).map((size) => [9, size, 1]),
  ]
  const constraints = [...incoming, [70, 601, 1], [5, 33, 201]].flatMap(constraintsOf)
  return [...shapes.flatMap(elementwiseOf), ...constraints, ...[1, ...vectorEdges(info), 1023, 4099, 40001].flatMap(optimizersOf)]
}
