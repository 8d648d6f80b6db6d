import fc from 'fast-check'
import { activationNames } from './activations'
import { batchNormOf } from './batchNormCases'
import { binariesOf, reductionsOf, transposeCase, unariesOf, whereCase } from './broadcastCases'
import { type Convolution, type ConvolutionNd, outputSize, passesOf, passesOfNd } from './convolutionCases'
import { constraintsOf, elementwiseOf, optimizersOf } from './elementwiseCases'
import { boxCase, castsOf, concatAlongCase, gathersOf, oneHotCase, padsOf, stacksOf } from './movingCases'
import { groupNormsOf, rowNormsOf } from './normCases'
import type { OpCase } from './opCase'
import { adaptivePassesOf, type PoolingNd, poolPassesOfNd, resizesOf } from './poolingCases'
import { denseCase, matmulCase } from './productCases'
import { concatCase, rowsOf, sliceCase } from './rowCases'

type Cases = fc.Arbitrary<readonly OpCase[]>

const whole = (min: number, max: number) => fc.integer({ min, max })
const pair = (min: number, max: number) => fc.tuple(whole(min, max), whole(min, max))
const sides = (max: number) => fc.tuple(pair(0, max), pair(0, max))
/** Mostly small, now and then around the edges of vectors and tiles. */
const channels = (edges: readonly number[]) =>
  fc.oneof({ weight: 3, arbitrary: whole(1, 9) }, { weight: 1, arbitrary: fc.constantFrom(...edges) })
const activation = fc.constantFrom('linear', ...activationNames)

/** Convolutions whose window fits the padded image, and which are quick in the reference. */
export function convolutionsNear(edges: readonly number[]): fc.Arbitrary<Convolution> {
  return fc
    .record({
      N: whole(1, 3),
      H: whole(1, 9),
      W: whole(1, 9),
      perGroup: fc.tuple(channels(edges), channels(edges)),
      groups: fc.constantFrom(1, 1, 1, 2, 3),
      kernel: pair(1, 4),
      stride: pair(1, 3),
      padding: sides(3),
      dilation: pair(1, 3),
      activation,
    })
    .map(({ perGroup: [c, oc], groups, kernel: [KH, KW], ...rest }) => ({ ...rest, groups, KH, KW, C: c * groups, OC: oc * groups }))
    .filter(fits)
}

/** Many small images. */
export function manyImagesPasses(edges: readonly number[]): Cases {
  return fc
    .record({
      N: whole(30, 200),
      H: whole(1, 6),
      W: whole(1, 6),
      C: whole(1, 9),
      OC: channels(edges),
      KH: whole(1, 3),
      KW: whole(1, 3),
      stride: pair(1, 3),
      padding: sides(1),
      dilation: pair(1, 2),
      activation,
    })
    .filter((c) => fits(c, 200_000))
    .map((c) => [...passesOf({ ...c, bias: true }), passesOf(c)[0]!])
}

function fits({ N = 1, H, W, C, OC, KH, KW, stride, padding, dilation, groups = 1 }: Convolution, most = 60_000): boolean {
  const OH = outputSize(H, KH, stride![0], padding![0], dilation![0])
  const OW = outputSize(W, KW, stride![1], padding![1], dilation![1])
  return OH >= 1 && OW >= 1 && (N * OH * OW * KH * KW * C * OC) / groups < most
}

export const convolutionPasses = (edges: readonly number[]): Cases =>
  convolutionsNear(edges).map((c) => [...passesOf({ ...c, bias: true }), passesOf(c)[0]!])

/** Convolutions that Winograd's algorithms take, with any padding, and large enough for several tiles. */
export function winogradPasses(edges: readonly number[]): Cases {
  return fc
    .record({
      N: whole(1, 3),
      H: whole(1, 15),
      W: whole(1, 15),
      C: channels(edges),
      OC: channels(edges),
      kernel: fc.constantFrom(3, 3, 3, 5),
      padding: sides(4),
      activation,
    })
    .map(({ kernel, ...rest }) => ({ ...rest, KH: kernel, KW: kernel, stride: [1, 1] as const, dilation: [1, 1] as const }))
    .filter(fits)
    .map((c) => [...passesOf({ ...c, bias: true }), passesOf(c)[0]!])
}

