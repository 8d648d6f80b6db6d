import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkActivation } from '../ops/activation'
import { conv2d } from '../ops/conv2d'
import { depthwiseConv2d as depthwise } from '../ops/depthwiseConv2d'
import { checkChoice, checkInteger, checkPair, type Padding, type Pair } from '../shape'
import { checkBoolean, checkOptions } from './check'
import type { ConvolutionLayerOptions } from './convolution'
import { initializers } from './initializers'
import { type BuildContext, Layer, type Parameter } from './layer'

/** Options of {@link depthwiseConv2d}. */
export interface DepthwiseConv2dLayerOptions<Name extends string = string>
  extends Omit<ConvolutionLayerOptions<Name, number | Pair, Padding>, 'groups' | 'bias'> {
  /** Whether a number is added to each channel of the result. Default true. */
  readonly bias?: boolean
  /** Filters of each channel. Default 1. */
  readonly depthMultiplier?: number
}
/** As `depthwiseConv2d`: stride, padding and dilation are those of the filters of each channel. */
export interface SeparableConv2dLayerOptions<Name extends string = string> extends DepthwiseConv2dLayerOptions<Name> {}

const optionNames = ['stride', 'padding', 'dilation', 'depthMultiplier', 'activation', 'bias', 'kernelInitializer', 'name']

/** Checks the options of both layers and fills in defaults. */
function resolve(label: string, options: DepthwiseConv2dLayerOptions) {
  const { stride = 1, padding = 'valid', dilation = 1, depthMultiplier = 1, activation = 'linear', bias = true } = options
  return {
    stride: checkPair(stride, label, 'stride'),
    padding,
    dilation: checkPair(dilation, label, 'dilation'),
    depthMultiplier: checkInteger(depthMultiplier, label, 'depthMultiplier'),
    activation: checkActivation(activation, label),
    bias: checkBoolean(bias, label, 'bias'),
    kernelInitializer: checkChoice(options.kernelInitializer ?? 'glorotUniform', initializers, label, 'kernelInitializer'),
  }
}

class DepthwiseConv2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'depthwiseConv2d'
  override readonly rank = 4
  override readonly arity = 1
  readonly #kernelSize: Pair
  readonly #options: ReturnType<typeof resolve>

  constructor(kernelSize: number | Pair, options: DepthwiseConv2dLayerOptions<Name>) {
    checkOptions('depthwiseConv2d', options, optionNames)
    super('depthwiseConv2d', options.name)
    const label = labelOf('depthwiseConv2d', options.name)
    this.#kernelSize = checkPair(kernelSize, label, 'kernelSize')
    this.#options = resolve(label, options)
  }

  override config() {
    return { kernelSize: this.#kernelSize, ...this.#options }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const channels = x!.shape[3]!
    const { depthMultiplier, bias, kernelInitializer } = this.#options
    const kernel = { name: 'kernel', shape: [...this.#kernelSize, channels, depthMultiplier], initializer: kernelInitializer }
    return bias ? [kernel, { name: 'bias', shape: [channels * depthMultiplier], initializer: 'zeros' }] : [kernel]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { stride, padding, dilation, activation, bias } = this.#options
    return depthwise(x!, parameter('kernel'), { stride, padding, dilation, activation, ...(bias && { bias: parameter('bias') }), name })
  }
}

/**
 * Each channel convolved by filters of its own: `[N, H, W, C]` → `[N, OH, OW, C · depthMultiplier]`, the filters of one channel next to each other.
 * Parameters: `kernel [KH, KW, C, depthMultiplier]` (Keras' layout), `bias [C · depthMultiplier]`.
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function depthwiseConv2d<const Name extends string = 'depthwiseConv2d'>(
  kernelSize: number | Pair,
  options: DepthwiseConv2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new DepthwiseConv2d(kernelSize, options)
}

class SeparableConv2d<Name extends string> extends Layer<4, 4, Name> {
  override readonly type = 'separableConv2d'
  override readonly rank = 4
  override readonly arity = 1
  readonly #filters: number
  readonly #kernelSize: Pair
  readonly #options: ReturnType<typeof resolve>

  constructor(filters: number, kernelSize: number | Pair, options: SeparableConv2dLayerOptions<Name>) {
    checkOptions('separableConv2d', options, optionNames)
    super('separableConv2d', options.name)
    const label = labelOf('separableConv2d', options.name)
    this.#filters = checkInteger(filters, label, 'filters')
    this.#kernelSize = checkPair(kernelSize, label, 'kernelSize')
    this.#options = resolve(label, options)
  }

  override config() {
    return { filters: this.#filters, kernelSize: this.#kernelSize, ...this.#options }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const channels = x!.shape[3]!
    const { depthMultiplier, bias, kernelInitializer: initializer } = this.#options
    const kernels = [
      { name: 'depthwiseKernel', shape: [...this.#kernelSize, channels, depthMultiplier], initializer },
      { name: 'pointwiseKernel', shape: [1, 1, channels * depthMultiplier, this.#filters], initializer },
    ]
    return bias ? [...kernels, { name: 'bias', shape: [this.#filters], initializer: 'zeros' }] : kernels
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { stride, padding, dilation, activation, bias } = this.#options
    const channels = depthwise(x!, parameter('depthwiseKernel'), { stride, padding, dilation, name })
    return conv2d(channels, parameter('pointwiseKernel'), { activation, ...(bias && { bias: parameter('bias') }), name })
  }
}

/**
 * A convolution in two: each channel by filters of its own, then every filter over all channels of one pixel. `[N, H, W, C]` → `[N, OH, OW, filters]`.
 * Parameters: `depthwiseKernel [KH, KW, C, depthMultiplier]`, `pointwiseKernel [1, 1, C · depthMultiplier, filters]`, `bias [filters]`; bias and
 * activation come at the end (Keras).
 * @param filters number of channels that come out
 * @param kernelSize size of the window in pixels, one number or `[height, width]`
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or smaller than the kernel
 */
export function separableConv2d<const Name extends string = 'separableConv2d'>(
  filters: number,
  kernelSize: number | Pair,
  options: SeparableConv2dLayerOptions<Name> = {},
): Layer<4, 4, Name> {
  return new SeparableConv2d(filters, kernelSize, options)
}
