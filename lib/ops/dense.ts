import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkRank, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Activation, activate, activateBackward, checkActivation } from './activation'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import { matmul } from './matmul'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

/** Throws `INVALID_SHAPE` unless the bias has one number per filter or unit. */
export function checkBias(bias: TensorType, count: number, label: string, what: string): void {
  if (bias.shape.length === 1 && bias.shape[0] === count) return
  const message = `${label}: bias must have shape [${count}] for ${count} ${what}, received ${shapeText(bias.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: [count], received: bias.shape })
}

export const denseOp: OpDefinition = {
  name: 'dense',
  inputs: ['x', 'w', 'bias?'],
  outputs: ['y'],
  infer([x, w, bias], _, label) {
    checkRank(x!.shape, ['N', 'I'], label, 'input')
    checkRank(w!.shape, ['I', 'O'], label, 'weights')
    const [size, expected, units] = [x!.shape[1]!, w!.shape[0]!, w!.shape[1]!]
    if (size !== expected) {
      throw new ConvlaneError('INVALID_SHAPE', `${label}: input has ${size} features, weights expect ${expected}`, {
        expected,
        received: size,
      })
    }
    if (bias) checkBias(bias, units, label, 'units')
    return [{ shape: [x!.shape[0]!, units], dtype: 'float32' }]
  },
  gradient({ inputs, label: name }, [dy], wanted) {
    const [x, w] = [inputs[0]!, inputs[1]!]
    return [
      wanted[0] ? matmul(dy!, w, { transposeB: true, name }) : undefined,
      wanted[1] ? matmul(x, dy!, { transposeA: true, name }) : undefined,
      wanted[2] ? biasGradient(dy!, { name }) : undefined,
    ]
  },
  multiplyAdds: ([, w]) => w!.shape[0]! * w!.shape[1]!,
}

export interface DenseOptions<T = Tensor> extends OpOptions {
  /** `[O]`, added to every row. Default: none. */
  readonly bias?: T | undefined
  /** Applied to the result. Default `'linear'`. */
  readonly activation?: Activation | undefined
}

function prepare(x: Operand, w: Operand, options: DenseOptions<Operand>, label: string) {
  checkOptions(options, ['bias', 'activation'], label)
  const activation = checkActivation(options.activation, label)
  const bias = options.bias === undefined ? undefined : typeOf(options.bias, label, 'bias')
  const types = [typeOf(x, label, 'input'), typeOf(w, label, 'weights'), bias]
  return { activation, y: denseOp.infer(types, {}, label)[0]! }
}

/**
 * x · w + bias: `x [N, I]` with weights `w [I, O]` → `[N, O]`. Throws `INVALID_SHAPE` when sizes don't fit, `INVALID_ARGUMENT` for a bad option,
 * `INVALID_TENSOR` and `INVALID_DTYPE` for a bad tensor.
 */
export function dense(x: Tensor, w: Tensor, options?: DenseOptions): Tensor
export function dense(x: Value, w: Value, options?: DenseOptions<Value>): Value
export function dense(x: Operand, w: Operand, options: DenseOptions<Operand> = {}): Operand {
  const { activation } = prepare(x, w, options, labelOf('dense', options?.name))
  return activate(call(denseOp, [x, w, options.bias], { activation: 'linear' }, options)[0]!, activation, options)
}

/**
 * Gradients of `dense(x, w, options)` by `x`, `w` and the bias, given that of its result, `dy [N, O]`. With an activation in the options it is gone
 * back through too, which computes the product again. Throws as `dense` does.
 */
export function denseBackward(dy: Tensor, x: Tensor, w: Tensor, options?: DenseOptions): { dx: Tensor; dw: Tensor; db: Tensor }
export function denseBackward(dy: Value, x: Value, w: Value, options?: DenseOptions<Value>): { dx: Value; dw: Value; db: Value }
export function denseBackward(
  dy: Operand,
  x: Operand,
  w: Operand,
  options: DenseOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const label = labelOf('denseBackward', options?.name)
  const { activation, y } = prepare(x, w, options, label)
  const { shape } = typeOf(dy, label, 'dy')
  if (shape.length !== 2 || shape[0] !== y.shape[0] || shape[1] !== y.shape[1]) {
    const message = `${label}: dy must have the result's shape ${shapeText(y.shape)}, received ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: y.shape, received: shape })
  }
  const linear = activation === 'linear' ? dy : call(denseOp, [x, w, options.bias], { activation: 'linear' }, options)[0]!
  const dz = activateBackward(dy, linear, activation, options) as Value
  const { runtime, name } = options
  return {
    dx: matmul(dz, w as Value, { transposeB: true, runtime, name }),
    dw: matmul(x as Value, dz, { transposeA: true, runtime, name }),
    db: biasGradient(dz, { runtime, name }),
  }
}
