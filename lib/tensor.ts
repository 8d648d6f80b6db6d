import { ConvlaneError } from './errors'
import { elementCount, shapeText, valueText } from './shape'

/** A dense float32 array, row-major, channels last. */
export interface Tensor {
  /** Sizes, outermost first: up to six positive integers. */
  readonly shape: readonly number[]
  /** The elements: as many as the product of the sizes. */
  readonly data: Float32Array
}

/** Class numbers, one per sample. */
export interface Labels {
  /** Number of samples. */
  readonly shape: readonly [n: number]
  /** A number from 0 for each sample. */
  readonly data: Int32Array | Uint8Array
}

/** Makes a tensor; the array is kept, not copied (numbers in an ordinary array are). Throws as `checkTensor` does. */
export function tensor(data: Float32Array | readonly number[], shape: readonly number[]): Tensor {
  const made = { shape: Array.isArray(shape) ? [...shape] : shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }
  checkTensor(made, 'tensor', 'data')
  return made
}

/**
 * Throws unless the value is a whole float32 tensor: `INVALID_TENSOR` for something else, data that is detached, shared or resizable, and a length
 * that differs from the shape; `INVALID_DTYPE` for another typed array; `INVALID_SHAPE` for sizes that aren't positive integers.
 */
export function checkTensor(value: unknown, label: string, what: string): asserts value is Tensor {
  checkArray(value, label, what, ['Float32Array'])
}

/** As `checkTensor`, for class numbers: one axis, `Int32Array` or `Uint8Array`. Whether they are below the number of classes is the user's to check. */
export function checkLabels(value: unknown, label: string, what: string): asserts value is Labels {
  const { shape } = checkArray(value, label, what, ['Int32Array', 'Uint8Array'])
  if (shape.length === 1) return
  throw new ConvlaneError('INVALID_SHAPE', `${label}: ${what} of class numbers must have shape [N], received ${shapeText(shape)}`, {
    received: shape,
  })
}

export interface AnyTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}

/** The check behind `checkTensor` and `checkLabels`: a plain `{ shape, data }` whose array is one of these classes and owns ordinary memory. */
export function checkArray(
  value: unknown,
  label: string,
  what: string,
  classes: readonly ('Float32Array' | 'Int32Array' | 'Uint8Array')[],
): AnyTensor {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<AnyTensor>
  if (!Array.isArray(given.shape) || !ArrayBuffer.isView(given.data)) {
    const message = Array.isArray(given.shape)
      ? `the data of ${what} must be a ${classes.join(' or ')}, received ${valueText(given.data)}`
      : `${what} must be a tensor { shape, data }, received ${valueText(value)}`
    throw new ConvlaneError('INVALID_TENSOR', `${label}: ${message}`, { received: value })
  }
  const { shape, data } = value as AnyTensor
  // By tag, not by instanceof: the array may come from another realm, as under jest.
  const type = tagOf(data)
  if (!classes.some((name) => name === type)) {
    const names = classes.join(' or ')
    throw new ConvlaneError('INVALID_DTYPE', `${label}: the data of ${what} must be a ${names}, received ${type}`, {
      expected: names,
      received: type,
    })
  }
  const buffer = data.buffer as ArrayBufferLike & { resizable?: boolean }
  if (tagOf(buffer) !== 'ArrayBuffer')
    throw unusable(label, what, 'lies in a SharedArrayBuffer, which may change while it is read: copy it')
  if (buffer.resizable) throw unusable(label, what, 'lies in a resizable ArrayBuffer: copy it')
  const count = elementCount(shape, `${label}: ${what}`)
  if (data.length === count) return value as AnyTensor
  if (data.length === 0) throw unusable(label, what, 'is empty or detached (its buffer was transferred)')
  const message = `${label}: ${what} has shape ${shapeText(shape)}, ${count} elements, but its data has ${data.length}`
  throw new ConvlaneError('INVALID_TENSOR', message, { expected: count, received: data.length })
}

type ArrayClass = Float64ArrayConstructor | Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor

/** A new array. Throws `OUT_OF_MEMORY` instead of a RangeError. */
export function allocate<T extends ArrayClass>(type: T, count: number, label: string): InstanceType<T> {
  try {
    return new type(count) as InstanceType<T>
  } catch (cause) {
    throw new ConvlaneError('OUT_OF_MEMORY', `${label}: no memory for ${count} elements`, { cause })
  }
}

/** A copy: of a Buffer, too, whose own `slice` gives a view. */
export const copyOf = <T extends AnyTensor['data']>(data: T): T => Uint8Array.prototype.slice.call(data) as T

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1)

function unusable(label: string, what: string, why: string): ConvlaneError {
  return new ConvlaneError('INVALID_TENSOR', `${label}: the data of ${what} ${why}`)
}
