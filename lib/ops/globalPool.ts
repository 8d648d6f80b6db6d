import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank } from '../shape'
import type { Tensor } from '../tensor'
import { averagePool } from './averagePool'
import { averagePool1dOps } from './averagePool1d'
import { averagePool2dOps } from './averagePool2d'
import { averagePool3dOps } from './averagePool3d'
import { type Operand, typeOf } from './call'
import { type Axes, imageSizes, letters } from './convolution'
import { maxPool } from './maxPool'
import { maxPool1dOps } from './maxPool1d'
import { maxPool2dOps } from './maxPool2d'
import { maxPool3dOps } from './maxPool3d'
import { checkOptions, type OpOptions } from './options'
import { reshape } from './reshape'

/** One pooling whose window is the whole image. */
function whole(
  name: string,
  axes: Axes,
  x: Operand,
  options: OpOptions,
  pool: (x: Operand, size: readonly number[], options: OpOptions) => Operand,
): Operand {
  const label = labelOf(name, options?.name)
  checkOptions(options, [], label)
  const { shape } = typeOf(x, label, 'input')
  checkRank(shape, letters[axes].image, label, 'input')
  return reshape(pool(x, imageSizes(shape), options) as Value, [shape[0]!, shape.at(-1)!], options)
}

/** The mean of each channel of each sequence: `x [N, L, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalAveragePool1d(x: Tensor, options?: OpOptions): Tensor
export function globalAveragePool1d(x: Value, options?: OpOptions): Value
export function globalAveragePool1d(x: Operand, options: OpOptions = {}): Operand {
  return whole('globalAveragePool1d', 1, x, options, (image, size, rest) => averagePool(averagePool1dOps, image, size, rest))
}

/** The mean of each channel of each image: `x [N, H, W, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalAveragePool2d(x: Tensor, options?: OpOptions): Tensor
export function globalAveragePool2d(x: Value, options?: OpOptions): Value
export function globalAveragePool2d(x: Operand, options: OpOptions = {}): Operand {
  return whole('globalAveragePool2d', 2, x, options, (image, size, rest) => averagePool(averagePool2dOps, image, size, rest))
}

/** The mean of each channel of each volume: `x [N, D, H, W, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalAveragePool3d(x: Tensor, options?: OpOptions): Tensor
export function globalAveragePool3d(x: Value, options?: OpOptions): Value
export function globalAveragePool3d(x: Operand, options: OpOptions = {}): Operand {
  return whole('globalAveragePool3d', 3, x, options, (image, size, rest) => averagePool(averagePool3dOps, image, size, rest))
}

/** The maximum of each channel of each sequence: `x [N, L, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalMaxPool1d(x: Tensor, options?: OpOptions): Tensor
export function globalMaxPool1d(x: Value, options?: OpOptions): Value
export function globalMaxPool1d(x: Operand, options: OpOptions = {}): Operand {
  return whole('globalMaxPool1d', 1, x, options, (image, size, rest) => maxPool(maxPool1dOps, image, size, rest))
}

/** The maximum of each channel of each image: `x [N, H, W, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalMaxPool2d(x: Tensor, options?: OpOptions): Tensor
export function globalMaxPool2d(x: Value, options?: OpOptions): Value
export function globalMaxPool2d(x: Operand, options: OpOptions = {}): Operand {
  return whole('globalMaxPool2d', 2, x, options, (image, size, rest) => maxPool(maxPool2dOps, image, size, rest))
}

/** The maximum of each channel of each volume: `x [N, D, H, W, C]` → `[N, C]`. Throws `INVALID_SHAPE` for another rank. */
export function globalMaxPool3d(x: Tensor, options?: OpOptions): Tensor
export function globalMaxPool3d(x: Value, options?: OpOptions): Value
export function globalMaxPool3d(x: Operand, options: OpOptions = {}): Operand {
  return whole('globalMaxPool3d', 3, x, options, (image, size, rest) => maxPool(maxPool3dOps, image, size, rest))
}
