/** A window along each axis, as layers have it in their configuration. */
interface Window {
  readonly size: readonly number[]
  readonly stride: readonly number[]
}

/**
 * How many zeros `'same'` puts along each axis. Below 0, where windows are narrower than strides and leave pixels out, Keras and convlane put none, but
 * TensorFlow.js begins with a later pixel in volumes.
 */
export const zerosOfSame = (pixels: readonly number[], { size, stride }: Window): number[] =>
  pixels.map((count, axis) => (Math.ceil(count / stride[axis]!) - 1) * stride[axis]! + size[axis]! - count)

/** The same of what becomes an image by a transposed convolution. */
export const zerosOfTransposed = ({ size, stride }: Window): number[] => size.map((taps, axis) => taps - stride[axis]!)

/** What TensorFlow.js and Keras add behind a transposed convolution without padding: as much of a stride as its window leaves out. */
export const leftOut = (window: Window): number[] => zerosOfTransposed(window).map((zeros) => Math.max(0, -zeros))