/** As `convolutionsNear` along one or three axes. */
export function convolutionsNdNear(axes: 1 | 3, edges: readonly number[]): fc.Arbitrary<ConvolutionNd> {
  const each = (min: number, max: number) => fc.tuple(...Array.from({ length: axes }, () => whole(min, max)))
  const most = axes === 1 ? { size: 24, kernel: 6 } : { size: 5, kernel: 3 }
  return fc
    .record({
      N: whole(1, 3),
      image: each(1, most.size),
      perGroup: fc.tuple(channels(edges), channels(edges)),
      groups: fc.constantFrom(1, 1, 1, 2, 3),
      kernel: each(1, most.kernel),
      stride: each(1, 3),
      padding: fc.tuple(...Array.from({ length: axes }, () => pair(0, 3))),
      dilation: each(1, 3),
      activation,
    })
    .map(({ perGroup: [c, oc], groups, ...rest }) => ({ ...rest, groups, C: c * groups, OC: oc * groups }))
    .filter(fitsNd)
}

function fitsNd({ N = 1, image, kernel, stride, padding, dilation, C, OC, groups = 1 }: ConvolutionNd, most = 60_000): boolean {
  const out = image.map((size, axis) => outputSize(size, kernel[axis]!, stride![axis]!, padding![axis]!, dilation![axis]!))
  return out.every((size) => size >= 1) && ([...out, ...kernel].reduce((a, b) => a * b, N) * C * OC) / groups < most
}

export const convolutionNdPasses = (axes: 1 | 3, edges: readonly number[]): Cases =>
  convolutionsNdNear(axes, edges).map((c) => [...passesOfNd({ ...c, bias: true }), passesOfNd(c)[0]!])

/** Convolutions that the direct algorithm takes, along one to three axes: depthwise, grouped with few channels, few channels on one side. */
export function directPasses(axes: 1 | 2 | 3, edges: readonly number[]): Cases {
  const most = { size: [40, 16, 6][axes - 1]!, kernel: [7, 5, 3][axes - 1]! }
  const mostlyOne = (max: number) => fc.tuple(...Array.from({ length: axes }, () => fc.oneof(fc.constant(1), whole(1, max))))
  const grouped = fc.record({ c: whole(1, 5), oc: whole(1, 5), groups: whole(2, 6) })
  const depthwise = fc.record({
    c: fc.constant(1),
    oc: fc.constantFrom(1, 1, 2, 3),
    groups: fc.oneof(whole(2, 40), fc.constantFrom(...edges)),
  })
  const few = fc.record({ c: whole(1, 16), oc: channels(edges), groups: fc.constant(1) })
  return fc
    .record({
      N: whole(1, 3),
      image: each(axes, 1, most.size),
      sizes: fc.oneof(depthwise, depthwise, grouped, few),
      swapped: fc.boolean(),
      kernel: each(axes, 1, most.kernel),
      stride: mostlyOne(3),
      padding: fc.tuple(...Array.from({ length: axes }, () => pair(0, 3))),
      dilation: mostlyOne(3),
      activation,
    })
    .map(({ sizes: { c, oc, groups }, swapped, ...rest }) => {
      const [from, to] = swapped ? [oc, c] : [c, oc]
      return { ...rest, groups, C: from * groups, OC: to * groups }
    })
    .filter(fitsNd)
    .map((c) => [...passesOfNd({ ...c, bias: true }), passesOfNd(c)[0]!])
}

/** Windows of one position between so many channels that their weight gradient is made from packed panels. */
export function pointwisePasses(axes: 1 | 2 | 3, edges: readonly number[]): Cases {
  const ones = Array.from({ length: axes }, () => 1)
  const many = fc.oneof(
    whole(96, 120),
    fc.constantFrom(...edges).map((edge) => 96 + edge),
  )
  return fc
    .record({
      N: whole(1, 3),
      image: each(axes, 1, [800, 20, 6][axes - 1]!),
      C: many,
      OC: many,
      groups: fc.constant(1),
      kernel: fc.constant(ones),
      stride: each(axes, 1, 3),
      padding: fc.tuple(...ones.map(() => fc.oneof(fc.constant<readonly [number, number]>([0, 0]), pair(0, 2)))),
      dilation: fc.constant(ones),
    })
    .filter((c) => fitsNd(c, 3_000_000))
    .map((c) => [...passesOfNd({ ...c, bias: true }), ...passesOfNd(c)].filter(({ op }) => op.endsWith('BackwardWeights')))
}

