import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { type Activation, checkActivation } from '../ops/activation'
import * as ops from '../ops/conv2d'
import { checkChoice, checkInteger, checkPair, type Padding, type Pair } from '../shape'
import { checkBoolean, checkOptions } from './check'
import { type Initializer, initializers } from './initializers'
import { type BuildContext, Layer, type Parameter } from './layer'

export interface Conv2dLayerOptions<Name extends string = string> {
  /** Step of the window, one number or `[height, width]`. Default 1. */
  readonly stride?: number | Pair
  /** Default `'valid'`: none. `'same'`: output size ⌈input / stride⌉, the odd pixel after. Or pixels: a number, `[h, w]`, `[[top, bottom], [left, right]]`. */
  readonly padding?: Padding
  /** Distance between the pixels that the window reads. Default 1. */
  readonly dilation?: number | Pair
  /** Channels and filters are cut into this many groups that do not see each other. Default 1. Divides both. */
  readonly groups?: number
  /** Default `'linear'`. */
  readonly activation?: Activation
  /** Whether a number is added to each filter's output. Default true. */
  readonly bias?: boolean
  /** How the filters begin. Default `'glorotUniform'`; the bias begins as zeros. */
  readonly kernelInitializer?: Initializer
  /** Default `conv2d`, `conv2d_1`, … */
  readonly name?: Name
}
const optionNames = ['stride', 'padding', 'dilation', 'groups', 'activation', 'bias', 'kernelInitializer', 'name']

class Conv2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'conv2d'
  override readonly rank = 4
  override readonly arity = 1
  readonly #filters: number
  readonly #kernelSize: Pair
  readonly #options: Required<Omit<Conv2dLayerOptions, 'name'>>

  constructor(filters: number, kernelSize: number | Pair, options: Conv2dLayerOptions<Name>) {
    checkOptions('conv2d', options, optionNames)
    super('conv2d', options.name)
    const label = labelOf('conv2d', options.name)
    const {
      stride = 1,
      padding = 'valid',
      dilation = 1,
      groups = 1,
      activation = 'linear',
      bias = true,
      kernelInitializer = 'glorotUniform',
    } = options
    this.#filters = checkInteger(filters, label, 'filters')
    this.#kernelSize = checkPair(kernelSize, label, 'kernelSize')
    this.#options = {
      stride: checkPair(stride, label, 'stride'),
      padding,
      dilation: checkPair(dilation, label, 'dilation'),
      groups: checkInteger(groups, label, 'groups'),
      activation: checkActivation(activation, label),
      bias: checkBoolean(bias, label, 'bias'),
      kernelInitializer: checkChoice(kernelInitializer, initializers, label, 'kernelInitializer'),
    }
    if (this.#filters % groups !== 0) {
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${groups} groups do not divide ${filters} filters`, { received: groups })
    }
  }

  override config() {
    return { filters: this.#filters, kernelSize: this.#kernelSize, ...this.#options }
  }

  override parameters([x]: readonly TensorType[], label: string): Parameter[] {
    const channels = x!.shape[3]!
    const { groups, bias, kernelInitializer } = this.#options
    if (channels % groups !== 0) {
      const message = `${label}: ${groups} groups do not divide the input's ${channels} channels`
      throw new ConvlaneError('INVALID_SHAPE', message, { received: channels })
    }
    const kernel = { name: 'kernel', shape: [...this.#kernelSize, channels / groups, this.#filters], initializer: kernelInitializer }
    return bias ? [kernel, { name: 'bias', shape: [this.#filters], initializer: 'zeros' }] : [kernel]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { stride, padding, dilation, groups, activation, bias } = this.#options
    return ops.conv2d(x!, parameter('kernel'), {
      stride,
      padding,
      dilation,
      groups,
      activation,
      ...(bias && { bias: parameter('bias') }),
      name,
    })
  }
}

/**
 * 2-D convolution (cross-correlation): `[N, H, W, C]` → `[N, OH, OW, filters]`,
 * OH = ⌊(H + top + bottom − dilation · (KH − 1) − 1) / stride⌋ + 1, and OW likewise.
 * Parameters: `kernel [KH, KW, C/groups, filters]`, `bias [filters]`.
 * @param filters number of channels that come out
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function conv2d<const Name extends string = 'conv2d'>(
  filters: number,
  kernelSize: number | Pair,
  options: Conv2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new Conv2d(filters, kernelSize, options)
}
