import { binaryFunction, binaryOp } from './binary'

export const multiplyOp = binaryOp('multiply', (a, b, dy) => [() => multiply(dy, b), () => multiply(dy, a)])

/**
 * a · b, element by element, broadcast as numpy does; either may be a number. `mul` is the same function, under the name that goes with `sub` and `div`.
 * Throws `INVALID_SHAPE` for shapes that cannot be broadcast.
 */
export const multiply = binaryFunction(multiplyOp)
