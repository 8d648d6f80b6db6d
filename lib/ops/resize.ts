import type { Value } from '../graph/value'
import { checkChoice, type Pair, type Triple } from '../shape'
import type { Tensor } from '../tensor'
import type { Operand } from './call'
import type { Axes } from './convolution'
import { checkOptions, type OpOptions } from './options'
import { type SizedOps, sizedFamily, toSize, toSizeBackward } from './sized'

/** Those of one to three axes. */
export const resizes = sizedFamily('resize')
const { 1: lines, 2: images, 3: volumes } = resizes

/** What interpolation by the nearest pixels on both sides of each axis is called. */
export const linearNames = { 1: 'linear', 2: 'bilinear', 3: 'trilinear' } as const

/** As steps have it. `undefined` is linear. Throws `INVALID_ARGUMENT`. */
export function checkInterpolation(value: unknown, axes: Axes, label: string): 'linear' | 'nearest' {
  const linear = linearNames[axes]
  return checkChoice(value ?? linear, [linear, 'nearest'], label, 'interpolation') === 'nearest' ? 'nearest' : 'linear'
}

export interface ResizeOptions<Linear extends string> extends OpOptions {
  /**
   * By the pixels on both sides along each axis, each weighed by its nearness, or the nearest pixel. Default: the former. Pixels lie at the middle of
   * their area (half-pixel centres), as in TensorFlow 2, Keras and PyTorch with `align_corners=False`; `'nearest'` is PyTorch's `nearest-exact`.
   */
  readonly interpolation?: Linear | 'nearest' | undefined
}

const checked = (axes: Axes, options: ResizeOptions<string>) => (label: string) => {
  checkOptions(options, ['interpolation'], label)
  return { interpolation: checkInterpolation(options.interpolation, axes, label) }
}

/** What `resize1d`, `resize2d` and `resize3d` do. */
export function resize(ops: SizedOps, x: Operand, size: unknown, options: ResizeOptions<string> = {}): Operand {
  return toSize(ops, x, size, options, checked(ops.axes, options))
}

function resizeGradient(ops: SizedOps, dy: Operand, x: Operand, size: unknown, options: ResizeOptions<string> = {}): { dx: Operand } {
  return toSizeBackward(ops, dy, x, size, options, checked(ops.axes, options))
}

type Size1d = number | readonly [number]

/**
 * A sequence of another length: `x [N, L, C]` → `[N, size, C]`, between the elements by straight lines. Element o of the result lies at
 * (o + ½) · L / size − ½ of x, beyond the ends at the ends; nothing is smoothed where it shrinks.
 * Throws `INVALID_SHAPE` for another rank, `INVALID_ARGUMENT` for a bad size or option.
 */
export function resize1d(x: Tensor, size: Size1d, options?: ResizeOptions<'linear'>): Tensor
export function resize1d(x: Value, size: Size1d, options?: ResizeOptions<'linear'>): Value
export function resize1d(x: Operand, size: unknown, options?: ResizeOptions<string>): Operand {
  return resize(lines, x, size, options)
}

/** As `resize1d` along both axes: `x [N, H, W, C]` → `[N, size[0], size[1], C]`. One number makes a square. */
export function resize2d(x: Tensor, size: number | Pair, options?: ResizeOptions<'bilinear'>): Tensor
export function resize2d(x: Value, size: number | Pair, options?: ResizeOptions<'bilinear'>): Value
export function resize2d(x: Operand, size: unknown, options?: ResizeOptions<string>): Operand {
  return resize(images, x, size, options)
}

/** As `resize1d` along three axes: `x [N, D, H, W, C]` → `[N, size[0], size[1], size[2], C]`. One number makes a cube. */
export function resize3d(x: Tensor, size: number | Triple, options?: ResizeOptions<'trilinear'>): Tensor
export function resize3d(x: Value, size: number | Triple, options?: ResizeOptions<'trilinear'>): Value
export function resize3d(x: Operand, size: unknown, options?: ResizeOptions<string>): Operand {
  return resize(volumes, x, size, options)
}

/** `{ dx }`: the gradient of `resize1d(x, size, options)` by `x`: each `dy` goes to what it was read from, by the same weights. Throws as it does. */
export function resize1dBackward(dy: Tensor, x: Tensor, size: Size1d, options?: ResizeOptions<'linear'>): { dx: Tensor }
export function resize1dBackward(dy: Value, x: Value, size: Size1d, options?: ResizeOptions<'linear'>): { dx: Value }
export function resize1dBackward(dy: Operand, x: Operand, size: unknown, options?: ResizeOptions<string>): { dx: Operand } {
  return resizeGradient(lines, dy, x, size, options)
}

/** `{ dx }`, as `resize1dBackward`. */
export function resize2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: ResizeOptions<'bilinear'>): { dx: Tensor }
export function resize2dBackward(dy: Value, x: Value, size: number | Pair, options?: ResizeOptions<'bilinear'>): { dx: Value }
export function resize2dBackward(dy: Operand, x: Operand, size: unknown, options?: ResizeOptions<string>): { dx: Operand } {
  return resizeGradient(images, dy, x, size, options)
}

/** `{ dx }`, as `resize1dBackward`. */
export function resize3dBackward(dy: Tensor, x: Tensor, size: number | Triple, options?: ResizeOptions<'trilinear'>): { dx: Tensor }
export function resize3dBackward(dy: Value, x: Value, size: number | Triple, options?: ResizeOptions<'trilinear'>): { dx: Value }
export function resize3dBackward(dy: Operand, x: Operand, size: unknown, options?: ResizeOptions<string>): { dx: Operand } {
  return resizeGradient(volumes, dy, x, size, options)
}
