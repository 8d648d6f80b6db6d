import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { activate } from '../ops/activation'
import { add } from '../ops/add'
import { concat } from '../ops/concat'
import { dense } from '../ops/dense'
import { reshape } from '../ops/reshape'
import { slice } from '../ops/slice'
import { checkChoice, checkInteger } from '../shape'
import { checkBoolean, checkOptions } from './check'
import { type Initializer, initializers } from './initializers'
import { type BuildContext, Layer, type Parameter } from './layer'

const activations = ['tanh', 'relu', 'sigmoid'] as const

/** Options of {@link rnn}. */
export interface RnnLayerOptions<All extends boolean = boolean, Name extends string = string> {
  /** Of the state. Default `'tanh'`. */
  readonly activation?: (typeof activations)[number]
  /** How many numbers each step gives, by `outputKernel` from the state. Default: the state itself. */
  readonly outputs?: number
  /** Whether every step's result is given, `[N, L, …]`, or the last one alone, `[N, …]`. Default false. */
  readonly all?: All
  /** How the kernels begin. Default `'glorotUniform'`; biases begin as zeros. */
  readonly kernelInitializer?: Initializer
  /** How the recurrent kernel begins. Default: as the others (Keras: orthogonal). */
  readonly recurrentInitializer?: Initializer
  /** Default `rnn`, `rnn_1`, … */
  readonly name?: Name
}

class Rnn<All extends boolean, Name extends string> extends Layer<3, All extends true ? 3 : 2, Name> {
  override readonly type = 'rnn'
  override readonly rank = 3
  override readonly arity = 1
  readonly #units: number
  readonly #options

  constructor(units: number, options: RnnLayerOptions<All, Name>) {
    checkOptions('rnn', options, ['activation', 'outputs', 'all', 'kernelInitializer', 'recurrentInitializer', 'name'])
    super('rnn', options.name)
    const label = labelOf('rnn', options.name)
    const { activation = 'tanh', outputs, all = false, kernelInitializer = 'glorotUniform', recurrentInitializer } = options
    this.#units = checkInteger(units, label, 'units')
    this.#options = {
      activation: checkChoice(activation, activations, label, 'activation'),
      ...(outputs !== undefined && { outputs: checkInteger(outputs, label, 'outputs') }),
      all: checkBoolean(all, label, 'all'),
      kernelInitializer: checkChoice(kernelInitializer, initializers, label, 'kernelInitializer'),
      ...(recurrentInitializer !== undefined && {
        recurrentInitializer: checkChoice(recurrentInitializer, initializers, label, 'recurrentInitializer'),
      }),
    }
  }

  override config() {
    return { units: this.#units, ...this.#options }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const { outputs, kernelInitializer: initializer, recurrentInitializer = initializer } = this.#options
    const units = this.#units
    const own: Parameter[] = [
      { name: 'kernel', shape: [x!.shape[2]!, units], initializer },
      { name: 'recurrentKernel', shape: [units, units], initializer: recurrentInitializer },
      { name: 'bias', shape: [units], initializer: 'zeros' },
    ]
    if (outputs === undefined) return own
    return [
      ...own,
      { name: 'outputKernel', shape: [units, outputs], initializer },
      { name: 'outputBias', shape: [outputs], initializer: 'zeros' },
    ]
  }

  override build({ name, parameter }: BuildContext, [x]: readonly Value[]): Value {
    const { activation, outputs, all } = this.#options
    const [N, length, channels] = x!.shape as readonly [number, number, number]
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
 * all steps (backpropagation through time): the sequence is unrolled, so L is fixed and many steps make a long program.
 * Parameters: `kernel [C, units]`, `recurrentKernel [units, units]`, `bias [units]`, and with `outputs` `outputKernel [units, outputs]`, `outputBias [outputs]`.
 * @throws INVALID_ARGUMENT for options; INVALID_SHAPE, where it is put into a network, for an input of another rank
 */
export function rnn<const All extends boolean = false, const Name extends string = 'rnn'>(
  units: number,
  options: RnnLayerOptions<All, Name> = {},
): Layer<3, All extends true ? 3 : 2, Name> {
  return new Rnn(units, options)
}
