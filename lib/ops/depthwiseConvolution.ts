import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank } from '../shape'
import type { Tensor } from '../tensor'
import { type Operand, typeOf } from './call'
import { type ConvolutionOps, type ConvolutionOptions, convolution, convolutionBackward } from './convolution'
import { checkOptions } from './options'
import { reshape } from './reshape'

/** As those of a convolution; the channels are the groups. */
export interface DepthwiseOptions<T = Tensor, Sizes = unknown, Pad = unknown> extends Omit<ConvolutionOptions<T, Sizes, Pad>, 'groups'> {}

const optionNames = ['bias', 'stride', 'padding', 'dilation', 'activation', 'algorithm']
const filterLetters = { 1: ['K', 'C', 'M'], 2: ['KH', 'KW', 'C', 'M'], 3: ['KD', 'KH', 'KW', 'C', 'M'] } as const

/** The options and the filters of the convolution in groups that it is: `[…, C, M]` lies in memory as `[…, 1, C · M]`. */
function prepare({ axes }: ConvolutionOps, w: Operand, options: DepthwiseOptions<Operand>, label: string) {
  checkOptions(options, optionNames, label)
  const shape = typeOf(w, label, 'filters').shape as number[]
  checkRank(shape, filterLetters[axes], label, 'filters')
  const [C, M] = shape.slice(axes) as [number, number]
  const { runtime, name } = options
  const filters = reshape(w as Value, [...shape.slice(0, axes), 1, C * M], { runtime, name })
  return { shape, filters, options: { ...options, groups: C } }
}

/** What `depthwiseConv1d` and `depthwiseConv2d` do. */
export function depthwiseConvolution(ops: ConvolutionOps, x: Operand, w: Operand, options: DepthwiseOptions<Operand> = {}): Operand {
  const grouped = prepare(ops, w, options, labelOf(`depthwiseConv${ops.axes}d`, options?.name))
  return convolution(ops, x, grouped.filters, grouped.options)
}

/** What their backward functions do. */
export function depthwiseBackward(
  ops: ConvolutionOps,
  dy: Operand,
  x: Operand,
  w: Operand,
  options: DepthwiseOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const grouped = prepare(ops, w, options, labelOf(`depthwiseConv${ops.axes}dBackward`, options?.name))
  const { dx, dw, db } = convolutionBackward(ops, dy, x, grouped.filters, grouped.options)
  const { runtime, name } = options
  return { dx, dw: reshape(dw as Value, grouped.shape, { runtime, name }), db }
}
