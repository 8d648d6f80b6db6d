import { ConvlaneError } from '../errors'
import { apply } from '../graph/apply'
import { type SymbolicShape, type TensorType, Value } from '../graph/value'
import { checkNumber, sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Operand, typeOf } from './call'
import { fillOp } from './fill'
import type { OpOptions } from './options'
import { reshape } from './reshape'
import { sumOver } from './sum'

/** A function of two operands that are broadcast as numpy does: last axes are aligned, and sizes of 1 repeated. A number stands for a tensor of no axes. */
export interface Binary<Options = OpOptions> {
  (a: Tensor | number, b: Tensor, options?: Options): Tensor
  (a: Tensor, b: Tensor | number, options?: Options): Tensor
  (a: Value | number, b: Value, options?: Options): Value
  (a: Value, b: Value | number, options?: Options): Value
}

/**
 * The shape that shapes are broadcast to; the batch size (`null`) goes with itself and with 1 only, and stays the first size.
 * Throws `INVALID_SHAPE`, naming the operands.
 */
export function broadcastShapes(types: readonly TensorType[], label: string, names: readonly string[]): SymbolicShape {
  const rank = Math.max(...types.map(({ shape }) => shape.length))
  const result: (number | null)[] = Array.from({ length: rank }, (_, axis) => {
    const sizes = types.map(({ shape }) => shape[axis - rank + shape.length]).filter((size) => size !== undefined && size !== 1)
    if (sizes.some((size) => size !== sizes[0])) throw refused()
    return sizes.length > 0 ? sizes[0]! : 1
  })
  if (result.includes(null, 1)) throw refused()
  return result

  function refused(): ConvlaneError {
    const listed = (words: readonly string[]) => `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
    const shapes = types.map(({ shape }) => shapeText(shape))
    const message = `${label}: ${listed(names)} must have one shape or be broadcast to one, received ${listed(shapes)}`
    return new ConvlaneError('INVALID_SHAPE', message, { received: types.map(({ shape }) => shape) })
  }
}

/** Adds up what an operand of that shape was repeated to: the gradient of broadcasting. With `mean`, divided by how often it was. */
export function sumTo(dy: Value, shape: SymbolicShape, mean = false): Value {
  if (sameShape(dy.shape, shape)) return dy
  const lead = dy.shape.length - shape.length
  const axes = dy.shape.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []))
  return reshape(sumOver(dy, axes, { keepDims: true, mean }) as Value, shape)
}

/** Checks operands of which some may be numbers, and makes tensors or values of these. Throws `INVALID_TENSOR`, `INVALID_DTYPE`, `INVALID_ARGUMENT`. */
export function checkOperands(operands: readonly (Operand | number)[], label: string, names: readonly string[]): Operand[] {
  const inGraph = operands.some((operand) => operand instanceof Value)
  return operands.map((operand, index) => {
    if (typeof operand !== 'number') {
      typeOf(operand, label, names[index]!)
      return operand
    }
    const value = checkNumber(operand, label, names[index]!)
    return inGraph ? apply(fillOp, [], { shape: [], value })[0]! : { shape: [], data: Float32Array.of(value) }
  })
}
