import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, Value } from '../graph/value'
import { checkChoice, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Operand, typeOf } from './call'
import { concat } from './concat'
import { conv1dOps } from './conv1d'
import { conv2dOps } from './conv2d'
import { conv3dOps } from './conv3d'
import { type Axes, convolution } from './convolution'
import { convTranspose1dOps } from './convTranspose1d'
import { convTranspose2dOps } from './convTranspose2d'
import { convTranspose3dOps } from './convTranspose3d'
import { checkOptions, type OpOptions } from './options'
import { pad } from './pad'
import { reshape } from './reshape'
import { slice } from './slice'
import { transpose } from './transpose'
import { transposedConvolution } from './transposedConvolution'

/**
 * Which part of the whole result, of n + k − 1 values along each axis, comes out, as in scipy.signal. `'full'`: all of it. `'valid'`: where the signals
 * overlap wholly. `'same'`: as many as the first signal has, from the middle.
 */
export type SignalMode = 'full' | 'valid' | 'same'

const correlations = { 1: conv1dOps, 2: conv2dOps, 3: conv3dOps } as const
const convolutions = { 1: convTranspose1dOps, 2: convTranspose2dOps, 3: convTranspose3dOps } as const

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)

/** Along one axis: the part begins at `start` of the whole result and has `size` values. */
interface Part {
  readonly n: number
  readonly k: number
  readonly start: number
  readonly size: number
}

function partOf(n: number, k: number, mode: SignalMode, middle: (k: number) => number): Part {
  if (mode === 'full') return { n, k, start: 0, size: n + k - 1 }
  if (mode === 'same') return { n, k, start: middle(k), size: n }
  return { n, k, start: Math.min(n, k) - 1, size: Math.abs(n - k) + 1 }
}

