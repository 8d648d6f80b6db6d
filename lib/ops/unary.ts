import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import { div } from './arithmetic'
import { call, type Operand, typeOf } from './call'
import { lessEqual } from './compare'
import type { Unary } from './elementwise'
import { multiply } from './multiply'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { scale } from './scale'

/** A function of one number, element by element. `derivative` gives dx. */
function unaryOp(name: string, derivative: (dy: Value, x: Value, y: Value) => Value | undefined): OpDefinition {
  return {
    name,
    inputs: ['x'],
    outputs: ['y'],
    inPlace: true,
    infer: ([x]) => [x!],
    gradient: ({ inputs, outputs }, [dy]) => [derivative(dy!, inputs[0]!, outputs[0]!)],
  }
}

function unaryFunction(op: OpDefinition): Unary {
  return ((x: Operand, options: OpOptions = {}) => {
    const label = labelOf(op.name, options?.name)
    checkOptions(options, [], label)
    typeOf(x, label, 'input')
    return call(op, [x], {}, options)[0]!
  }) as Unary
}

export const expOp = unaryOp('exp', (dy, _, y) => multiply(dy, y))
export const logOp = unaryOp('log', (dy, x) => div(dy, x))
export const sqrtOp = unaryOp('sqrt', (dy, _, y) => div(scale(dy, 0.5), y))
export const absOp = unaryOp('abs', (dy, x) => multiply(dy, sign(x)))
export const signOp = unaryOp('sign', () => undefined)
export const clipOp: OpDefinition = {
  name: 'clip',
  inputs: ['x'],
  outputs: ['y'],
  inPlace: true,
  infer: ([x]) => [x!],
  gradient({ inputs: [x], attributes: { low, high } }, [dy]) {
    const above = low === undefined ? dy! : multiply(dy!, lessEqual(low as number, x!))
    return [high === undefined ? above : multiply(above, lessEqual(x!, high as number))]
  },
}

/** e to the power of x, element by element. Throws for a bad tensor. */
export const exp = unaryFunction(expOp)
/** The natural logarithm, element by element; −∞ of 0, NaN of negative numbers. Throws for a bad tensor. */
export const log = unaryFunction(logOp)
/** The square root, element by element; NaN of negative numbers. Its gradient at 0 is infinite. Throws for a bad tensor. */
export const sqrt = unaryFunction(sqrtOp)
/** |x|, element by element. Its gradient at 0 is 0, as in PyTorch. Throws for a bad tensor. */
export const abs = unaryFunction(absOp)
/** −1, 0 or 1, element by element; NaN stays NaN. Has no gradient. Throws for a bad tensor. */
export const sign = unaryFunction(signOp)

/**
 * x, but `low` where it is below and `high` where it is above, element by element; `undefined` is no bound; NaN stays NaN. The gradient flows where
 * low ≤ x ≤ high, the bounds included, as in PyTorch. Throws `INVALID_ARGUMENT` for bounds that aren't numbers, or when low is above high.
 */
export function clip(x: Tensor, low: number | undefined, high: number | undefined, options?: OpOptions): Tensor
export function clip(x: Value, low: number | undefined, high: number | undefined, options?: OpOptions): Value
export function clip(x: Operand, low: number | undefined, high: number | undefined, options: OpOptions = {}): Operand {
  const label = labelOf('clip', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  const bounds = {
    ...(low !== undefined && { low: checkNumber(low, label, 'low') }),
    ...(high !== undefined && { high: checkNumber(high, label, 'high') }),
  }
  if (low !== undefined && high !== undefined && low > high) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: low must be at most high, received ${low} and ${high}`, {
      received: [low, high],
    })
  }
  return call(clipOp, [x], bounds, options)[0]!
}
