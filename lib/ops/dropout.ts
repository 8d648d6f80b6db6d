import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkInteger, checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const dropoutOp: OpDefinition = {
  name: 'dropout',
  inputs: ['x'],
  outputs: ['y'],
  inPlace: true,
  scalars: ['seed', 'step'],
  infer: ([x]) => [x!],
  gradient: ({ attributes, label: name }, [dy]) => [call(dropoutOp, [dy], attributes, { name })[0] as Value],
}

export interface DropoutOptions extends OpOptions {
  /** Which of the program's dropouts this is: each needs a number of its own. Default 0. */
  readonly stream?: number | undefined
  /** For tensors; in a graph it is a scalar of the run. An integer below 2⁵³. Default 0. */
  readonly seed?: number | undefined
  /** For tensors; in a graph it is a scalar of the run. Default 0. */
  readonly step?: number | undefined
}

/**
 * Sets elements to 0 with probability `rate` (0 ≤ rate < 1) and scales the others by 1 / (1 − rate). Which ones depends on seed, step, stream and the
 * element's number alone (Philox4x32-10), so `dropout(dy, …)` with the same options is the gradient. Throws `INVALID_ARGUMENT` for a bad rate or option.
 */
export function dropout(x: Tensor, rate: number, options?: DropoutOptions): Tensor
export function dropout(x: Value, rate: number, options?: DropoutOptions): Value
export function dropout(x: Operand, rate: number, options: DropoutOptions = {}): Operand {
  const label = labelOf('dropout', options?.name)
  checkOptions(options, ['stream', 'seed', 'step'], label)
  checkNumber(rate, label, 'rate', { low: 0, high: 1, below: true })
  const stream = checkInteger(options.stream ?? 0, label, 'stream', 0)
  const seed = checkInteger(options.seed ?? 0, label, 'seed', 0, Number.MAX_SAFE_INTEGER)
  const step = checkInteger(options.step ?? 0, label, 'step', 0, Number.MAX_SAFE_INTEGER)
  typeOf(x, label, 'input')
  return call(dropoutOp, [x], { rate, stream }, options, { scalars: { seed, step } })[0]!
}
