import type { Regularizer } from '../../layers/regularizers'
import type { Activation } from '../../ops/activation'
import type { Constraint } from '../../ops/constrain'
import { arrayOf, type Config, isObject, type Json } from './config'

/** Activations that are options of layers here and there. */
const activations: Readonly<Partial<Record<Activation, string>>> = {
  linear: 'linear',
  relu: 'relu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  softmax: 'softmax',
  relu6: 'relu6',
  elu: 'elu',
  selu: 'selu',
  gelu: 'gelu',
  silu: 'swish',
  mish: 'mish',
  softplus: 'softplus',
  softsign: 'softsign',
  logSoftmax: 'log_softmax',
}
/** TensorFlow.js writes `gelu_new`, but does not read it. */
const ours = new Map<string, Activation>([
  ...Object.entries(activations).map(([own, theirs]) => [theirs, own as Activation] as const),
  ['silu', 'silu'],
  ['gelu_new', 'geluTanh'],
])

/** Keras' word for an activation; none where it has no such function. */
export const kerasActivation = (activation: Activation): string | undefined => activations[activation]

/** The activation of a layer; `'hard_sigmoid'`, which is another function here, stands for itself. Throws UNSUPPORTED. */
export function activationOf(config: Config, otherwise = 'linear'): Activation | 'hard_sigmoid' {
  const value = config.get('activation') ?? otherwise
  if (value === 'hard_sigmoid') return value
  const found = ours.get(value as string)
  if (found) return found
  throw config.refusal('activation', value)
}

/** The regularizer of that name as an option. Throws UNSUPPORTED. */
export function regularizerOf(config: Config, name: string): Regularizer | undefined {
  const value = config.get(name)
  if (value === undefined) return undefined
  const { class_name: type, config: options } = isObject(value) ? value : ({} as Json)
  if (!isObject(options) || !['L1L2', 'L1', 'L2'].includes(type as string)) throw config.refusal(name, value)
  const { l1 = 0, l2 = 0 } = options
  return { l1: l1 as number, l2: l2 as number }
}

/** The constraint of that name as an option, of a weight of so many axes. Throws UNSUPPORTED. */
export function constraintOf(config: Config, name: string, axes: number): Constraint | undefined {
  const value = config.get(name)
  if (value === undefined) return undefined
  const { class_name: type, config: options } = isObject(value) ? value : ({} as Json)
  if (type === 'NonNeg') return 'nonNegative'
  if ((type !== 'MaxNorm' && type !== 'UnitNorm') || !isObject(options)) throw config.refusal(name, value)
  const over = typeof options.axis === 'number' ? [options.axis] : arrayOf(options.axis ?? [0], `${config.label}: axis of ${name}`)
  if (JSON.stringify(over) !== JSON.stringify(incomingAxes(axes))) throw config.refusal(name, value, 'is not over the incoming weights')
  return type === 'UnitNorm' ? 'unitNorm' : { maxNorm: (options.max_value ?? 2) as number }
}

const incomingAxes = (axes: number) => (axes < 2 ? [0] : Array.from({ length: axes - 1 }, (_, axis) => axis))

/** As Keras writes it. */
export function kerasRegularizer(regularizer: Regularizer | undefined): Json | null {
  return regularizer ? { class_name: 'L1L2', config: { l1: regularizer.l1 ?? 0, l2: regularizer.l2 ?? 0 } } : null
}

/** As Keras writes it, of a weight of so many axes. */
export function kerasConstraint(constraint: Constraint | undefined, axes: number): Json | null {
  if (constraint === undefined) return null
  if (constraint === 'nonNegative') return { class_name: 'NonNeg', config: {} }
  const over = incomingAxes(axes)
  const axis = over.length === 1 ? over[0] : over
  if (constraint === 'unitNorm') return { class_name: 'UnitNorm', config: { axis } }
  return { class_name: 'MaxNorm', config: { max_value: constraint.maxNorm, axis } }
}
