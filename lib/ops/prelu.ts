import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { minimum } from './arithmetic'
import { binaryOp } from './binary'
import { broadcastShapes } from './broadcast'
import { call, type Operand, typeOf } from './call'
import { less } from './compare'
import { multiply } from './multiply'
import { checkOptions, type OpOptions } from './options'
import { where } from './where'

/** a where it is positive, else a · b: what flows to a is dy or dy · b, and to b what a adds to each place that b stands for. */
export const preluOp = binaryOp('prelu', (a, b, dy) => [() => where(less(0, a), dy, multiply(dy, b)), () => multiply(dy, minimum(a, 0))])

function check(x: Operand, alpha: Operand, label: string): void {
  const [input, slopes] = [typeOf(x, label, 'input'), typeOf(alpha, label, 'alpha')]
  if (sameShape(broadcastShapes([input, slopes], label, ['input', 'alpha']), input.shape)) return
  const message = `${label}: alpha ${shapeText(slopes.shape)} must be broadcast to the input's shape ${shapeText(input.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: input.shape, received: slopes.shape })
}

/**
 * x where it is positive, else alpha · x: a relu whose slopes are data. `alpha` is broadcast to x: `[C]` has one slope for each channel, a size of 1 shares one
 * along its axis, x's own shape gives each element one. The gradient at 0 is that of the negative side: the slope by x (PyTorch's rule), 0 by alpha.
 * Throws `INVALID_SHAPE` for slopes that cannot be broadcast to x.
 */
export function prelu(x: Tensor, alpha: Tensor, options?: OpOptions): Tensor
export function prelu(x: Value, alpha: Value, options?: OpOptions): Value
export function prelu(x: Operand, alpha: Operand, options: OpOptions = {}): Operand {
  const label = labelOf('prelu', options?.name)
  checkOptions(options, [], label)
  check(x, alpha, label)
  return call(preluOp, [x, alpha], {}, options)[0]!
}
