import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkRank, checkSizes, type Pair, type Triple } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import { type Axes, letters } from './convolution'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { checkPoolGradient, poolLetters } from './pool'

interface AdaptiveOps {
  readonly axes: Axes
  readonly forward: OpDefinition
  readonly backward: OpDefinition
}

function adaptiveOps(axes: Axes): AdaptiveOps {
  const name = `adaptiveAveragePool${axes}d`
  const forward: OpDefinition = {
    name,
    inputs: ['x'],
    outputs: ['y'],
    shapeAttributes: ['size'],
    infer: ([x], attributes, label) => [{ shape: resultOf(axes, x!, attributes.size as number[], label), dtype: 'float32' }],
    gradient({ inputs: [x], label }, [dy]) {
      return [call(backward, [dy!], { shape: x!.shape.slice(1) as number[] }, { name: label })[0] as Value]
    },
  }
  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy'],
    outputs: ['dx'],
    shapeAttributes: ['shape'],
    infer([dy], attributes, label) {
      checkRank(dy!.shape, poolLetters(axes), label, 'dy')
      const dx: TensorType = { shape: [dy!.shape[0]!, ...(attributes.shape as number[])], dtype: 'float32' }
      checkPoolGradient(dy!, resultOf(axes, dx, dy!.shape.slice(1, -1) as number[], label), label)
      return [dx]
    },
  }
  return { axes, forward, backward }
}

function resultOf(axes: Axes, x: TensorType, size: readonly number[], label: string): TensorType['shape'] {
  checkRank(x.shape, letters[axes].image, label, 'input')
  return [x.shape[0]!, ...size, x.shape.at(-1)!]
}

const lines = adaptiveOps(1)
const images = adaptiveOps(2)
const volumes = adaptiveOps(3)
/** Those of one to three axes. */
export const adaptiveAveragePools = { 1: lines, 2: images, 3: volumes } as const

/** What `adaptiveAveragePool1d`, `adaptiveAveragePool2d` and `adaptiveAveragePool3d` do. */
export function adaptiveAveragePool({ axes, forward }: AdaptiveOps, x: Operand, size: unknown, options: OpOptions = {}): Operand {
  const label = labelOf(forward.name, options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  return call(forward, [x], { size: checkSizes(size, axes, label, 'size') }, options)[0]!
}

function poolBackward({ axes, backward }: AdaptiveOps, dy: Operand, x: Operand, size: unknown, options: OpOptions = {}): { dx: Operand } {
  const label = labelOf(backward.name, options?.name)
  checkOptions(options, [], label)
  const image = typeOf(x, label, 'input')
  const shape = resultOf(axes, image, checkSizes(size, axes, label, 'size'), label)
  checkPoolGradient(typeOf(dy, label, 'dy'), shape, label)
  return { dx: call(backward, [dy], { shape: image.shape.slice(1) as number[] }, options)[0]! }
}

/**
 * The means of `size` bins, whatever the input's length: `x [N, L, C]` → `[N, size, C]`. PyTorch's rule: bin i reaches from ⌊i · L / size⌋ to
 * ⌈(i + 1) · L / size⌉, so that bins may overlap by a pixel, and are of one pixel where there are more bins than pixels.
 * Throws `INVALID_SHAPE` for another rank, `INVALID_ARGUMENT` for a bad size.
 */
export function adaptiveAveragePool1d(x: Tensor, size: number | readonly [number], options?: OpOptions): Tensor
export function adaptiveAveragePool1d(x: Value, size: number | readonly [number], options?: OpOptions): Value
export function adaptiveAveragePool1d(x: Operand, size: unknown, options?: OpOptions): Operand {
  return adaptiveAveragePool(lines, x, size, options)
}

/** As `adaptiveAveragePool1d` along both axes: `x [N, H, W, C]` → `[N, size[0], size[1], C]`. */
export function adaptiveAveragePool2d(x: Tensor, size: number | Pair, options?: OpOptions): Tensor
export function adaptiveAveragePool2d(x: Value, size: number | Pair, options?: OpOptions): Value
export function adaptiveAveragePool2d(x: Operand, size: unknown, options?: OpOptions): Operand {
  return adaptiveAveragePool(images, x, size, options)
}

/** As `adaptiveAveragePool1d` along three axes: `x [N, D, H, W, C]` → `[N, size[0], size[1], size[2], C]`. */
export function adaptiveAveragePool3d(x: Tensor, size: number | Triple, options?: OpOptions): Tensor
export function adaptiveAveragePool3d(x: Value, size: number | Triple, options?: OpOptions): Value
export function adaptiveAveragePool3d(x: Operand, size: unknown, options?: OpOptions): Operand {
  return adaptiveAveragePool(volumes, x, size, options)
}

/** `{ dx }`: the gradient of `adaptiveAveragePool1d(x, size)` by `x`: each `dy` is shared alike by its bin. Throws as it does. */
export function adaptiveAveragePool1dBackward(dy: Tensor, x: Tensor, size: number | readonly [number], options?: OpOptions): { dx: Tensor }
export function adaptiveAveragePool1dBackward(dy: Value, x: Value, size: number | readonly [number], options?: OpOptions): { dx: Value }
export function adaptiveAveragePool1dBackward(dy: Operand, x: Operand, size: unknown, options?: OpOptions): { dx: Operand } {
  return poolBackward(lines, dy, x, size, options)
}

/** `{ dx }`, as `adaptiveAveragePool1dBackward`. */
export function adaptiveAveragePool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: OpOptions): { dx: Tensor }
export function adaptiveAveragePool2dBackward(dy: Value, x: Value, size: number | Pair, options?: OpOptions): { dx: Value }
export function adaptiveAveragePool2dBackward(dy: Operand, x: Operand, size: unknown, options?: OpOptions): { dx: Operand } {
  return poolBackward(images, dy, x, size, options)
}

/** `{ dx }`, as `adaptiveAveragePool1dBackward`. */
export function adaptiveAveragePool3dBackward(dy: Tensor, x: Tensor, size: number | Triple, options?: OpOptions): { dx: Tensor }
export function adaptiveAveragePool3dBackward(dy: Value, x: Value, size: number | Triple, options?: OpOptions): { dx: Value }
export function adaptiveAveragePool3dBackward(dy: Operand, x: Operand, size: unknown, options?: OpOptions): { dx: Operand } {
  return poolBackward(volumes, dy, x, size, options)
}
