import { bfloatToFloat, halfToFloat } from '../../../io/float16'
import { MAX_ELEMENTS } from '../../../shape'
import { dataTypes, type TensorProto } from '../schema'
import type { Constant, Whole } from './constant'
import type { Failure } from './failure'
import { product } from './view'

type Values = Float32Array | readonly Whole[]

/** A type of elements: how many bytes each takes in raw data, how these are read, and which list holds them otherwise. */
interface Kind {
  readonly name: string
  readonly size: number
  readonly raw: (bytes: ArrayBuffer) => Values
  readonly listed: (tensor: TensorProto) => Values
}

const numbers = (data: ArrayLike<number>): number[] => Array.from(data)
const bits16 = ({ int32Data }: TensorProto) => Uint16Array.from(int32Data)
const ints = ({ int32Data }: TensorProto) => int32Data

/** What is read; the rest is refused by its number. */
const kinds: Readonly<Record<number, Kind>> = {
  [dataTypes.float32]: {
    name: 'float32',
    size: 4,
    raw: (b) => new Float32Array(b),
    listed: ({ floatData }) => Float32Array.from(floatData),
  },
  [dataTypes.float64]: {
    name: 'float64',
    size: 8,
    raw: (b) => Float32Array.from(new Float64Array(b)),
    listed: ({ doubleData }) => Float32Array.from(doubleData),
  },
  [dataTypes.float16]: { name: 'float16', size: 2, raw: (b) => halfToFloat(new Uint16Array(b)), listed: (t) => halfToFloat(bits16(t)) },
  [dataTypes.bfloat16]: {
    name: 'bfloat16',
    size: 2,
    raw: (b) => bfloatToFloat(new Uint16Array(b)),
    listed: (t) => bfloatToFloat(bits16(t)),
  },
  [dataTypes.int64]: {
    name: 'int64',
    size: 8,
    raw: (b) => Array.from(new BigInt64Array(b), Number),
    listed: ({ int64Data }) => int64Data.map(Number),
  },
  [dataTypes.int32]: { name: 'int32', size: 4, raw: (b) => numbers(new Int32Array(b)), listed: ints },
  [dataTypes.int8]: { name: 'int8', size: 1, raw: (b) => numbers(new Int8Array(b)), listed: ints },
  [dataTypes.uint8]: { name: 'uint8', size: 1, raw: (b) => numbers(new Uint8Array(b)), listed: ints },
  [dataTypes.bool]: { name: 'bool', size: 1, raw: (b) => numbers(new Uint8Array(b)), listed: ints },
}

/** What a data type is called; its number where it is none of those that are read. */
export const typeName = (type: number): string => kinds[type]?.name ?? `number ${type}`

/** Whether numbers of that type become float32 ones. */
export const isFloatType = (type: number): boolean => [1, 10, 11, 16].includes(type)

const EXTERNAL = 1

export const isExternal = ({ dataLocation }: TensorProto): boolean => dataLocation === EXTERNAL

/**
 * The numbers of a tensor: float types as float32 (float64 is rounded), whole numbers as they are. Its length is checked before anything is made of it.
 * @param outside its bytes, where they are in a file of their own
 */
export function readTensor(tensor: TensorProto, fail: Failure, outside?: Uint8Array): Constant {
  const kind = kinds[tensor.dataType]
  if (!kind) throw fail.unsupported(`elements of type ${typeName(tensor.dataType)}`, tensor.dataType)
  const shape = readSizes(tensor.dims, fail)
  const count = product(shape)
  const raw = outside ?? tensor.rawData
  if (raw.length > 0) {
    if (raw.length !== count * kind.size) {
      throw fail.damaged(`has shape [${shape.join(', ')}] of ${kind.name}, ${count * kind.size} bytes, but ${raw.length} bytes of data`)
    }
    return { shape, data: kind.raw(new Uint8Array(raw).buffer) }
  }
  const data = kind.listed(tensor)
  if (data.length !== count) throw fail.damaged(`has shape [${shape.join(', ')}], ${count} elements, but data for ${data.length}`)
  return { shape, data }
}

/** Sizes that are whole and together no more than anything could hold. */
export function readSizes(dims: readonly bigint[], fail: Failure): number[] {
  const shape = dims.map(Number)
  const fits = shape.every((size) => size >= 0 && size <= MAX_ELEMENTS) && product(shape) <= MAX_ELEMENTS
  if (!fits) throw fail.damaged(`has shape [${dims.slice(0, 8).join(', ')}]`)
  return shape
}
