import type { Dtype } from '../../binding'
import { sizeOf } from './compute'
import { normFacts } from './normCases'
import type { OpCase } from './opCase'
import type { Random } from './random'

/** What tests must know of one row of docs/steps.md to make data for it and to judge a result. */
export interface OpFacts {
  /** How each operand that is read gets its values; those not named get reals in −1 … 1. */
  readonly data?: Readonly<Record<string, Maker>>
  readonly outputs: readonly string[]
  /** Read and written. */
  readonly updates?: readonly string[]
  /** Element types other than float32. */
  readonly dtypes?: Readonly<Record<string, Dtype>>
  /** How many products or sums make one value of a result (K of the tolerance). */
  readonly terms: (c: OpCase, output: string) => number
  /** The least that counts as a result's largest value: 1 unless said, the size of the data. */
  readonly floor?: (c: OpCase, output: string) => number
  /** Rounding errors per term (c of the tolerance); 0: the result is exact. */
  readonly factor: number
  /** Small whole numbers give exact results. */
  readonly exactOnWholeNumbers?: (c: OpCase) => boolean
  /** Inputs that the output may be written over, those of the output's shape. */
  readonly inPlace?: readonly string[]
  /** Whether the first size of an operand is the batch size in a program, where the operand's name doesn't say. */
  readonly batched?: (c: OpCase, name: string) => boolean
}

export type Maker = (random: Random, shape: readonly number[], c: OpCase) => number[]

const fill =
  (next: (random: Random) => number): Maker =>
  (random, shape) => {
    const values: number[] = []
    for (let i = sizeOf(shape); i > 0; i--) values.push(next(random))
    return values
  }
export const reals = fill((random) => random.between(-1, 1))
export const wholeNumbers = fill((random) => random.whole(-4, 4))
const between = (low: number, high: number) => fill((random) => random.between(low, high))
const unit = fill((random) => random.between(0.01, 0.99))
const positive = fill((random) => random.between(0.1, 1))
const small = fill((random) => random.between(-0.1, 0.1))
const wide = fill((random) => random.between(-12, 12))
const sizes = fill((random) => random.between(0.01, 12))
/** Small exponents, whole ones and halves among them. */
const exponents = fill((random) => (random.next() < 0.5 ? random.whole(-6, 6) / 2 : random.between(-3, 3)))
/** Few values, so that some are alike. */
const few = fill((random) => random.whole(-2, 2) / 2)
const outputs = fill((random) => random.between(0, 12))
/** What elu gives: more than −1 times its alpha. */
const above = fill((random) => random.between(-1.5, 6))
const bytes = fill((random) => random.whole(0, 255))

const distributions: Maker = (random, shape) => {
  const columns = shape[shape.length - 1]!
  const values = unit(random, shape, undefined as never)
  return values.map((value, i) => {
    const start = i - (i % columns)
    return value / values.slice(start, start + columns).reduce((sum, other) => sum + other, 0)
  })
}

const logarithms: Maker = (random, shape, c) => distributions(random, shape, c).map(Math.log)

/** One column of predictions is the score of the second of two classes; one logit is that of the only class. */
const classesOf = (c: OpCase) => c.shapes.logits?.at(-1) ?? Math.max(2, c.shapes.predictions!.at(-1)!)
const labels: Maker = (random, shape, c) =>
  shape.length === 1 ? Array.from({ length: shape[0]! }, () => random.whole(0, classesOf(c) - 1)) : distributions(random, shape, c)
/** The ignored label among them. */
const someIgnored: Maker = (random, shape, c) => {
  const { ignoreLabel } = c.attributes
  const numbers = labels(random, shape, c)
  return ignoreLabel === undefined ? numbers : numbers.map((label) => (random.next() < 0.2 ? (ignoreLabel as number) : label))
}
/** Yes and no. */
const answers: Maker = (random, shape, c) =>
  shape.length === 1 ? someIgnored(random, shape, c) : Array.from({ length: sizeOf(shape) }, () => random.whole(0, 1))