const each = (axes: number, min: number, max: number) => fc.tuple(...Array.from({ length: axes }, () => whole(min, max)))

export function poolingPasses(axes: 1 | 2 | 3, edges: readonly number[]): Cases {
  return fc
    .record({
      N: whole(1, 3),
      image: each(axes, 1, [24, 10, 6][axes - 1]!),
      C: channels(edges),
      size: each(axes, 1, axes === 3 ? 3 : 4),
      stride: each(axes, 1, 4),
      padding: fc.tuple(...Array.from({ length: axes }, () => pair(0, 3))),
      dilation: each(axes, 1, 3),
      ceil: fc.boolean(),
      p: fc.constantFrom(1, 1.5, 2, 2, 3, 4),
    })
    .filter(everyWindowMeetsTheImage)
    .map(poolPassesOfNd)
}

/** Pooling refuses a window larger than the padded image, and one that lies wholly in the padding. */
function everyWindowMeetsTheImage(p: PoolingNd): boolean {
  const { y } = poolPassesOfNd(p)[0]!.shapes
  return p.image.every((input, axis) => {
    const [k, by, [before, after], apart] = [p.size[axis]!, p.stride![axis]!, p.padding![axis]!, p.dilation![axis]!]
    const starts = Array.from({ length: Math.max(y![axis + 1]!, 0) }, (_, o) => o * by - before)
    const taps = Array.from({ length: k }, (_, i) => i * apart)
    const touches = (start: number) => taps.some((tap) => start + tap >= 0 && start + tap < input)
    return apart * (k - 1) + 1 <= input + before + after && starts.every(touches)
  })
}

export const adaptivePasses = (axes: 1 | 2 | 3, edges: readonly number[]): Cases =>
  fc
    .tuple(whole(1, 3), each(axes, 1, [40, 12, 6][axes - 1]!), each(axes, 1, [20, 8, 5][axes - 1]!), channels(edges))
    .map(([N, image, size, C]) => adaptivePassesOf(N, image, size, C))

export const resizePasses = (axes: 1 | 2 | 3, edges: readonly number[]): Cases =>
  fc
    .tuple(whole(1, 2), each(axes, 1, [30, 9, 5][axes - 1]!), each(axes, 1, [30, 9, 5][axes - 1]!), channels(edges))
    .map(([N, image, size, C]) => resizesOf(N, image, size, C))

const size = (edges: readonly number[]) => fc.oneof(whole(1, 24), fc.constantFrom(...edges))

export const matmulPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(size(edges), size(edges), fc.oneof(whole(1, 24), whole(250, 260)), fc.boolean(), fc.boolean())
    .filter(([M, N, K]) => M * N * K < 200_000)
    .map((sizes) => [matmulCase(...sizes)])

export const densePasses = (edges: readonly number[]): Cases =>
  fc.tuple(whole(1, 9), size(edges), size(edges), fc.boolean(), activation).map((sizes) => [denseCase(...sizes)])

const shape = (edges: readonly number[]) =>
  fc.oneof(fc.array(whole(1, 5), { maxLength: 3 }), fc.tuple(whole(1, 3), size(edges)), fc.tuple(whole(1, 3000)))

export const elementwisePasses = (edges: readonly number[]): Cases =>
  shape(edges)
    .filter((s) => s.length > 0)
    .map(elementwiseOf)
export const optimizerPasses: Cases = whole(1, 3000).map(optimizersOf)
export const constraintPasses = (edges: readonly number[]): Cases => fc.tuple(whole(1, 70), channels(edges), whole(1, 9)).map(constraintsOf)
export const rowPasses = (edges: readonly number[]): Cases => fc.tuple(whole(1, 70), size(edges)).map((sizes) => rowsOf(...sizes))

export const movingPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(fc.array(whole(1, 5), { minLength: 1, maxLength: 3 }), fc.array(channels(edges), { minLength: 1, maxLength: 5 }))
    .chain(([sizes, parts]) => {
      const total = parts.reduce((sum, c) => sum + c, 0)
      return whole(0, total - 1).chain((start) =>
        whole(1, total - start).map((c) => [concatCase(sizes, parts), sliceCase(sizes, total, start, c)]),
      )
    })

