import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** An op's function of one tensor: overloads shared by the activations. */
export interface Unary<Options = OpOptions> {
  (x: Tensor, options?: Options): Tensor
  (x: Value, options?: Options): Value
}
/** Its backward function. */
export interface UnaryBackward<Options = OpOptions> {
  (dy: Tensor, x: Tensor, options?: Options): { dx: Tensor }
  (dy: Value, x: Value, options?: Options): { dx: Value }
}

/** Throws `INVALID_SHAPE` unless the two shapes are one. */
export function checkSameShape(a: TensorType, b: TensorType, label: string, names: readonly [string, string]): void {
  if (sameShape(a.shape, b.shape)) return
  const message = `${label}: ${names[0]} and ${names[1]} must have one shape, received ${shapeText(a.shape)} and ${shapeText(b.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: a.shape, received: b.shape })
}

/** How an activation differs from a plain one. */
interface ActivationTraits<Options> {
  /** Its gradient needs its input rather than its output. Default false. */
  readonly fromInput?: boolean
  /** Names of its options, and what they come to as attributes of its steps; throws `INVALID_ARGUMENT`. Default: none. */
  readonly options?: readonly (keyof Options & string)[]
  readonly attributes?: (options: Options, label: string) => Attributes
}

/**
 * The definitions and functions of an activation: `name`: x → y, and `nameBackward`: dy and y (or x) → dx.
 * `everyElement`: each element of y depends on that element of x alone.
 */
export function activationOp<Options extends OpOptions = OpOptions>(
  name: string,
  everyElement: boolean,
  { fromInput = false, options: known = [], attributes: attributesOf = () => ({}) }: ActivationTraits<Options> = {},
): { forward: OpDefinition; backward: OpDefinition; call: Unary<Options>; callBackward: UnaryBackward<Options> } {
  /** The backward steps that compilation adds a gradient to take it as one more operand, which is left out here. */
  const rest = everyElement ? [undefined] : []
  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy', fromInput ? 'x' : 'y', ...(everyElement ? ['also?'] : [])],
    outputs: ['dx'],
    inPlace: everyElement,
    infer([dy, from, also], _, label) {
      checkSameShape(dy!, from!, label, ['the gradient', fromInput ? 'the input' : 'the output'])
      if (also) checkSameShape(dy!, also, label, ['the gradient', 'what is added to it'])
      return [from!]
    },
  }
  const forward: OpDefinition = {
    name,
    inputs: ['x'],
    outputs: ['y'],
    inPlace: everyElement,
    infer: ([x]) => [x!],
    gradient({ inputs, outputs, attributes, label }, [dy]) {
      return [call(backward, [dy, fromInput ? inputs[0] : outputs[0], ...rest], attributes, { name: label })[0] as Value]
    },
  }
  const prepare = (options: Options, label: string) => {
    checkOptions(options, known, label)
    return attributesOf(options, label)
  }
  const run = (x: Operand, options = {} as Options) => {
    const label = labelOf(name, options?.name)
    const attributes = prepare(options, label)
    typeOf(x, label, 'input')
    return call(forward, [x], attributes, options)[0]!
  }
  const runBackward = (dy: Operand, x: Operand, options = {} as Options) => {
    const label = labelOf(backward.name, options?.name)
    const attributes = prepare(options, label)
    checkSameShape(typeOf(dy, label, 'dy'), typeOf(x, label, 'x'), label, ['dy', 'x'])
    return { dx: call(backward, [dy, fromInput ? x : run(x, options), ...rest], attributes, options)[0]! }
  }
  return { forward, backward, call: run as Unary<Options>, callBackward: runBackward as UnaryBackward<Options> }
}
