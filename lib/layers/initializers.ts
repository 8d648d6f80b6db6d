import { RandomStream } from '../random'

/**
 * How a parameter begins, of Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), and of He, Zhang,
 * Ren and Sun, "Delving deep into rectifiers" (2015). With fan-in and fan-out the numbers of weights that feed one output and that one input feeds:
 * - `glorotUniform`: uniform within ±√(6 / (fanIn + fanOut)), the default of weights, as in Keras
 * - `glorotNormal`: normal, variance 2 / (fanIn + fanOut)
 * - `heUniform`: uniform within ±√(6 / fanIn)
 * - `heNormal`: normal, variance 2 / fanIn
 * - `zeros`, the default of a bias, and `ones`
 */
export type Initializer = (typeof initializers)[number]
export const initializers = ['glorotUniform', 'glorotNormal', 'heUniform', 'heNormal', 'zeros', 'ones'] as const

/**
 * First values of a parameter, fixed by the model's seed and the parameter's number within the model. The last two sizes of the shape are
 * inputs and outputs, those before them the window: `[KH, KW, C/groups, OC]`, `[in, out]`.
 */
export function initialValues(initializer: Initializer, shape: readonly number[], seed: number, index: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  if (initializer === 'zeros') return values
  if (initializer === 'ones') return values.fill(1)
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1)
  const fanIn = window * (shape.at(-2) ?? 1)
  const fanOut = window * (shape.at(-1) ?? 1)
  const variance = initializer.startsWith('glorot') ? 2 / (fanIn + fanOut) : 2 / fanIn
  const stream = new RandomStream(seed, 'weights', index)
  const limit = Math.sqrt(3 * variance)
  const deviation = Math.sqrt(variance)
  const draw = initializer.endsWith('Uniform') ? () => stream.uniform(-limit, limit) : () => stream.normal(0, deviation)
  for (let i = 0; i < values.length; i++) values[i] = draw()
  return values
}
