import type { Value } from '../graph/value'
import { add } from './add'
import { binaryFunction, binaryOp } from './binary'
import { equal, less, lessEqual } from './compare'
import type { Unary } from './elementwise'
import { multiply } from './multiply'
import type { OpOptions } from './options'
import { scale } from './scale'
import { log } from './unary'
import { where } from './where'

export const subOp = binaryOp('sub', (_a, _b, dy) => [() => dy, () => neg(dy)])
export const divOp = binaryOp('div', (_, b, dy, y) => [() => div(dy, b), () => neg(div(multiply(dy, y), b))])
export const powOp = binaryOp('pow', (a, b, dy, y) => [
  () => where(equal(b, 0), 0, multiply(dy, multiply(b, pow(a, sub(b, 1))))),
  () => where(multiply(equal(a, 0), lessEqual(0, b)), 0, multiply(dy, multiply(y, log(a)))),
])

/** dy where a is the larger one or either is NaN, half of it where both are alike. */
const larger = (a: Value, b: Value, dy: Value) => multiply(dy, sub(1, add(less(a, b), scale(equal(a, b), 0.5))))
const smaller = (a: Value, b: Value, dy: Value) => multiply(dy, sub(1, add(less(b, a), scale(equal(a, b), 0.5))))
export const maximumOp = binaryOp('maximum', (a, b, dy) => [() => larger(a, b, dy), () => larger(b, a, dy)])
export const minimumOp = binaryOp('minimum', (a, b, dy) => [() => smaller(a, b, dy), () => smaller(b, a, dy)])

/** a − b, broadcast; either may be a number. Throws `INVALID_SHAPE` for shapes that cannot be broadcast. */
export const sub = binaryFunction(subOp)
/** a / b, broadcast; either may be a number. Division by 0 gives an infinity or NaN. Throws `INVALID_SHAPE` for shapes that cannot be broadcast. */
export const div = binaryFunction(divOp)
/**
 * a to the power of b, broadcast; either may be a number. 0 ** 0, NaN ** 0 and 1 ** NaN are 1, as in C and numpy; a negative a needs a whole b, else NaN.
 * Gradients are PyTorch's: 0 by a where b is 0, 0 by b where a is 0 and b isn't negative. Throws `INVALID_SHAPE` for shapes that cannot be broadcast.
 */
export const pow = binaryFunction(powOp)
/** The smaller of a and b, broadcast; NaN where either is. Where both are alike each gets half of the gradient, as in PyTorch. Throws `INVALID_SHAPE`. */
export const minimum = binaryFunction(minimumOp)
/** The larger of a and b, broadcast; NaN where either is. Where both are alike each gets half of the gradient, as in PyTorch. Throws `INVALID_SHAPE`. */
export const maximum = binaryFunction(maximumOp)
/** −x, element by element. Throws for a bad tensor. */
export const neg = ((x: Value, options?: OpOptions) => scale(x, -1, options)) as Unary
