import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { RandomStream } from '../random'
import { checkNumber, valueText } from '../shape'
import { orthogonalValues } from './orthogonal'

const names = [
  'glorotUniform',
  'glorotNormal',
  'heUniform',
  'heNormal',
  'lecunUniform',
  'lecunNormal',
  'normal',
  'truncatedNormal',
  'uniform',
  'orthogonal',
  'zeros',
  'ones',
] as const
/** An initializer without options: see {@link Initializer}. */
export type InitializerName = (typeof names)[number]

/** An initializer with options: see {@link Initializer}. */
export type InitializerOptions =
  | { readonly type: 'normal' | 'truncatedNormal'; readonly mean?: number; readonly deviation?: number }
  | { readonly type: 'uniform'; readonly low?: number; readonly high?: number }
  | { readonly type: 'orthogonal'; readonly gain?: number }
  | { readonly type: 'constant'; readonly value: number }

/** Random numbers for an initializer of your own, fixed by the model's seed and the parameter's number within the model. */
export interface InitializerRandom {
  /** From `low`, 0, to below `high`, 1. */
  uniform(low?: number, high?: number): number
  /** Normally distributed; mean 0 and deviation 1 unless said otherwise. */
  normal(mean?: number, deviation?: number): number
}

/** An initializer of your own: all elements, row-major. It is not saved; a loaded model has its weights from the file. */
export type InitializerFunction = (shape: readonly number[], random: InitializerRandom) => Float32Array

/**
 * How a parameter begins: a name, an object with options, or a function of your own. With fan-in and fan-out the numbers of weights that feed one output and
 * that one input feeds, as the kernel's last two sizes and its window give them (Keras' rule, for depthwise and transposed kernels, too, where these are others):
 * - `glorotUniform`: uniform within ±√(6 / (fanIn + fanOut)), the default of kernels, as in Keras (Glorot and Bengio, "Understanding the difficulty of
 *   training deep feedforward neural networks", 2010); `glorotNormal`: normal, variance 2 / (fanIn + fanOut)
 * - `heUniform`: uniform within ±√(6 / fanIn); `heNormal`: normal, variance 2 / fanIn (He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015)
 * - `lecunUniform`: uniform within ±√(3 / fanIn); `lecunNormal`: normal, variance 1 / fanIn (LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998)
 * - `normal`, `{ type: 'normal', mean, deviation }`: mean 0, deviation 0.05; `truncatedNormal`: the same, numbers more than two deviations from the mean
 *   drawn again
 * - `uniform`, `{ type: 'uniform', low, high }`: from −0.05 to 0.05
 * - `orthogonal`, `{ type: 'orthogonal', gain }`: rows or columns, whichever are fewer, at right angles and of length `gain`, 1; all axes but the last are
 *   the rows (Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014). Not for one axis
 * - `zeros`, the default of biases; `ones`; `{ type: 'constant', value }`
 *
 * The normal ones are not cut off, as in PyTorch; Keras' `GlorotNormal`, `HeNormal` and `LecunNormal` draw again beyond two deviations. Defaults of `normal`,
 * `truncatedNormal` and `uniform` are Keras'.
 */
export type Initializer = InitializerName | InitializerOptions | InitializerFunction

const optionsOf = {
  normal: ['mean', 'deviation'],
  truncatedNormal: ['mean', 'deviation'],
  uniform: ['low', 'high'],
  orthogonal: ['gain'],
  constant: ['value'],
} as const

