import { ConvlaneError } from './errors'
import { axisNames, ceilOutputSize, checkInteger, checkPair, checkSizes, outputSize, type Pair, span, valueText } from './shape'

/** Padding before and after each axis, in pixels. */
export type Sides = readonly (readonly [before: number, after: number])[]

/** How a window slides over an image of one to three axes: what the steps of convolution and pooling have as attributes, and the size of what comes out. */
export interface WindowGeometry {
  readonly stride: readonly number[]
  readonly padding: Sides
  readonly dilation: readonly number[]
  readonly output: readonly number[]
}

/** Options of a window as users write them, or resolved ones: checked here. */
export interface WindowOptions {
  /** Default 1 for convolution, the window's size for pooling. */
  readonly stride?: unknown
  /** Default `'valid'`. */
  readonly padding?: unknown
  /** Default 1. */
  readonly dilation?: unknown
  /** Pooling only: rounds the output size up, so that a last window that doesn't fit counts. Default false. */
  readonly ceil?: unknown
}

/** Resolves and checks a window's options against the sizes that it meets. Throws `INVALID_ARGUMENT`, and `INVALID_SHAPE` for a kernel that doesn't fit. */
export function windowGeometry(
  label: string,
  input: readonly number[],
  kernel: readonly number[],
  options: WindowOptions,
  defaultStride: unknown = 1,
): WindowGeometry {
  const axes = input.length
  const stride = checkSizes(options.stride ?? defaultStride, axes, label, 'stride')
  const dilation = checkSizes(options.dilation ?? 1, axes, label, 'dilation')
  const padding = resolvePadding(options.padding ?? 'valid', label, input, kernel, stride, dilation)
  if (options.ceil !== undefined && typeof options.ceil !== 'boolean') {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ceil must be true or false, received ${valueText(options.ceil)}`)
  }
  const size = options.ceil ? ceilOutputSize : outputSize
  const output = input.map((pixels, axis) => {
    const padded = pixels + padding[axis]![0] + padding[axis]![1]
    const spanned = span(kernel[axis]!, dilation[axis]!)
    if (spanned > padded) throw tooLarge(label, axisNames[axes]![axis]!, kernel[axis]!, dilation[axis]!, pixels, padding[axis]!)
    return size(pixels, kernel[axis]!, stride[axis]!, padding[axis]!, dilation[axis]!)
  })
  return { stride, padding, dilation, output }
}

function tooLarge(label: string, side: string, kernel: number, dilation: number, input: number, padding: Pair): ConvlaneError {
  const total = padding[0] + padding[1]
  const spanned = span(kernel, dilation)
  const kernelText =
    dilation === 1 ? `kernel ${side} ${kernel}` : `kernel ${side} ${kernel} with dilation ${dilation} spans ${spanned} pixels and`
  const inputText = total === 0 ? `${side} of the input, ${input}` : `${side} of the padded input, ${input} + ${total} = ${input + total}`
  return new ConvlaneError('INVALID_SHAPE', `${label}: ${kernelText} is larger than the ${inputText}`, {
    expected: input + total,
    received: spanned,
  })
}

const forms = [
  '',
  "'valid', 'same', 'causal', a number or [before, after]",
  "'valid', 'same', a number, [h, w] or [[top, bottom], [left, right]]",
  "'valid', 'same', a number, [d, h, w] or [[front, back], [top, bottom], [left, right]]",
] as const

/** Padding as users write it → pixels on each side of each axis. Throws `INVALID_ARGUMENT`. */
export function resolvePadding(
  value: unknown,
  label: string,
  input: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Sides {
  const axes = input.length
  if (value === 'valid') return input.map(() => [0, 0])
  if (value === 'same') {
    return input.map((pixels, axis) => {
      const reach = (Math.ceil(pixels / stride[axis]!) - 1) * stride[axis]! + span(kernel[axis]!, dilation[axis]!)
      const total = Math.max(0, reach - pixels)
      return [Math.floor(total / 2), Math.ceil(total / 2)]
    })
  }
  if (value === 'causal' && axes === 1) return [[span(kernel[0]!, dilation[0]!) - 1, 0]]
  if (typeof value === 'number') {
    const size = checkInteger(value, label, 'padding', 0)
    return input.map(() => [size, size])
  }
  if (Array.isArray(value)) {
    if (axes === 1 && value.length === 2 && !value.some(Array.isArray)) return [checkPair(value, label, 'padding', 0)]
    if (value.length === axes && value.every((side) => Array.isArray(side) === Array.isArray(value[0]))) {
      return value.map((side, axis) => checkPair(side, label, `padding[${axis}]`, 0))
    }
  }
  const message = `${label}: padding must be ${forms[axes]}, received ${valueText(value)}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { received: value })
}

/** Throws `INVALID_ARGUMENT` when a pooling window would lie wholly in the padding, where there is nothing to pool. */
export function checkWindowsMeetInput(label: string, input: readonly number[], kernel: readonly number[], geometry: WindowGeometry): void {
  for (const [axis, size] of input.entries()) {
    const [taps, step] = [kernel[axis]!, geometry.dilation[axis]!]
    for (let position = 0; position < geometry.output[axis]!; position++) {
      const start = position * geometry.stride[axis]! - geometry.padding[axis]![0]
      const first = start >= 0 ? 0 : Math.ceil(-start / step)
      if (first < taps && start + first * step < size) continue
      const message = `${label}: padding ${valueText(geometry.padding)} leaves a window wholly outside the input of ${size} pixels`
      throw new ConvlaneError('INVALID_ARGUMENT', message, { received: geometry.padding })
    }
  }
}
