import { ConvlaneError } from './errors'

/** Two sizes in pixels. */
export type Pair = readonly [height: number, width: number]
/** Padding of each side by itself, in pixels. */
export type PaddingPair = readonly [readonly [top: number, bottom: number], readonly [left: number, right: number]]
/**
 * Padding as users write it. `'valid'`: none. `'same'`: the output size is ⌈input / stride⌉, the odd pixel goes after (TensorFlow's rule).
 * A number: that many on every side. `[h, w]`: above and below, left and right. `[[top, bottom], [left, right]]`: each side by itself.
 */
export type Padding = 'valid' | 'same' | number | Pair | PaddingPair
/** As `Padding` along one axis: `[before, after]` for each side by itself. `'causal'`: dilation · (kernel − 1) before, so that no output sees what comes later. */
export type Padding1d = 'valid' | 'same' | 'causal' | number | readonly [before: number, after: number]
/** Three sizes in voxels. */
export type Triple = readonly [depth: number, height: number, width: number]
/** As `Padding` along three axes: a number, `[d, h, w]`, or `[[front, back], [top, bottom], [left, right]]`. */
export type Padding3d =
  | 'valid'
  | 'same'
  | number
  | Triple
  | readonly [readonly [number, number], readonly [number, number], readonly [number, number]]

/** Most elements that a tensor may have: 2⁴⁰, as in the native core, far below where sizes stop being exact. */
export const MAX_ELEMENTS = 2 ** 40
/** Most axes, as in the native core. */
export const MAX_RANK = 6
/** Largest kernel size, stride, padding, dilation: int32, as in the native core. */
const MAX_SIZE = 2 ** 31 - 1

/** `[null, 28, 28, 1]` → `[N, 28, 28, 1]`, for messages. */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? 'N').join(', ')}]`
}

/** Any value, short, for messages: a wrong option may be anything. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(valueText).join(', ')}${value.length > 8 ? ', …' : ''}]`
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'object'
  if (typeof value === 'function') return 'a function'
  return String(value)
}

/** `elements` rounded up to 16, the alignment (64 bytes) of everything in an arena or a state. */
export function align(elements: number): number {
  return Math.ceil(elements / 16) * 16
}

/** Whether two shapes are the same, the batch size being equal to itself only. */
export function sameShape(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/** Product of the sizes; `batch` stands for `null`. Throws `INVALID_SHAPE` for sizes that aren't positive integers, above 2⁴⁰, and for a rank above 6. */
export function elementCount(shape: readonly (number | null)[], label: string, batch = 1): number {
  if (shape.length > MAX_RANK) {
    throw new ConvlaneError('INVALID_SHAPE', `${label}: rank must be at most ${MAX_RANK}, received rank ${shape.length}`, {
      received: shape,
    })
  }
  let count = 1
  for (const size of shape) {
    const known = size ?? batch
    if (!Number.isInteger(known) || known < 1) {
      throw new ConvlaneError('INVALID_SHAPE', `${label}: sizes must be positive integers, received ${shapeText(shape)}`, {
        received: shape,
      })
    }
    count *= known
    if (count > MAX_ELEMENTS) {
      throw new ConvlaneError('INVALID_SHAPE', `${label}: shape ${shapeText(shape)} has more than 2^40 elements`, { received: shape })
    }
  }
  return count
}

/** Throws `INVALID_SHAPE` unless there are as many sizes as letters: `checkRank(shape, ['N', 'H', 'W', 'C'], label, 'input')`. */
export function checkRank(shape: readonly (number | null)[], letters: readonly string[], label: string, what: string): void {
  if (shape.length === letters.length) return
  throw new ConvlaneError(
    'INVALID_SHAPE',
    `${label}: ${what} must have rank ${letters.length} [${letters.join(', ')}], received rank ${shape.length} ${shapeText(shape)}`,
    { expected: letters.length, received: shape },
  )
}

/** An integer option within bounds. Throws `INVALID_ARGUMENT`. */
export function checkInteger(value: unknown, label: string, argument: string, low = 1, high = MAX_SIZE): number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return value as number
  const wanted =
    high === MAX_SIZE ? (low === 1 ? 'a positive integer' : `an integer of at least ${low}`) : `an integer from ${low} to ${high}`
  throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${argument} must be ${wanted}, received ${valueText(value)}`, { received: value })
}

/** A finite number within bounds, the upper one left out when `below`. Throws `INVALID_ARGUMENT`. */
export function checkNumber(
  value: unknown,
  label: string,
  argument: string,
  bounds: { readonly low?: number; readonly high?: number; readonly below?: boolean } = {},
): number {
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, below = false } = bounds
  if (typeof value === 'number' && Number.isFinite(value) && value >= low && (below ? value < high : value <= high)) return value
  const lowText = low === Number.NEGATIVE_INFINITY ? '' : ` of at least ${low}`
  const highText = high === Number.POSITIVE_INFINITY ? '' : `${lowText && ' and'} ${below ? 'below' : 'at most'} ${high}`
  const message = `${label}: ${argument} must be a finite number${lowText}${highText}, received ${valueText(value)}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { received: value })
}

/** One of a list of words. Throws `INVALID_ARGUMENT`. */
export function checkChoice<T extends string>(value: unknown, choices: readonly T[], label: string, argument: string): T {
  if (choices.includes(value as T)) return value as T
  const message = `${label}: ${argument} must be ${choices.map((choice) => `'${choice}'`).join(', ')}, received ${valueText(value)}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: choices, received: value })
}

/** `3` or `[3, 5]` → a pair of integers of at least `low`. Throws `INVALID_ARGUMENT`. */
export function checkPair(value: unknown, label: string, argument: string, low = 1): Pair {
  return checkSizes(value, 2, label, argument, low) as unknown as Pair
}

/** What the axes of an image are called, by their number. */
export const axisNames = [[], ['length'], ['height', 'width'], ['depth', 'height', 'width']] as const
const counts = ['no', 'one', 'two', 'three'] as const

/** One number for all axes, or one for each → as many integers of at least `low` as there are axes. Throws `INVALID_ARGUMENT`. */
export function checkSizes(value: unknown, axes: number, label: string, argument: string, low = 1): readonly number[] {
  if (!Array.isArray(value)) {
    const size = checkInteger(value, label, argument, low)
    return new Array<number>(axes).fill(size)
  }
  if (value.length !== axes) {
    const several = axes === 1 ? 'one in an array' : `${counts[axes]} numbers [${axisNames[axes]!.join(', ')}]`
    const message = `${label}: ${argument} must be a number or ${several}, received ${valueText(value)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: value })
  }
  return value.map((size, axis) => checkInteger(size, label, `${argument}[${axis}]`, low))
}

/** Pixels that a kernel spans: `dilation · (kernel − 1) + 1`. */
export function span(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1
}

/** `⌊(input + before + after − dilation · (kernel − 1) − 1) / stride⌋ + 1`; below 1 when the kernel doesn't fit. */
export function outputSize(input: number, kernel: number, stride: number, [before, after]: Pair, dilation: number): number {
  return Math.floor((input + before + after - span(kernel, dilation)) / stride) + 1
}

/** As `outputSize` with ⌈⌉, where a last window that this adds and that would begin past the input and the padding before it is left out (PyTorch's rule). */
export function ceilOutputSize(input: number, kernel: number, stride: number, padding: Pair, dilation: number): number {
  const whole = outputSize(input, kernel, stride, padding, dilation)
  return (input + padding[0] + padding[1] - span(kernel, dilation)) % stride > 0 && whole * stride < input + padding[0] ? whole + 1 : whole
}
