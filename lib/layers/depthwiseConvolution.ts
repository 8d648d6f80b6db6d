import { checkOptions } from '../check'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkActivation } from '../ops/activation'
import { add } from '../ops/add'
import { conv1dOps } from '../ops/conv1d'
import { conv2dOps } from '../ops/conv2d'
import { convolution } from '../ops/convolution'
import { depthwiseConvolution } from '../ops/depthwiseConvolution'
import { checkInteger, checkSizes } from '../shape'
import { type ConvolutionLayerOptions, checkBias, type RankOf, rankOf, sizesAfter } from './convolution'
import { type BuildContext, Layer, type Parameter } from './layer'
import { checkWeightOptions, type Weights, weightOptionNames, weightParameter } from './weights'

/** Options that depthwise and separable convolutions share. `Sizes` and `Pad`: how sizes and padding are written for the number of axes. */
export interface DepthwiseLayerOptions<Name extends string = string, Sizes = unknown, Pad = unknown>
  extends Omit<ConvolutionLayerOptions<Name, Sizes, Pad>, 'groups' | 'algorithm'> {
  /** Filters of each channel. Default 1. */
  readonly depthMultiplier?: number
}

const own = ['stride', 'padding', 'dilation', 'depthMultiplier', 'activation', 'bias', 'name']
const optionNames = [...own, ...weightOptionNames('kernel', 'bias')]
const ops = { 1: conv1dOps, 2: conv2dOps } as const

/** Checks the options of both layers and fills in defaults. */
function resolve(label: string, axes: 1 | 2, options: DepthwiseLayerOptions) {
  const { stride = 1, padding = 'valid', dilation = 1, depthMultiplier = 1, activation = 'linear', bias = true } = options
  return {
    stride: checkSizes(stride, axes, label, 'stride'),
    padding,
    dilation: checkSizes(dilation, axes, label, 'dilation'),
    depthMultiplier: checkInteger(depthMultiplier, label, 'depthMultiplier'),
    activation: checkActivation(activation, label),
    bias: checkBias(bias, label),
  }
}

/** Every channel's filters are outputs of their own. */
function depthwiseKernel(name: string, window: readonly number[], channels: number, depthMultiplier: number, weights: Weights): Parameter {
  const taps = window.reduce((product, size) => product * size, 1)
  const incoming = [taps, channels * depthMultiplier, 1] as const
  return weightParameter(weights, 'kernel', { name, shape: [...window, channels, depthMultiplier], incoming }, 'glorotUniform')
}

/** What `depthwiseConv1d` and `depthwiseConv2d` make. */
export class DepthwiseConvolution<A extends 1 | 2, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #kernelSize: readonly number[]
  readonly #options: ReturnType<typeof resolve>
  readonly #weights: Weights

  constructor(axes: A, kernelSize: unknown, options: DepthwiseLayerOptions<Name>) {
    const type = `depthwiseConv${axes}d`
    checkOptions(type, options, optionNames)
    super(type, options.name, options)
    const label = labelOf(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#axes = axes
    this.#kernelSize = checkSizes(kernelSize, axes, label, 'kernelSize')
    this.#options = resolve(label, axes, options)
    this.#weights = checkWeightOptions({ kernelInitializer: 'glorotUniform', ...options }, label, 'kernel', 'bias')
  }

  override config() {
    return { kernelSize: this.#kernelSize, ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const channels = x!.shape.at(-1)!
    const { depthMultiplier, bias } = this.#options
    const kernel = depthwiseKernel('kernel', this.#kernelSize, channels, depthMultiplier, this.#weights)
    if (!bias) return [kernel]
    const name = this.named ? this.name : undefined
    const shape =
      bias === 'position' ? sizesAfter(x!, [kernel], (image, w) => this.#run(image, w!, { name })) : [channels * depthMultiplier]
    return [kernel, weightParameter(this.#weights, 'bias', { name: 'bias', shape }, 'zeros')]
  }

  #run(x: Value, kernel: Value, more: object): Value {
    const { stride, padding, dilation } = this.#options
    return depthwiseConvolution(ops[this.#axes], x, kernel, { stride, padding, dilation, ...more }) as Value
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, bias } = this.#options
    const kernel = parameter('kernel')
    if (bias === 'position') return add(this.#run(x!, kernel, { name }), parameter('bias'), { activation, name })
    return this.#run(x!, kernel, { activation, ...(bias && { bias: parameter('bias') }), name })
  }
}

/** What `separableConv1d` and `separableConv2d` make. */
export class SeparableConvolution<A extends 1 | 2, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #filters: number
  readonly #kernelSize: readonly number[]
  readonly #options: ReturnType<typeof resolve>
  readonly #weights: Weights

  constructor(axes: A, filters: number, kernelSize: unknown, options: DepthwiseLayerOptions<Name>) {
    const type = `separableConv${axes}d`
    checkOptions(type, options, optionNames)
    super(type, options.name, options)
    const label = labelOf(type, options.name)
    this.type = type
    this.rank = rankOf(axes)
    this.#axes = axes
    this.#filters = checkInteger(filters, label, 'filters')
    this.#kernelSize = checkSizes(kernelSize, axes, label, 'kernelSize')
    this.#options = resolve(label, axes, options)
    this.#weights = checkWeightOptions({ kernelInitializer: 'glorotUniform', ...options }, label, 'kernel', 'bias')
  }

  override config() {
    return { filters: this.#filters, kernelSize: this.#kernelSize, ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const channels = x!.shape.at(-1)!
    const { depthMultiplier, bias } = this.#options
    const pointwise = [...this.#kernelSize.map(() => 1), channels * depthMultiplier, this.#filters]
    const kernels = [
      depthwiseKernel('depthwiseKernel', this.#kernelSize, channels, depthMultiplier, this.#weights),
      weightParameter(this.#weights, 'kernel', { name: 'pointwiseKernel', shape: pointwise }, 'glorotUniform'),
    ]
    if (!bias) return kernels
    const name = this.named ? this.name : undefined
    const shape = bias === 'position' ? sizesAfter(x!, kernels, (image, w, p) => this.#run(image, w!, p!, { name }, {})) : [this.#filters]
    return [...kernels, weightParameter(this.#weights, 'bias', { name: 'bias', shape }, 'zeros')]
  }

  #run(x: Value, depthwiseKernel: Value, pointwiseKernel: Value, { name }: { name: string | undefined }, more: object): Value {
    const { stride, padding, dilation } = this.#options
    const channels = depthwiseConvolution(ops[this.#axes], x, depthwiseKernel, { stride, padding, dilation, name })
    return convolution(ops[this.#axes], channels, pointwiseKernel, { ...more, name }) as Value
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, bias } = this.#options
    const run = (more: object) => this.#run(x!, parameter('depthwiseKernel'), parameter('pointwiseKernel'), { name }, more)
    if (bias === 'position') return add(run({}), parameter('bias'), { activation, name })
    return run({ activation, ...(bias && { bias: parameter('bias') }) })
  }
}