const rowWeights = fill((random) => (random.next() < 0.2 ? 0 : random.between(0, 2)))

/** For each window a position that lies inside the image. */
const positions: Maker = (random, shape, c) => {
  const image = c.shapes.dx!.slice(1, -1)
  const [size, stride, dilation] = ['size', 'stride', 'dilation'].map((name) => c.attributes[name] as number[])
  const padding = c.attributes.padding as [number, number][]
  return Array.from({ length: sizeOf(shape) }, (_, i) => {
    let at = Math.floor(i / shape.at(-1)!)
    const o = image.map(() => 0)
    for (let axis = image.length - 1; axis >= 0; axis--) {
      o[axis] = at % shape[axis + 1]!
      at = Math.floor(at / shape[axis + 1]!)
    }
    return image.reduce((position, pixels, axis) => {
      const start = o[axis]! * stride![axis]! - padding[axis]![0]
      const inside = Array.from({ length: size![axis]! }, (_, k) => k).filter((k) => {
        const source = start + k * dilation![axis]!
        return source >= 0 && source < pixels
      })
      return position * size![axis]! + random.of(inside)
    }, 0)
  })
}

const isLinear = (c: OpCase) =>
  c.attributes.activation === undefined || c.attributes.activation === 'linear' || c.attributes.activation === 'relu'
const always = () => true
const one = () => 1
const window = (c: OpCase) => sizeOf(c.attributes.size as number[])
const pixels = (shape: readonly number[]) => sizeOf(shape.slice(0, -1))
const columns = (name: string) => (c: OpCase) => c.shapes[name]!.at(-1) ?? 1
const elementwise = { outputs: ['y'], terms: one, inPlace: ['x'] } as const
const backward = { outputs: ['dx'], terms: one, factor: 4, inPlace: ['dy', 'y', 'also'] } as const

const backwardFromX = { outputs: ['dx'], data: { x: wide }, terms: one, inPlace: ['dy', 'x', 'also'] } as const
/** What has all axes of the result and its first size goes with the batch. */
const likeResult = (c: OpCase, name: string) => {
  const [own, y] = [c.shapes[name]!, c.shapes.y!]
  return y.length > 0 && own.length === y.length && own[0] === y[0]
}
/** A box is batched where the first axis is whole, as padding is where it isn't padded. */
const wholeFirst = (c: OpCase) => {
  const [x, y, start] = [c.shapes.x!, c.shapes.y!, c.attributes.start]
  const isBox = Array.isArray(start) && start.length === x.length
  return x.length > 1 && x[0] === y[0] && (!isBox || start[0] === 0)
}
const unpaddedFirst = (c: OpCase) => {
  const padding = c.attributes.padding as number[][]
  return padding.length > 0 && padding[0]!.every((size) => size === 0)
}
/** The indices hold the batch where they take the first axis, else x. */
const indexed = (c: OpCase, name: string) => {
  const takesFirst = c.attributes.axis === 0
  if (name === 'y' || name === 'dy') return !takesFirst || c.shapes.indices!.length > 0
  return name === 'indices' ? takesFirst && c.shapes.indices!.length > 0 : !takesFirst
}
/** Within the axis, and some outside where that has a number for its result. */
const places: Maker = (random, shape, c) => {
  const whole = c.shapes.x ?? c.shapes.dx
  const size = whole ? whole[c.attributes.axis as number]! : c.shapes.y!.at(-1)!
  return Array.from({ length: sizeOf(shape) }, () =>
    c.op !== 'gather' && random.next() < 0.05 ? random.of([-1, size, 2 ** 31 - 1, -(2 ** 31)]) : random.whole(0, size - 1),
  )
}
const castable: Maker = (random, shape, c) => {
  const odd = c.dtypes!.y === 'int32' ? [Number.NaN, 3e9, -3e9, 1e30, 0.99, -0.99] : [3e9, 0.99]
  const next = () => (random.next() < 0.1 ? random.of(odd) : random.between(-1e3, 1e3))
  return Array.from({ length: sizeOf(shape) }, c.dtypes!.x === 'int32' ? () => random.whole(-(2 ** 24), 2 ** 24) : next)
}
const broadcasting = { outputs: ['y'], terms: one, inPlace: ['a', 'b'], batched: likeResult } as const
const compared = { ...broadcasting, data: { a: few, b: few }, factor: 0 } as const
/** x is batched; y is where the first axis stays. */
const reducing = (c: OpCase, name: string) => name === 'x' || (c.shapes.y!.length > 0 && (c.attributes.axes as number[])[0]! > 0)
const reducedCount = (c: OpCase) => Math.min(sizeOf(c.shapes.x!) / sizeOf(c.shapes.y!), c.attributes.mean ? 64 : 1024)

