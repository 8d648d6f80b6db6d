import { binaryFunction, inferBinary } from './binary'
import type { OpDefinition } from './op'

/** Gives 1 or 0. No gradient flows through it. */
function comparison(name: string): OpDefinition {
  return { name, inputs: ['a', 'b'], outputs: ['y'], inPlace: true, infer: inferBinary, gradient: () => [undefined, undefined] }
}

export const equalOp = comparison('equal')
export const notEqualOp = comparison('notEqual')
export const lessOp = comparison('less')
export const lessEqualOp = comparison('lessEqual')

/** 1 where a = b, else 0, broadcast; either may be a number. NaN equals nothing. Has no gradient. Throws `INVALID_SHAPE` for shapes that cannot be broadcast. */
export const equal = binaryFunction(equalOp)
/** 1 where a ≠ b, else 0, broadcast; either may be a number. NaN differs from everything. Has no gradient. Throws as `equal` does. */
export const notEqual = binaryFunction(notEqualOp)
/** 1 where a < b, else 0 (and where either is NaN), broadcast; either may be a number. Has no gradient. Throws as `equal` does. */
export const less = binaryFunction(lessOp)
/** 1 where a ≤ b, else 0 (and where either is NaN), broadcast; either may be a number. Has no gradient. Throws as `equal` does. */
export const lessEqual = binaryFunction(lessEqualOp)
/** 1 where a > b, else 0 (and where either is NaN), broadcast; either may be a number. Has no gradient. Throws as `equal` does. */
export const greater = binaryFunction(lessOp, 'greater', true)
/** 1 where a ≥ b, else 0 (and where either is NaN), broadcast; either may be a number. Has no gradient. Throws as `equal` does. */
export const greaterEqual = binaryFunction(lessEqualOp, 'greaterEqual', true)
