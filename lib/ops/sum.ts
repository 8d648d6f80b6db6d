import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, Value } from '../graph/value'
import { checkInteger, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { repeatTo } from './broadcastTo'
import { call, type Operand, typeOf } from './call'
import type { Attributes, OpDefinition } from './op'
import { checkFlag, checkOptions, type OpOptions } from './options'
import { reshape } from './reshape'

export interface ReduceOptions extends OpOptions {
  /** The axes that go; negative ones count from the end. Default: all. */
  readonly axes?: number | readonly number[] | undefined
  /** Whether they stay, with size 1. Default false. */
  readonly keepDims?: boolean | undefined
}

/** Overloads shared by the functions that reduce axes. */
export interface Reduce {
  (x: Tensor, options?: ReduceOptions): Tensor
  (x: Value, options?: ReduceOptions): Value
}

/** The shape with the axes from `first` to `last` gone, or of size 1. */
export function reducedShape(shape: SymbolicShape, attributes: Attributes, keepDims = attributes.keepDims === true): SymbolicShape {
  const [first, last] = attributes.axes as [number, number]
  const isReduced = (axis: number) => axis >= first && axis <= last
  return keepDims ? shape.map((size, axis) => (isReduced(axis) ? 1 : size)) : shape.filter((_, axis) => !isReduced(axis))
}

/** `axes` are the first and the last of those that are reduced: a list with gaps is several steps. */
export const sumOp: OpDefinition = {
  name: 'sum',
  inputs: ['x'],
  outputs: ['y'],
  shapeAttributes: ['keepDims'],
  infer: ([x], attributes) => [{ shape: reducedShape(x!.shape, attributes), dtype: 'float32' }],
  gradient({ inputs: [x], attributes }, [dy]) {
    const kept = reshape(dy!, reducedShape(x!.shape, attributes, true))
    return [repeatTo(kept, x!.shape, attributes.mean === true)]
  },
}

/** Resolves `axes`: rising, each once. Throws `INVALID_ARGUMENT`. */
export function checkAxes(axes: unknown, rank: number, label: string): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis)
  const list: unknown[] = Array.isArray(axes) ? axes : [axes]
  const found = list.map((axis) => (checkInteger(axis, label, 'axes', -rank, rank - 1) + rank) % rank)
  if (found.length > 0 && new Set(found).size === found.length) return found.sort((a, b) => a - b)
  throw new ConvlaneError('INVALID_ARGUMENT', `${label}: axes must be one or more, each once, received ${valueText(axes)}`, {
    received: axes,
  })
}

/** Rising axes as stretches [first, last], the last stretch first. */
export function stretchesOf(axes: readonly number[]): [number, number][] {
  const stretches: [number, number][] = []
  for (const axis of axes) {
    const before = stretches[0]
    if (before && before[1] === axis - 1) before[1] = axis
    else stretches.unshift([axis, axis])
  }
  return stretches
}

/** Sums, or takes the mean, over rising axes. */
export function sumOver(x: Operand, axes: readonly number[], how: { keepDims: boolean; mean: boolean }, options: OpOptions = {}): Operand {
  return stretchesOf(axes).reduce<Operand>((sum, stretch) => call(sumOp, [sum], { axes: stretch, ...how }, options)[0]!, x)
}

/** What the functions that reduce check alike: the label, the axes, and `keepDims`. */
export function checkReduction(name: string, x: Operand, options: ReduceOptions): { label: string; axes: number[]; keepDims: boolean } {
  const label = labelOf(name, options?.name)
  checkOptions(options, ['axes', 'keepDims'], label)
  const { shape } = typeOf(x, label, 'input')
  return { label, axes: checkAxes(options.axes, shape.length, label), keepDims: checkFlag(options.keepDims, label, 'keepDims') }
}

function sumOrMean(name: string, mean: boolean): Reduce {
  return ((x: Operand, options: ReduceOptions = {}) => {
    const { axes, keepDims } = checkReduction(name, x, options)
    const { runtime, name: label } = options
    return axes.length === 0 ? reshape(x as Value, [], { name: label }) : sumOver(x, axes, { keepDims, mean }, { runtime, name: label })
  }) as Reduce
}

/**
 * The sum over axes. Where the batch is summed over, the result has none: `sum(x, { axes: 0 })` of `[null, C]` is `[C]`.
 * Throws `INVALID_ARGUMENT` for axes that there aren't.
 */
export const sum = sumOrMean('sum', false)
/** The mean over axes; over the batch: of the rows of the run. Throws `INVALID_ARGUMENT` for axes that there aren't. */
export const mean = sumOrMean('mean', true)