function prepare(
  a: Operand,
  b: Operand,
  mode: SignalMode,
  options: OpOptions,
  label: string,
  axes: Axes | undefined,
  middle: (k: number) => number,
): Part[] {
  checkOptions(options, [], label)
  checkChoice(mode, ['full', 'valid', 'same'], label, 'mode')
  const shapes = [typeOf(a, label, 'a').shape, typeOf(b, label, 'b').shape] as const
  const refuse = (what: string): never => {
    const message = `${label}: ${what}, received ${shapeText(shapes[0])} and ${shapeText(shapes[1])}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: shapes })
  }
  const rank = axes ?? shapes[0].length
  if (shapes.some(({ length }) => length !== rank)) refuse(axes ? `a and b must have rank ${axes}` : 'a and b must have one rank')
  if (rank < 1 || rank > 6) refuse('a and b must have one to six axes')
  if (shapes.some((shape) => shape.includes(null))) refuse('signals have no batch')
  const [sizes, others] = shapes as readonly [number[], number[]]
  if (mode === 'valid' && sizes.some((n, i) => n < others[i]!) && sizes.some((n, i) => n > others[i]!))
    refuse("for mode 'valid' one of a and b must be at least as large as the other along every axis")
  return sizes.map((n, i) => partOf(n, others[i]!, mode, middle))
}

const plain = (y: Operand, parts: readonly Part[], options: OpOptions) => {
  const shape: SymbolicShape = parts.map(({ size }) => size)
  return reshape(y as Value, shape, options)
}

/** The signals as image and filters of a convolution along the last axes, at most three. */
interface Folded {
  readonly axes: Axes
  /** `[places of the result along the axes before, …, taps of the filter along them]`. */
  readonly image: Value
  /** `[…, taps]`, without the other channels. */
  readonly filters: Value
  /** Sizes of a filter, and its taps. */
  readonly kernel: readonly number[]
  readonly taps: number
}

/**
 * Axes before the last three are folded: their places are images, their taps channels, for each tap of which a is moved. `move`: by how much a is moved for
 * tap i of a part.
 */
function folded(a: Operand, b: Operand, parts: readonly Part[], move: (part: Part, i: number) => number, options: OpOptions): Folded {
  const lead = parts.slice(0, -3)
  const last = parts.slice(lead.length)
  const [sizes, kernel] = [last.map(({ n }) => n), last.map(({ k }) => k)]
  const axes = last.length as Axes
  if (lead.length === 0) {
    const image = reshape(a as Value, [1, ...sizes, 1], options)
    return { axes, image, filters: reshape(b as Value, [...kernel, 1], options), kernel, taps: 1 }
  }
  const [taps, places] = [product(lead.map(({ k }) => k)), product(lead.map(({ size }) => size))]
  const sides = lead.map((part): [number, number] => {
    const moves = [move(part, 0), move(part, part.k - 1)]
    return [Math.max(0, -Math.min(...moves)), Math.max(0, Math.max(...moves) + part.size - part.n)]
  })
  const padded = pad(a as Value, [...sides, ...last.map(() => [0, 0] as const)], options)
  const boxes = Array.from({ length: taps }, (_, tap) => {
    let rest = tap
    const starts = lead.map(() => 0)
    for (let axis = lead.length - 1; axis >= 0; axis--) {
      starts[axis] = sides[axis]![0] + move(lead[axis]!, rest % lead[axis]!.k)
      rest = Math.floor(rest / lead[axis]!.k)
    }
    const box = slice(padded, [...starts, ...last.map(() => 0)], [...lead.map(({ size }) => size), ...sizes], options)
    return reshape(box, [places, ...sizes, 1], options)
  })
  const filters = transpose(reshape(b as Value, [taps, ...kernel], options), [1, 2, 3, 0], options)
  return { axes, image: concat(boxes, options), filters, kernel, taps }
}

/** The convolution op whose padding leaves that part: position j of the whole reads a from j − (k − 1) on. */
function correlate(
  name: string,
  axes: Axes | undefined,
  middle: (k: number) => number,
  a: Operand,
  b: Operand,
  mode: SignalMode,
  options: OpOptions,
) {
  const parts = prepare(a, b, mode, options, labelOf(name, options?.name), axes, middle)
  const given = folded(a, b, parts, ({ k, start }, i) => start - (k - 1) + i, options)
  const padding = parts.slice(-3).map(({ n, k, start, size }) => {
    const before = k - 1 - start
    return [before, size + k - 1 - n - before]
  })
  const filters = reshape(given.filters, [...given.kernel, given.taps, 1], options)
  return plain(convolution(correlations[given.axes], given.image, filters, { ...options, padding }), parts, options)
}

/** The transposed convolution, which puts b down at each value of a, cut to that part. */
function convolve(name: string, axes: Axes | undefined, a: Operand, b: Operand, mode: SignalMode, options: OpOptions) {
  const parts = prepare(a, b, mode, options, labelOf(name, options?.name), axes, centre)
  const given = folded(a, b, parts, ({ start }, i) => start - i, options)
  const padding = parts.slice(-3).map(({ n, k, start, size }) => [start, n + k - 1 - start - size])
  const filters = reshape(given.filters, [...given.kernel, 1, given.taps], options)
  return plain(transposedConvolution(convolutions[given.axes], given.image, filters, { ...options, padding }), parts, options)
}

/** Where `'same'` begins: an even kernel's middle lies before the centre, but in correlate2d behind it. */
const centre = (k: number): number => Math.floor((k - 1) / 2)
const behind = (k: number): number => Math.floor(k / 2)

/**
 * Cross-correlation of `a [n]` with `b [k]`, exactly as `scipy.signal.correlate`: y[j] = Σ a[j − (k − 1) + i] · b[i], a being 0 outside; default mode
 * `'full'`. The order counts: correlate(b, a) is correlate(a, b) backwards, also where b is the longer one in mode `'valid'`.
 * Throws `INVALID_SHAPE` for another rank, `INVALID_ARGUMENT` for another mode.
 */
export function correlate1d(a: Tensor, b: Tensor, mode?: SignalMode, options?: OpOptions): Tensor
export function correlate1d(a: Value, b: Value, mode?: SignalMode, options?: OpOptions): Value
export function correlate1d(a: Operand, b: Operand, mode: SignalMode = 'full', options: OpOptions = {}): Operand {
  return correlate('correlate1d', 1, centre, a, b, mode, options)
}

/**
 * Cross-correlation of `a [h, w]` with `b [kh, kw]`, exactly as `scipy.signal.correlate2d`: as `correlate1d` along both axes, but that mode `'same'` with an
 * even kernel begins one later, at ⌊k / 2⌋ of the whole result instead of ⌊(k − 1) / 2⌋.
 */
export function correlate2d(a: Tensor, b: Tensor, mode?: SignalMode, options?: OpOptions): Tensor
export function correlate2d(a: Value, b: Value, mode?: SignalMode, options?: OpOptions): Value
export function correlate2d(a: Operand, b: Operand, mode: SignalMode = 'full', options: OpOptions = {}): Operand {
  return correlate('correlate2d', 2, behind, a, b, mode, options)
}

/**
 * Cross-correlation along one to six axes, exactly as `scipy.signal.correlate` (in mode `'same'` too, where its `correlate2d` differs). A stack of
 * feature maps `[maps, h, w]` with a stack of as many filters, `'valid'`: the sum of each map with its filter, `[1, h − kh + 1, w − kw + 1]`.
 */
export function correlateNd(a: Tensor, b: Tensor, mode?: SignalMode, options?: OpOptions): Tensor
export function correlateNd(a: Value, b: Value, mode?: SignalMode, options?: OpOptions): Value
export function correlateNd(a: Operand, b: Operand, mode: SignalMode = 'full', options: OpOptions = {}): Operand {
  return correlate('correlateNd', undefined, centre, a, b, mode, options)
}

/** Convolution of `a [n]` with `b [k]`, exactly as `scipy.signal.convolve`: y[j] = Σ a[i] · b[j − i]. Modes and errors as `correlate1d`. */
export function convolve1d(a: Tensor, b: Tensor, mode?: SignalMode, options?: OpOptions): Tensor
export function convolve1d(a: Value, b: Value, mode?: SignalMode, options?: OpOptions): Value
export function convolve1d(a: Operand, b: Operand, mode: SignalMode = 'full', options: OpOptions = {}): Operand {
  return convolve('convolve1d', 1, a, b, mode, options)
}

/** Convolution of `a [h, w]` with `b [kh, kw]`, exactly as `scipy.signal.convolve2d`. Modes and errors as `correlate1d`. */
export function convolve2d(a: Tensor, b: Tensor, mode?: SignalMode, options?: OpOptions): Tensor
export function convolve2d(a: Value, b: Value, mode?: SignalMode, options?: OpOptions): Value
export function convolve2d(a: Operand, b: Operand, mode: SignalMode = 'full', options: OpOptions = {}): Operand {
  return convolve('convolve2d', 2, a, b, mode, options)
}

/** Convolution along one to six axes, exactly as `scipy.signal.convolve`. Modes and errors as `correlate1d`. */
export function convolveNd(a: Tensor, b: Tensor, mode?: SignalMode, options?: OpOptions): Tensor
export function convolveNd(a: Value, b: Value, mode?: SignalMode, options?: OpOptions): Value
export function convolveNd(a: Operand, b: Operand, mode: SignalMode = 'full', options: OpOptions = {}): Operand {
  return convolve('convolveNd', undefined, a, b, mode, options)
}
