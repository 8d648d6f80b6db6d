import { checkBoolean, checkOptions } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { activate } from '../ops/activation'
import { add } from '../ops/add'
import { concat } from '../ops/concat'
import type { Constraint } from '../ops/constrain'
import { dense } from '../ops/dense'
import { reshape } from '../ops/reshape'
import { slice } from '../ops/slice'
import { checkChoice, checkInteger } from '../shape'
import type { Initializer } from './initializers'
import { type BuildContext, Layer, type Parameter } from './layer'
import type { Regularizer } from './regularizers'
import { checkWeightOptions, type WeightOptions, type Weights, weightOptionNames, weightParameter } from './weights'

const activations = ['tanh', 'relu', 'sigmoid'] as const
/** Steps of a sequence at most: a program has several for each of them, and the event loop waits while it is made. */
const LONGEST = 2 ** 14

/** Options of {@link rnn}. */
export interface RnnLayerOptions<All extends boolean = boolean, Name extends string = string> extends WeightOptions {
  /** Of the state. Default `'tanh'`. */
  readonly activation?: (typeof activations)[number]
  /** How many numbers each step gives, by `outputKernel` from the state. Default: the state itself. */
  readonly outputs?: number
  /** Whether every step's result is given, `[N, L, …]`, or the last one alone, `[N, …]`. Default false. */
  readonly all?: All
  /** How the recurrent kernel begins. Default: as the other kernels (Keras: `'orthogonal'`). */
  readonly recurrentInitializer?: Initializer
  /** What the recurrent kernel adds to the loss. Default: nothing. */
  readonly recurrentRegularizer?: Regularizer
  /** What the recurrent kernel must be after each update. Default: anything. */
  readonly recurrentConstraint?: Constraint
  /** Default `rnn`, `rnn_1`, … */
  readonly name?: Name
}

/** What `rnn` makes. */
export class Rnn<All extends boolean, Name extends string> extends Layer<3, All extends true ? 3 : 2, Name> {
  override readonly type = 'rnn'
  override readonly rank = 3
  override readonly arity = 1
  readonly #units: number
  readonly #options
  readonly #weights: Weights

  constructor(units: number, options: RnnLayerOptions<All, Name>) {
    checkOptions('rnn', options, ['activation', 'outputs', 'all', 'name', ...weightOptionNames('kernel', 'recurrent', 'bias')])
    super('rnn', options.name, options)
    const label = labelOf('rnn', options.name)
    const { activation = 'tanh', outputs, all = false } = options
    this.#units = checkInteger(units, label, 'units')
    this.#options = {
      activation: checkChoice(activation, activations, label, 'activation'),
      ...(outputs !== undefined && { outputs: checkInteger(outputs, label, 'outputs') }),
      all: checkBoolean(all, label, 'all'),
    }
    this.#weights = checkWeightOptions({ kernelInitializer: 'glorotUniform', ...options }, label, 'kernel', 'recurrent', 'bias')
  }

  override config() {
    return { units: this.#units, ...this.#options, ...this.#weights }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const { outputs } = this.#options
    const [units, weights] = [this.#units, this.#weights]
    const kernels = (weights.kernelInitializer ?? 'glorotUniform') as Initializer
    const own = [
      weightParameter(weights, 'kernel', { name: 'kernel', shape: [x!.shape[2]!, units] }, kernels),
      weightParameter(weights, 'recurrent', { name: 'recurrentKernel', shape: [units, units] }, kernels),
      weightParameter(weights, 'bias', { name: 'bias', shape: [units] }, 'zeros'),
    ]
    if (outputs === undefined) return own
    return [
      ...own,
      weightParameter(weights, 'kernel', { name: 'outputKernel', shape: [units, outputs] }, kernels),
      weightParameter(weights, 'bias', { name: 'outputBias', shape: [outputs] }, 'zeros'),
    ]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, outputs, all } = this.#options
    const [N, length, channels] = x!.shape as readonly [number, number, number]
    if (length > LONGEST) {
      const message = `${labelOf('rnn', name)}: takes sequences of at most ${LONGEST} steps, received ${length}: shorten them, by a conv1d with stride or pooling`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: LONGEST, received: length })
    }
    const row = reshape(x!, [N, length * channels])
    const [kernel, recurrent, bias] = [parameter('kernel'), parameter('recurrentKernel'), parameter('bias')]
    const states: Value[] = []
    for (let step = 0; step < length; step++) {
      const input = dense(slice(row, step * channels, channels, { name }), kernel, { bias, name })
      const before = states.at(-1)
      const sum = before ? add(input, dense(before, recurrent, { name }), { name }) : input
      states.push(activate(sum, activation, { name }) as Value)
    }
    const result = (state: Value) =>
      outputs === undefined ? state : dense(state, parameter('outputKernel'), { bias: parameter('outputBias'), name })
    if (!all) return result(states.at(-1)!)
    return reshape(concat(states.map(result), { name }), [N, length, outputs ?? this.#units])
  }
}

/**
 * Elman's recurrent network over a sequence, `[N, L, C]` → `[N, units]`, or `[N, L, units]` with `all`: state_t = activation(x_t · kernel + state_{t−1} ·
 * recurrentKernel + bias), from a state of zeros. With `outputs` each result is state_t · outputKernel + outputBias instead. Its gradient goes back through
 * all steps (backpropagation through time): the sequence is unrolled, so L is fixed and many steps make a long program, for which the event loop waits when it is
 * made: about a millisecond for each step of the sequence. L is at most 16,384.
 * Options of kernel and bias are those of `outputKernel` and `outputBias`, too.
 * Parameters: `kernel [C, units]`, `recurrentKernel [units, units]`, `bias [units]`, and with `outputs` `outputKernel [units, outputs]`, `outputBias [outputs]`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank or a longer sequence
 */
export function rnn<const All extends boolean = false, const Name extends string = 'rnn'>(
  units: number,
  options: RnnLayerOptions<All, Name> = {},
): Layer<3, All extends true ? 3 : 2, Name> {
  return new Rnn(units, options)
}
