import { ConvlaneError } from '../errors'
import type { AttributeValue } from '../ops/op'
import { normalBelow, normalDensity } from './normal'
import type { ReferenceStep } from './step'

/** max(0, x); NaN passes through, −0 becomes 0. */
export const reluOf = (x: number): number => Math.max(x, 0)
export const sigmoidOf = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
export const tanhOf = (x: number): number => Math.tanh(x)
const softplusOf = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const hardSigmoidOf = (x: number): number => Math.min(1, Math.max(0, x / 6 + 0.5))

const seluScale = 1.0507009873554805
const seluAlpha = 1.6732632423543772
/** √(2/π) and the factor of the cube, of the approximation of gelu by tanh. */
const gate = Math.sqrt(2 / Math.PI)
const cube = 0.044715
const geluTanhOf = (x: number): number => Math.tanh(gate * (x + cube * x ** 3))

type Parameters = ReferenceStep['attributes']
interface Activation {
  readonly of: (x: number, parameters: Parameters) => number
  /** dx from dy and `from`: the output y or the input x. */
  readonly gradient: (dy: number, from: number, parameters: Parameters) => number
  readonly from: 'x' | 'y'
}

const fromY = (of: Activation['of'], gradient: Activation['gradient']): Activation => ({ of, gradient, from: 'y' })
/** `slope`: the derivative at x. */
const fromX = (of: Activation['of'], slope: Activation['of']): Activation => ({
  of,
  gradient: (dy, x, parameters) => dy * slope(x, parameters),
  from: 'x',
})
const number = (value: AttributeValue | undefined): number => value as number

/** Every activation that takes each element by itself. */
export const activations: Readonly<Record<string, Activation>> = {
  relu: fromY(reluOf, (dy, y) => (y > 0 ? dy : 0)),
  sigmoid: fromY(sigmoidOf, (dy, y) => dy * y * (1 - y)),
  tanh: fromY(tanhOf, (dy, y) => dy * (1 - y * y)),
  leakyRelu: fromY(
    (x, { slope }) => (x < 0 ? number(slope) * x : x),
    (dy, y, { slope }) => (y > 0 ? dy : number(slope) * dy),
  ),
  elu: fromY(
    (x, { alpha }) => (x > 0 ? x : number(alpha) * Math.expm1(x)),
    (dy, y, { alpha }) => (y > 0 ? dy : dy * (y + number(alpha))),
  ),
  selu: fromY(
    (x) => seluScale * (x > 0 ? x : seluAlpha * Math.expm1(x)),
    (dy, y) => (y > 0 ? dy * seluScale : dy * (y + seluScale * seluAlpha)),
  ),
  softplus: fromY(softplusOf, (dy, y) => dy * (1 - Math.exp(-y))),
  softsign: fromY(
    (x) => x / (1 + Math.abs(x)),
    (dy, y) => dy * (1 - Math.abs(y)) ** 2,
  ),
  hardSigmoid: fromY(hardSigmoidOf, (dy, y) => (y > 0 && y < 1 ? dy / 6 : 0)),
  silu: fromX(
    (x) => x * sigmoidOf(x),
    (x) => sigmoidOf(x) + x * sigmoidOf(x) * (1 - sigmoidOf(x)),
  ),
  mish: fromX(
    (x) => x * Math.tanh(softplusOf(x)),
    (x) => Math.tanh(softplusOf(x)) + x * sigmoidOf(x) * (1 - Math.tanh(softplusOf(x)) ** 2),
  ),
  gelu: fromX(
    (x) => x * normalBelow(x),
    (x) => normalBelow(x) + x * normalDensity(x),
  ),
  geluTanh: fromX(
    (x) => (x * (1 + geluTanhOf(x))) / 2,
    (x) => (1 + geluTanhOf(x)) / 2 + ((x * (1 - geluTanhOf(x) ** 2)) / 2) * gate * (1 + 3 * cube * x * x),
  ),
  hardSwish: fromX(
    (x) => x * hardSigmoidOf(x),
    (x) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5),
  ),
  linearThreshold: fromX(
    (x, { max = Number.POSITIVE_INFINITY, slope, threshold }) => {
      if (x < number(threshold)) return slope === 0 ? 0 : number(slope) * (x - number(threshold))
      return Math.min(x, number(max))
    },
    (x, { max = Number.POSITIVE_INFINITY, slope, threshold }) => (x > number(threshold) ? (x < number(max) ? 1 : 0) : number(slope)),
  ),
}

/** The step's `activation`, applied to a result before it is stored. */
export function activationOf(step: ReferenceStep): (x: number) => number {
  const name = String(step.attributes.activation ?? 'linear')
  if (name === 'linear') return (x) => x
  const activation = activations[name]
  if (!activation) throw new ConvlaneError('INVALID_STEP', `unknown activation ${name}`)
  return (x) => activation.of(x, step.attributes)
}
