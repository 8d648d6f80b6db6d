import { type Dtype, type SymbolicShape, Value } from './value'

/** A value that a run is given. `shape[0]` is `null` where it is the batch size. */
export function inputValue(name: string, shape: SymbolicShape, dtype: Dtype = 'float32'): Value {
  return new Value(shape, dtype, { kind: 'input', name })
}

/** A parameter, read from the state. */
export function parameterValue(name: string, shape: readonly number[]): Value {
  return new Value(shape, 'float32', { kind: 'state', name })
}

/** The gradient of a loss by itself: the number 1. */
export function oneValue(): Value {
  return new Value([], 'float32', { kind: 'one' })
}
