import { checkOptions } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkActivation } from '../ops/activation'
import { add } from '../ops/add'
import type { Axes } from '../ops/convolution'
import { convTranspose1dOps } from '../ops/convTranspose1d'
import { convTranspose2dOps } from '../ops/convTranspose2d'
import { convTranspose3dOps } from '../ops/convTranspose3d'
import { transposedConvolution } from '../ops/transposedConvolution'
import { checkInteger, checkSizes } from '../shape'
import { algorithmOption, type ConvolutionLayerOptions, checkBias, type RankOf, rankOf, sizesAfter } from './convolution'
import { type BuildContext, Layer, type Parameter } from './layer'
import { checkWeightOptions, type WeightOptions, type Weights, weightOptionNames, weightParameter } from './weights'

export interface TransposedLayerOptions<Name extends string = string, Sizes = unknown, Pad = unknown>
  extends Omit<ConvolutionLayerOptions<Name, Sizes, Pad>, 'padding'> {
  /** What is cut off each side of the result. Default `'valid'`: nothing. `'same'`: the result is stride times the input (Keras' rule). */
  readonly padding?: Pad
  /** Added after each axis of the result, below the stride or the dilation (PyTorch's rule); not with `'same'`. Default 0. */
  readonly outputPadding?: Sizes
}
const own = ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'activation', 'bias', 'algorithm', 'name']
const optionNames = [...own, ...weightOptionNames('kernel', 'bias')]

const ops = { 1: convTranspose1dOps, 2: convTranspose2dOps, 3: convTranspose3dOps } as const

/** What `convTranspose1d`, `convTranspose2d` and `convTranspose3d` make. */
export class TransposedConvolution<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #filters: number
  readonly #kernelSize: readonly number[]
  readonly #options: Required<Omit<TransposedLayerOptions, 'name' | 'outputPadding' | 'algorithm' | keyof WeightOptions>> &
    Pick<TransposedLayerOptions, 'algorithm'> & { outputPadding?: readonly number[] }
  readonly #weights: Weights

  constructor(axes: A, filters: number, kernelSize: unknown, options: TransposedLayerOptions<Name>) {
    const type = `convTranspose${axes}d`
    checkOptions(type, options, optionNames)
    super(type, options.name, options)
    const label = labelOf(type, options.name)
    const { stride = 1, padding = 'valid', dilation = 1, groups = 1, activation = 'linear', bias = true } = options
    this.type = type
    this.rank = rankOf(axes)
    this.#axes = axes
    this.#filters = checkInteger(filters, label, 'filters')
    this.#kernelSize = checkSizes(kernelSize, axes, label, 'kernelSize')
    this.#options = {
      stride: checkSizes(stride, axes, label, 'stride'),
      padding,
      dilation: checkSizes(dilation, axes, label, 'dilation'),
      groups: checkInteger(groups, label, 'groups'),
      activation: checkActivation(activation, label),
      bias: checkBias(bias, label),
      ...algorithmOption(options, label),
      ...(options.outputPadding !== undefined && { outputPadding: checkSizes(options.outputPadding, axes, label, 'outputPadding', 0) }),
    }
    this.#weights = checkWeightOptions({ kernelInitializer: 'glorotUniform', ...options }, label, 'kernel', 'bias')
    if (this.#filters % groups !== 0) {
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${groups} groups do not divide ${filters} filters`, { received: groups })
    }
  }

  override config() {
    return { filters: this.#filters, kernelSize: this.#kernelSize, ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const { groups, bias } = this.#options
    const channels = x!.shape.at(-1)!
    const window = this.#kernelSize.reduce((product, size) => product * size, 1)
    const shape = [...this.#kernelSize, this.#filters / groups, channels]
    const incoming = [window, this.#filters, channels / groups] as const
    const kernel = weightParameter(this.#weights, 'kernel', { name: 'kernel', shape, incoming }, 'glorotUniform')
    if (!bias) return [kernel]
    const name = this.named ? this.name : undefined
    const sizes = bias === 'position' ? sizesAfter(x!, [kernel], (image, w) => this.#run(image, w!, { name })) : [this.#filters]
    return [kernel, weightParameter(this.#weights, 'bias', { name: 'bias', shape: sizes }, 'zeros')]
  }

  #run(x: Value, kernel: Value, more: object): Value {
    const { stride, padding, outputPadding, dilation, groups, algorithm } = this.#options
    const options = { stride, padding, outputPadding, dilation, groups, algorithm, ...more }
    return transposedConvolution(ops[this.#axes], x, kernel, options) as Value
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, bias } = this.#options
    const kernel = parameter('kernel')
    if (bias === 'position') return add(this.#run(x!, kernel, { name }), parameter('bias'), { activation, name })
    return this.#run(x!, kernel, { activation, ...(bias && { bias: parameter('bias') }), name })
  }
}