/** A shape, and others that are broadcast to it: sizes of 1 and missing first axes at random. */
const broadcastable = (edges: readonly number[], count: number) =>
  fc
    .tuple(
      fc.array(whole(1, 4), { maxLength: 4 }),
      fc.oneof({ weight: 3, arbitrary: whole(1, 9) }, { weight: 1, arbitrary: fc.constantFrom(...edges) }),
    )
    .chain(([front, last]) => {
      const shape = [...front, last]
      const part = fc
        .tuple(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), whole(0, shape.length))
        .map(([isOne, missing]) => shape.map((size, axis) => (isOne[axis] ? 1 : size)).slice(missing))
      return fc.array(part, { minLength: count, maxLength: count })
    })

export const broadcastPasses = (edges: readonly number[]): Cases =>
  broadcastable(edges, 3).map(([a, b, c]) => [...binariesOf(a!, b!), whereCase(c!, a!, b!)])
export const unaryPasses = (edges: readonly number[]): Cases => shape(edges).map(unariesOf)

const axesOf = (rank: number) => fc.array(fc.double({ noNaN: true }), { minLength: rank, maxLength: rank })

export const axesPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(fc.array(whole(1, 5), { maxLength: 4 }), fc.oneof(whole(1, 9), fc.constantFrom(...edges), whole(1, 3000)), fc.boolean())
    .filter(([sizes, last]) => sizes.reduce((product, size) => product * size, last) < 20_000)
    .chain(([sizes, last, keepDims]) => {
      const x = [...sizes, last]
      return fc.tuple(whole(0, sizes.length), whole(0, sizes.length), axesOf(x.length)).map(([i, j, keys]) => [
        ...reductionsOf(x, Math.min(i, j), Math.max(i, j), keepDims),
        transposeCase(
          x,
          [...keys.keys()].sort((p, q) => keys[p]! - keys[q]! || p - q),
        ),
      ])
    })

const smallShape = (edges: readonly number[], least: number) =>
  fc.tuple(fc.array(whole(1, 4), { minLength: least, maxLength: 3 }), channels(edges)).map(([front, last]) => [...front, last])

/** Concatenation, boxes and padding of every axis. */
export const boxPasses = (edges: readonly number[]): Cases =>
  smallShape(edges, 0).chain((x) =>
    fc
      .tuple(
        whole(0, x.length - 1),
        fc.array(whole(1, 5), { minLength: 1, maxLength: 4 }),
        fc.tuple(...x.map((size) => pair(0, size - 1))),
        fc.tuple(...x.map(() => fc.oneof(fc.constant([0, 0] as [number, number]), pair(0, 3)))),
      )
      .map(([axis, sizes, ends, padding]) => {
        const start = ends.map((pairOf) => Math.min(...pairOf))
        const y = ends.map((pairOf) => Math.max(...pairOf) - Math.min(...pairOf) + 1)
        return [concatAlongCase(x, axis, sizes), boxCase(x, start, y), ...padsOf(x, padding)]
      }),
  )

export const indexPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(smallShape(edges, 0), fc.array(whole(1, 6), { maxLength: 2 }), whole(0, 3), whole(1, 20))
    .map(([x, indices, axis, depth]) => [...gathersOf(x, axis % x.length, indices), oneHotCase(indices, depth), ...castsOf(x)])

/** Stacks that are broadcast to one shape, and matrices for them. */
export const stackPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(
      fc.array(fc.tuple(whole(1, 3), fc.constantFrom('both', 'a', 'b')), { minLength: 1, maxLength: 3 }),
      whole(0, 2),
      whole(1, 9),
      channels(edges),
      whole(1, 20),
    )
    .map(([axes, missing, M, N, K]) => {
      const stack = (one: string) => axes.map(([size, which]) => (which === one ? 1 : size))
      return stacksOf(stack('a'), stack('b').slice(Math.min(missing, axes.length)), M, N, K)
    })
export const batchNormPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(fc.array(whole(1, 6), { minLength: 1, maxLength: 3 }), channels(edges))
    .map(([sizes, channel]) => batchNormOf([...sizes, channel]))

/** Normalization of samples: rows of the last axes, and groups of channels. */
export const normPasses = (edges: readonly number[]): Cases =>
  fc
    .tuple(fc.array(whole(1, 6), { minLength: 1, maxLength: 3 }), channels(edges), whole(1, 3), whole(1, 3))
    .map(([sizes, channel, axes, groups]) => [
      ...rowNormsOf([...sizes, channel], Math.min(axes, sizes.length)),
      ...groupNormsOf([...sizes, channel * groups], groups),
    ])