/** An initializer with its options checked. Throws INVALID_ARGUMENT. */
export function checkInitializer(value: unknown, label: string, argument: string): Initializer {
  if (names.includes(value as InitializerName) || typeof value === 'function') return value as Initializer
  const type = typeof value === 'object' && value !== null ? (value as InitializerOptions).type : undefined
  if (type === undefined || !Object.hasOwn(optionsOf, type)) {
    const known = names.map((name) => `'${name}'`).join(', ')
    const types = Object.keys(optionsOf).map((name) => `'${name}'`)
    throw invalid(label, argument, `${known}, an object with type ${types.join(', ')}, or a function`, value)
  }
  const at = `${label}: ${argument}`
  checkOptions(at, value, ['type', ...optionsOf[type]])
  const { type: _, ...options } = value as InitializerOptions
  if (type === 'constant' && !('value' in options)) throw invalid(at, 'value', 'given', undefined)
  const bounds = (name: string) => (name === 'deviation' || name === 'gain' ? { low: 0 } : {})
  for (const [name, number] of Object.entries(options)) checkNumber(number, at, name, bounds(name))
  const { low = -0.05, high = 0.05 } = options as { low?: number; high?: number }
  if (type === 'uniform' && low > high) throw invalid(at, 'low', `at most high, ${high}`, low)
  return value as InitializerOptions
}

/**
 * First values of a parameter, fixed by the model's seed and the parameter's number within the model. The last two sizes of the shape are
 * inputs and outputs, those before them the window: `[KH, KW, C/groups, OC]`, `[in, out]`.
 * Throws INVALID_ARGUMENT for an initializer that does not fit the shape.
 */
export function initialValues(
  initializer: Initializer,
  shape: readonly number[],
  seed: number,
  index: number,
  label = 'initializer',
): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  const random = new RandomStream(seed, 'weights', index)
  if (typeof initializer === 'function') return checkOwn(initializer([...shape], random), shape, values.length, label)
  const options = typeof initializer === 'string' ? { type: initializer } : initializer
  if (options.type === 'zeros') return values
  if (options.type === 'ones') return values.fill(1)
  if (options.type === 'constant') return values.fill(options.value)
  if (options.type === 'orthogonal') {
    checkFits(initializer, shape, label)
    return orthogonalValues(values.length / shape.at(-1)!, shape.at(-1)!, 'gain' in options ? (options.gain ?? 1) : 1, random)
  }
  const draw = drawerOf(options, shape, random)
  for (let i = 0; i < values.length; i++) values[i] = draw()
  return values
}

/** Throws INVALID_ARGUMENT for an initializer that there are no values of for the shape, as {@link initialValues} would. */
export function checkFits(initializer: Initializer, shape: readonly number[], label: string): void {
  const type = typeof initializer === 'object' ? initializer.type : initializer
  if (type === 'orthogonal' && shape.length < 2)
    throw invalid(label, 'initializer', `one for a shape of one axis; 'orthogonal' needs two`, initializer)
}

function drawerOf(
  options: {
    readonly type: InitializerName
    readonly mean?: number
    readonly deviation?: number
    readonly low?: number
    readonly high?: number
  },
  shape: readonly number[],
  random: RandomStream,
): () => number {
  const { type, mean = 0, deviation: spread = 0.05, low = -0.05, high = 0.05 } = options
  if (type === 'uniform') return () => random.uniform(low, high)
  if (type === 'normal') return () => random.normal(mean, spread)
  if (type === 'truncatedNormal') return () => truncated(mean, spread, random)
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1)
  const fanIn = window * (shape.at(-2) ?? 1)
  const fanOut = window * (shape.at(-1) ?? 1)
  const gain = type.startsWith('lecun') ? 1 : 2
  const variance = gain / (type.startsWith('glorot') ? fanIn + fanOut : fanIn)
  const limit = Math.sqrt(3 * variance)
  const deviation = Math.sqrt(variance)
  return type.endsWith('Uniform') ? () => random.uniform(-limit, limit) : () => random.normal(0, deviation)
}

function truncated(mean: number, deviation: number, random: RandomStream): number {
  let value = random.normal()
  while (Math.abs(value) > 2) value = random.normal()
  return mean + deviation * value
}

function checkOwn(values: unknown, shape: readonly number[], elements: number, label: string): Float32Array {
  if (values instanceof Float32Array && values.length === elements) return values
  const received = values instanceof Float32Array ? `one of ${values.length}` : valueText(values)
  const message = `${label}: its initializer must give a Float32Array of ${elements} elements for shape [${shape}], received ${received}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: elements, received: values })
}