const convolutionFacts = (axes: number): Record<string, OpFacts> => ({
  [`conv${axes}d`]: {
    outputs: ['y'],
    terms: (c) => pixels(c.shapes.w!) + 1,
    factor: 2,
    exactOnWholeNumbers: isLinear,
  },
  [`conv${axes}dBackwardInput`]: {
    outputs: ['dx'],
    terms: (c) => (sizeOf(c.shapes.w!.slice(0, -2)) * c.shapes.w!.at(-1)!) / (c.attributes.groups as number),
    factor: 2,
    exactOnWholeNumbers: always,
  },
  [`convTranspose${axes}d`]: {
    outputs: ['y'],
    terms: (c) => (sizeOf(c.shapes.w!.slice(0, -2)) * c.shapes.w!.at(-1)!) / (c.attributes.groups as number) + 1,
    factor: 2,
    exactOnWholeNumbers: isLinear,
  },
  [`conv${axes}dBackwardWeights`]: { outputs: ['dw', 'db'], terms: (c) => pixels(c.shapes.dy!), factor: 2, exactOnWholeNumbers: always },
})

/** Pixels of the largest bin, and bins that share a pixel at most. */
const bins = (image: readonly number[], pooled: readonly number[]) =>
  image.slice(1, -1).reduce((product, size, axis) => product * (Math.ceil(size / pooled[axis + 1]!) + 1), 1)

const isNearest = (c: OpCase) => c.attributes.interpolation === 'nearest'
/** Pixels of the result that read one pixel, at most. */
const readers = (image: readonly number[], resized: readonly number[]) =>
  image.slice(1, -1).reduce((product, size, axis) => product * (2 * Math.ceil(resized[axis + 1]! / size) + 2), 1)

const poolFacts = (axes: number): Record<string, OpFacts> => ({
  [`maxPool${axes}d`]: { outputs: ['y', 'positions'], dtypes: { positions: 'int32' }, terms: one, factor: 0, exactOnWholeNumbers: always },
  [`maxPool${axes}dBackward`]: {
    outputs: ['dx'],
    dtypes: { positions: 'int32' },
    data: { positions },
    terms: window,
    factor: 1,
    exactOnWholeNumbers: always,
  },
  [`averagePool${axes}d`]: { outputs: ['y'], terms: window, factor: 2 },
  [`averagePool${axes}dBackward`]: { outputs: ['dx'], terms: window, factor: 2 },
  [`adaptiveAveragePool${axes}d`]: { outputs: ['y'], terms: (c) => bins(c.shapes.x!, c.shapes.y!), factor: 2 },
  [`adaptiveAveragePool${axes}dBackward`]: { outputs: ['dx'], terms: (c) => bins(c.shapes.dy!, c.shapes.dx!), factor: 2 },
  [`resize${axes}d`]: { outputs: ['y'], terms: () => 2 ** axes, factor: 2, exactOnWholeNumbers: isNearest },
  [`resize${axes}dBackward`]: {
    outputs: ['dx'],
    terms: (c) => readers(c.shapes.dx!, c.shapes.dy!),
    factor: 2,
    exactOnWholeNumbers: isNearest,
  },
  [`lpPool${axes}d`]: { outputs: ['y'], terms: window, factor: 8 },
  // The real y is at least |x|; where these are not, the ratio's power may be large.
  [`lpPool${axes}dBackward`]: { outputs: ['dx'], data: { y: between(1, 2) }, terms: window, factor: 8 },
})

