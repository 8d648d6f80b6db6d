import { ConvlaneError } from '../errors'
import { elementCount, shapeText } from '../shape'
import { type Dtype, type SymbolicShape, Value } from './value'

/** A value that a run is given. `shape[0]` is `null` where it is the batch size. Throws `INVALID_SHAPE` for other sizes than positive integers. */
export function inputValue(name: string, shape: SymbolicShape, dtype: Dtype = 'float32'): Value {
  if (shape.indexOf(null, 1) > 0) {
    const message = `input "${name}": only the first size may be the batch size, received ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: shape })
  }
  elementCount(shape, `input "${name}"`)
  return new Value([...shape], dtype, { kind: 'input', name })
}

/** A parameter, read from the state. */
export function parameterValue(name: string, shape: readonly number[]): Value {
  elementCount(shape, `parameter "${name}"`)
  return new Value([...shape], 'float32', { kind: 'state', name })
}

/** The gradient of a loss by itself: the number 1. */
export function oneValue(): Value {
  return new Value([], 'float32', { kind: 'one' })
}
