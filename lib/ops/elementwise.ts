import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** An op's function of one tensor: overloads shared by the activations. */
export interface Unary {
  (x: Tensor, options?: OpOptions): Tensor
  (x: Value, options?: OpOptions): Value
}
/** Its backward function. */
export interface UnaryBackward {
  (dy: Tensor, x: Tensor, options?: OpOptions): { dx: Tensor }
  (dy: Value, x: Value, options?: OpOptions): { dx: Value }
}

/** Throws `INVALID_SHAPE` unless the two shapes are one. */
export function checkSameShape(a: TensorType, b: TensorType, label: string, names: readonly [string, string]): void {
  if (sameShape(a.shape, b.shape)) return
  const message = `${label}: ${names[0]} and ${names[1]} must have one shape, received ${shapeText(a.shape)} and ${shapeText(b.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: a.shape, received: b.shape })
}

/**
 * The definitions and functions of an activation whose gradient needs only its output: `name`: x → y, and `nameBackward`: dy, y → dx.
 * `everyElement`: each element of y depends on that element of x alone.
 */
export function activationOp(
  name: string,
  everyElement: boolean,
): { forward: OpDefinition; backward: OpDefinition; call: Unary; callBackward: UnaryBackward } {
  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy', 'y'],
    outputs: ['dx'],
    inPlace: everyElement,
    infer([dy, y], _, label) {
      checkSameShape(dy!, y!, label, ['the gradient', 'the output'])
      return [y!]
    },
  }
  const forward: OpDefinition = {
    name,
    inputs: ['x'],
    outputs: ['y'],
    inPlace: everyElement,
    infer: ([x]) => [x!],
    gradient: (node, [dy]) => [call(backward, [dy, node.outputs[0]], {}, { name: node.label })[0] as Value],
  }
  const run = (x: Operand, options: OpOptions = {}) => {
    const label = labelOf(name, options?.name)
    checkOptions(options, [], label)
    typeOf(x, label, 'input')
    return call(forward, [x], {}, options)[0]!
  }
  const runBackward = (dy: Operand, x: Operand, options: OpOptions = {}) => {
    const label = labelOf(backward.name, options?.name)
    checkOptions(options, [], label)
    checkSameShape(typeOf(dy, label, 'dy'), typeOf(x, label, 'x'), label, ['dy', 'x'])
    return { dx: call(backward, [dy, run(x, options)], {}, options)[0]! }
  }
  return { forward, backward, call: run as Unary, callBackward: runBackward as UnaryBackward }
}