export const opFacts: Readonly<Record<string, OpFacts>> = {
  ...convolutionFacts(1),
  ...convolutionFacts(2),
  ...convolutionFacts(3),
  biasGradient: { outputs: ['db'], terms: (c) => pixels(c.shapes.dy!), factor: 2, exactOnWholeNumbers: always },
  ...poolFacts(1),
  ...poolFacts(2),
  ...poolFacts(3),
  batchNorm: { outputs: ['y', 'mean', 'variance'], terms: (_, output) => (output === 'y' ? 8 : 2), factor: 8, inPlace: ['x', 'residual'] },
  batchNormInference: { outputs: ['y'], data: { variance: unit }, terms: one, factor: 16, inPlace: ['x'] },
  batchNormBackward: {
    outputs: ['dx', 'dgamma', 'dbeta'],
    data: { variance: unit },
    terms: (c, output) => (output === 'dx' ? 4 : Math.min(pixels(c.shapes.x!), 256)),
    factor: 8,
    inPlace: ['dy', 'x'],
  },
  ...normFacts,
  movingAverage: { outputs: [], updates: ['param'], terms: one, factor: 3 },
  dense: { outputs: ['y'], terms: (c) => c.shapes.w![0]! + 1, factor: 2, exactOnWholeNumbers: isLinear },
  matmul: {
    outputs: ['y'],
    terms: (c) => c.shapes.a!.at(c.attributes.transposeA ? -2 : -1)!,
    factor: 2,
    exactOnWholeNumbers: always,
  },
  relu: { ...elementwise, factor: 0 },
  sigmoid: { ...elementwise, data: { x: wide }, factor: 4 },
  tanh: { ...elementwise, data: { x: wide }, factor: 4 },
  softmax: { ...elementwise, data: { x: wide }, floor: () => 0, factor: 16 },
  reluBackward: { ...backward, terms: (c) => (c.shapes.also ? 1 : 0), factor: 1 },
  sigmoidBackward: { ...backward, data: { y: unit } },
  tanhBackward: { ...backward },
  softmaxBackward: { ...backward, data: { y: distributions }, terms: columns('y') },
  add: { ...broadcasting, factor: 4, exactOnWholeNumbers: isLinear },
  multiply: { ...broadcasting, factor: 1, exactOnWholeNumbers: always },
  sub: { ...broadcasting, factor: 1, exactOnWholeNumbers: always },
  div: { ...broadcasting, data: { b: sizes }, factor: 1 },
  pow: { ...broadcasting, data: { a: sizes, b: exponents }, factor: 4 },
  minimum: { ...compared },
  maximum: { ...compared },
  prelu: { ...broadcasting, factor: 1, exactOnWholeNumbers: always },
  equal: { ...compared },
  notEqual: { ...compared },
  less: { ...compared },
  lessEqual: { ...compared },
  where: { ...broadcasting, inPlace: ['condition', 'a', 'b'], data: { condition: few }, factor: 0 },
  exp: { ...elementwise, data: { x: wide }, factor: 2 },
  log: { ...elementwise, data: { x: sizes }, factor: 2 },
  sqrt: { ...elementwise, data: { x: sizes }, factor: 1 },
  abs: { ...elementwise, factor: 0 },
  sign: { ...elementwise, data: { x: few }, factor: 0 },
  clip: { ...elementwise, factor: 0 },
  sum: { outputs: ['y'], terms: reducedCount, factor: 2, exactOnWholeNumbers: (c) => c.attributes.mean !== true, batched: reducing },
  max: { outputs: ['y'], terms: one, factor: 0, batched: reducing },
  min: { outputs: ['y'], terms: one, factor: 0, batched: reducing },
  broadcastTo: { outputs: ['y'], terms: one, factor: 2, exactOnWholeNumbers: (c) => c.attributes.mean !== true, batched: likeResult },
  transpose: {
    outputs: ['y'],
    terms: one,
    factor: 0,
    batched: (c) => c.shapes.x!.length > 0 && (c.attributes.permutation as number[])[0] === 0,
  },
  leakyRelu: { ...elementwise, data: { x: wide }, factor: 2 },
  elu: { ...elementwise, data: { x: wide }, factor: 4 },
  selu: { ...elementwise, data: { x: wide }, factor: 4 },
  softplus: { ...elementwise, data: { x: wide }, factor: 4 },
  softsign: { ...elementwise, data: { x: wide }, factor: 4 },
  hardSigmoid: { ...elementwise, data: { x: wide }, factor: 4 },
  silu: { ...elementwise, data: { x: wide }, factor: 4 },
  mish: { ...elementwise, data: { x: wide }, factor: 6 },
  gelu: { ...elementwise, data: { x: wide }, factor: 4 },
  geluTanh: { ...elementwise, data: { x: wide }, factor: 4 },
  hardSwish: { ...elementwise, data: { x: wide }, factor: 4 },
  linearThreshold: { ...elementwise, data: { x: wide }, factor: 3 },
  leakyReluBackward: { ...backward, data: { y: reals }, factor: 2 },
  eluBackward: { ...backward, data: { y: above }, factor: 4 },
  seluBackward: { ...backward, data: { y: above }, factor: 4 },
  softplusBackward: { ...backward, data: { y: outputs }, factor: 4 },
  softsignBackward: { ...backward, data: { y: reals }, factor: 4 },
  hardSigmoidBackward: { ...backward, data: { y: unit }, factor: 4 },
  siluBackward: { ...backwardFromX, factor: 8 },
  mishBackward: { ...backwardFromX, factor: 12 },
  geluBackward: { ...backwardFromX, factor: 8 },
  geluTanhBackward: { ...backwardFromX, factor: 12 },
  hardSwishBackward: { ...backwardFromX, factor: 4 },
  linearThresholdBackward: { ...backwardFromX, factor: 2 },
  logSoftmax: { ...elementwise, data: { x: wide }, factor: 8 },
  logSoftmaxBackward: { ...backward, data: { y: logarithms }, terms: columns('y') },
  scale: { ...elementwise, factor: 3 },
  concat: { outputs: ['y'], terms: one, factor: 0, batched: (c) => c.shapes.y!.length > 0 && c.attributes.axis !== 0 },
  slice: { outputs: ['y'], terms: one, factor: 0, batched: wholeFirst },
  pad: { outputs: ['y'], terms: one, factor: 0, batched: unpaddedFirst },
  padBackward: { outputs: ['dx'], terms: (c) => sizeOf(c.shapes.dy!), factor: 1, exactOnWholeNumbers: always, batched: unpaddedFirst },
  gather: { outputs: ['y'], dtypes: { indices: 'int32' }, data: { indices: places }, terms: one, factor: 0, batched: indexed },
  scatterAdd: {
    outputs: ['dx'],
    dtypes: { indices: 'int32' },
    data: { indices: places },
    terms: (c) => sizeOf(c.shapes.indices!),
    factor: 1,
    exactOnWholeNumbers: always,
    batched: indexed,
  },
  oneHot: {
    outputs: ['y'],
    dtypes: { indices: 'int32' },
    data: { indices: places },
    terms: one,
    factor: 0,
    batched: (c) => c.shapes.indices!.length > 0,
  },
  cast: { outputs: ['y'], data: { x: castable }, terms: one, factor: 0, batched: (c) => c.shapes.x!.length > 0 },
  dropout: { ...elementwise, factor: 2 },
  normalize: { outputs: ['y'], terms: () => 2, factor: 2 },
  // Contrast and brightness may have made numbers larger than the range that another transformation brings them into.
  augment: {
    outputs: ['y'],
    terms: (c) => 2 + (c.attributes.count as number),
    floor: (c) => (c.dtypes?.x === 'uint8' ? 255 * 4 : 4),
    factor: 4,
  },
  mixup: { outputs: ['y'], terms: one, factor: 4, batched: always },
  softmaxCrossEntropy: {
    outputs: ['loss', 'dlogits', 'weight'],
    data: { logits: wide, labels: someIgnored, weights: rowWeights },
    terms: one,
    floor: (c, output) => (output === 'loss' ? 1 : 1 / c.shapes.logits![0]!),
    factor: 16,
  },
  meanSquaredError: {
    outputs: ['loss', 'dpredictions'],
    terms: (c, output) => (output === 'loss' ? Math.min(sizeOf(c.shapes.predictions!), 1024) : 1),
    floor: (c, output) => (output === 'loss' ? 1 : 1 / sizeOf(c.shapes.predictions!)),
    factor: 4,
  },
  accuracy: { outputs: ['correct', 'counted'], data: { labels: someIgnored }, terms: one, factor: 0 },
  confusion: { outputs: ['matrix', 'counts'], data: { labels: answers }, terms: one, factor: 0 },
  fill: { outputs: ['y'], terms: one, factor: 1 },
  sgd: { outputs: [], updates: ['param', 'velocity'], terms: one, factor: 6 },
  adam: { outputs: [], updates: ['param', 'm', 'v'], data: { v: unit }, terms: one, factor: 12 },
  rmsprop: {
    outputs: [],
    updates: ['param', 'square', 'mean', 'velocity'],
    data: { square: positive, mean: small },
    terms: one,
    factor: 24,
  },
  adagrad: { outputs: [], updates: ['param', 'sum'], data: { sum: positive }, terms: one, factor: 12 },
  l2Norm: { outputs: ['norm'], terms: (c) => Math.min(sizeOf(c.shapes.x0!), 1024), factor: 2 },
  clipByNorm: { outputs: ['y'], data: { norm: unit }, terms: one, factor: 4, inPlace: ['x'] },
  clipByValue: { outputs: ['y'], terms: one, factor: 0, inPlace: ['x'] },
  constrain: { outputs: [], updates: ['param'], terms: (c) => Math.min(sizeOf(c.shapes.param!), 256), factor: 4 },
}

