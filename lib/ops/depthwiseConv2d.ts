import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank } from '../shape'
import type { Tensor } from '../tensor'
import { type Operand, typeOf } from './call'
import { type Conv2dOptions, conv2d, conv2dBackward } from './conv2d'
import { checkOptions } from './options'
import { reshape } from './reshape'

/** As those of `conv2d`; the channels are the groups. */
export interface DepthwiseConv2dOptions<T = Tensor> extends Omit<Conv2dOptions<T>, 'groups'> {}

const optionNames = ['bias', 'stride', 'padding', 'dilation', 'activation', 'algorithm']

/** The options and the filters of the convolution in groups that it is: `[KH, KW, C, M]` lies in memory as `[KH, KW, 1, C · M]`. */
function prepare(w: Operand, options: DepthwiseConv2dOptions<Operand>, label: string) {
  checkOptions(options, optionNames, label)
  const { shape } = typeOf(w, label, 'filters')
  checkRank(shape, ['KH', 'KW', 'C', 'M'], label, 'filters')
  const [KH, KW, C, M] = shape as [number, number, number, number]
  const { runtime, name } = options
  return { shape, filters: reshape(w as Value, [KH, KW, 1, C * M], { runtime, name }), options: { ...options, groups: C } }
}

/**
 * Each channel convolved by M filters of its own: `x [N, H, W, C]` with `w [KH, KW, C, M]` (Keras' layout) → `[N, OH, OW, C · M]`, where channel c and
 * filter m give channel c · M + m. A `conv2d` with as many groups as channels. A bias has `[C · M]`. Throws as `conv2d` does.
 */
export function depthwiseConv2d(x: Tensor, w: Tensor, options?: DepthwiseConv2dOptions): Tensor
export function depthwiseConv2d(x: Value, w: Value, options?: DepthwiseConv2dOptions<Value>): Value
export function depthwiseConv2d(x: Operand, w: Operand, options: DepthwiseConv2dOptions<Operand> = {}): Operand {
  const grouped = prepare(w, options, labelOf('depthwiseConv2d', options?.name))
  return conv2d(x as Value, grouped.filters, grouped.options as Conv2dOptions<Value>)
}

/** Gradients of `depthwiseConv2d(x, w, options)` by `x`, `w` and the bias, given that of its result. Throws as `depthwiseConv2d` does. */
export function depthwiseConv2dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  options?: DepthwiseConv2dOptions,
): { dx: Tensor; dw: Tensor; db: Tensor }
export function depthwiseConv2dBackward(
  dy: Value,
  x: Value,
  w: Value,
  options?: DepthwiseConv2dOptions<Value>,
): { dx: Value; dw: Value; db: Value }
export function depthwiseConv2dBackward(
  dy: Operand,
  x: Operand,
  w: Operand,
  options: DepthwiseConv2dOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const grouped = prepare(w, options, labelOf('depthwiseConv2dBackward', options?.name))
  const { dx, dw, db } = conv2dBackward(dy as Value, x as Value, grouped.filters, grouped.options as Conv2dOptions<Value>)
  const { runtime, name } = options
  return { dx, dw: reshape(dw, grouped.shape, { runtime, name }), db }
}
