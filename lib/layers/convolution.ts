import { checkBoolean, checkOptions } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import { inputValue, parameterValue } from '../graph/sources'
import type { TensorType, Value } from '../graph/value'
import { type Activation, checkActivation } from '../ops/activation'
import { add } from '../ops/add'
import { conv1dOps } from '../ops/conv1d'
import { conv2dOps } from '../ops/conv2d'
import { conv3dOps } from '../ops/conv3d'
import { type Axes, type ConvolutionAlgorithm, checkAlgorithm, convolution } from '../ops/convolution'
import { checkInteger, checkSizes } from '../shape'
import { type BuildContext, Layer, type Parameter } from './layer'
import { checkWeightOptions, type WeightOptions, type Weights, weightOptionNames, weightParameter } from './weights'

/** Options that all convolutions share; `Sizes` and `Pad`: how sizes and padding are written for the number of axes. */
export interface ConvolutionLayerOptions<Name extends string = string, Sizes = unknown, Pad = unknown> extends WeightOptions {
  /** Step of the window, one number or one for each axis. Default 1. */
  readonly stride?: Sizes
  /** Default `'valid'`: none. `'same'`: output size ⌈input / stride⌉, the odd pixel after (TensorFlow's rule). Or pixels, for all sides or each. */
  readonly padding?: Pad
  /** Distance between the pixels that the window reads. Default 1. */
  readonly dilation?: Sizes
  /** Channels and filters are cut into this many groups that do not see each other. Default 1. Divides both. */
  readonly groups?: number
  /** Default `'linear'`. */
  readonly activation?: Activation
  /** Whether a number is added to each filter's output. `'position'`: one to each position of it, `[…, filters]` of them. Default true. */
  readonly bias?: boolean | 'position'
  /** How it is computed, in all passes. Default `'auto'`: by the sizes, and what `compile` says of `winograd`. */
  readonly algorithm?: ConvolutionAlgorithm
  /** Default: the layer's type, `conv2d_1`, … */
  readonly name?: Name
}
const optionNames = [
  'stride',
  'padding',
  'dilation',
  'groups',
  'activation',
  'bias',
  'algorithm',
  'name',
  ...weightOptionNames('kernel', 'bias'),
]

const ops = { 1: conv1dOps, 2: conv2dOps, 3: conv3dOps } as const
/** Rank of a batch of images with so many axes. */
export type RankOf<A extends Axes> = A extends 1 ? 3 : A extends 2 ? 4 : 5
export const rankOf = <A extends Axes>(axes: A): RankOf<A> => (axes + 2) as RankOf<A>

export function checkBias(value: unknown, label: string): boolean | 'position' {
  return value === 'position' ? value : checkBoolean(value, label, 'bias')
}

/** The option `algorithm` where it is not as by default: earlier releases had no word for it. */
export function algorithmOption({ algorithm = 'auto' }: ConvolutionLayerOptions, label: string): { algorithm?: ConvolutionAlgorithm } {
  return checkAlgorithm(algorithm, label) === 'auto' ? {} : { algorithm }
}

/** Sizes of one sample of what `run` makes of such an input and such kernels: those of a bias for each position. Refused as the op refuses them. */
export function sizesAfter(x: TensorType, kernels: readonly Parameter[], run: (x: Value, ...kernels: Value[]) => Value): number[] {
  const values = kernels.map(({ name, shape }) => parameterValue(name, shape))
  return run(inputValue('x', x.shape), ...values).shape.slice(1) as number[]
}

/** What `conv1d`, `conv2d` and `conv3d` make. */
export class Convolution<A extends Axes, Name extends string> extends Layer<RankOf<A>, RankOf<A>, Name> {
  override readonly type: string
  override readonly rank: RankOf<A>
  override readonly arity = 1
  readonly #axes: A
  readonly #filters: number
  readonly #kernelSize: readonly number[]
  readonly #options: Required<Omit<ConvolutionLayerOptions, 'name' | 'algorithm' | keyof WeightOptions>> &
    Pick<ConvolutionLayerOptions, 'algorithm'>
  readonly #weights: Weights

  constructor(axes: A, filters: number, kernelSize: unknown, options: ConvolutionLayerOptions<Name>) {
    const type = `conv${axes}d`
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
    }
    this.#weights = checkWeightOptions({ kernelInitializer: 'glorotUniform', ...options }, label, 'kernel', 'bias')
    if (this.#filters % groups !== 0) {
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${groups} groups do not divide ${filters} filters`, { received: groups })
    }
  }

  override config() {
    return { filters: this.#filters, kernelSize: this.#kernelSize, ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[], label: string): Parameter[] {
    const channels = x!.shape.at(-1)!
    const { groups, bias } = this.#options
    if (channels % groups !== 0) {
      const message = `${label}: ${groups} groups do not divide the input's ${channels} channels`
      throw new ConvlaneError('INVALID_SHAPE', message, { received: channels })
    }
    const sizes = [...this.#kernelSize, channels / groups, this.#filters]
    const kernel = weightParameter(this.#weights, 'kernel', { name: 'kernel', shape: sizes }, 'glorotUniform')
    if (!bias) return [kernel]
    const name = this.named ? this.name : undefined
    const shape = bias === 'position' ? sizesAfter(x!, [kernel], (image, w) => this.#run(image, w!, { name })) : [this.#filters]
    return [kernel, weightParameter(this.#weights, 'bias', { name: 'bias', shape }, 'zeros')]
  }

  #run(x: Value, kernel: Value, more: object): Value {
    const { stride, padding, dilation, groups, algorithm } = this.#options
    return convolution(ops[this.#axes], x, kernel, { stride, padding, dilation, groups, algorithm, ...more }) as Value
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, bias } = this.#options
    const kernel = parameter('kernel')
    if (bias === 'position') return add(this.#run(x!, kernel, { name }), parameter('bias'), { activation, name })
    return this.#run(x!, kernel, { activation, ...(bias && { bias: parameter('bias') }), name })
  }
}