/** Element type of an operand: labels with one number per row are int32, `x` of a normalize case says itself what it is. */
export function dtypeOf(c: OpCase, name: string): Dtype {
  if (name === 'labels' && c.shapes.labels!.length === 1) return 'int32'
  return c.dtypes?.[name] ?? opFacts[c.op]!.dtypes?.[name] ?? 'float32'
}

/** Values of an operand that the step reads. */
export function valuesOf(c: OpCase, name: string, random: Random, whole: boolean): number[] {
  const shape = c.shapes[name]!
  const maker = dtypeOf(c, name) === 'uint8' ? bytes : (opFacts[c.op]!.data?.[name] ?? (whole ? wholeNumbers : reals))
  return maker(random, shape, c)
}

const neverBatched = new Set([
  'w',
  'bias',
  'dw',
  'db',
  'loss',
  'correct',
  'counted',
  'weight',
  'matrix',
  'counts',
  's',
  'param',
  'velocity',
  'm',
  'v',
  'grad',
  'square',
  'mean',
  'sum',
  'variance',
  'gamma',
  'beta',
  'dgamma',
  'dbeta',
  'value',
  'norm',
])

const ofGradients = new Set(['l2Norm', 'clipByNorm', 'clipByValue'])

/** Whether the first size of an operand is the batch size in a program. */
export function isBatched(c: OpCase, name: string): boolean {
  if (ofGradients.has(c.op)) return false
  const { batched } = opFacts[c.op]!
  if (batched) return batched(c, name)
  if (c.op !== 'matmul') return !neverBatched.has(name)
  if (c.shapes.y!.length > 2) return c.shapes[name]!.length > 2 && likeResult(c, name)
  // A transposed a is what a weight gradient reads: the batch is summed over, and is the first axis of both factors.
  const { transposeA, transposeB } = c.attributes
  return transposeA ? !transposeB && (name === 'a' || name === 'b') : name === 'a' || name === 'y'
}
