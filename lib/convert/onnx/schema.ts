import { type Decoded, type Encodable, messages } from '../../io/protobuf'

/** The messages of ONNX (https://onnx.ai/onnx/api/classes.html) that networks need; what else a file holds is skipped. */
const table = {
  Model: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    graph: [7, 'Graph'],
    opsetImport: [8, 'OperatorSet', 'repeated'],
    metadata: [14, 'Pair', 'repeated'],
    functions: [25, 'Function', 'repeated'],
  },
  OperatorSet: { domain: [1, 'string'], version: [2, 'int64'] },
  Pair: { key: [1, 'string'], value: [2, 'string'] },
  Function: { name: [1, 'string'] },
  Graph: {
    node: [1, 'Node', 'repeated'],
    name: [2, 'string'],
    initializer: [5, 'Tensor', 'repeated'],
    input: [11, 'ValueInfo', 'repeated'],
    output: [12, 'ValueInfo', 'repeated'],
    sparseInitializer: [15, 'SparseTensor', 'repeated'],
  },
  SparseTensor: { values: [1, 'Tensor'] },
  Node: {
    input: [1, 'string', 'repeated'],
    output: [2, 'string', 'repeated'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'Attribute', 'repeated'],
    domain: [7, 'string'],
  },
  Attribute: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'Tensor'],
    floats: [7, 'float', 'repeated'],
    ints: [8, 'int64', 'repeated'],
    strings: [9, 'bytes', 'repeated'],
    type: [20, 'int32'],
  },
  Tensor: {
    dims: [1, 'int64', 'repeated'],
    dataType: [2, 'int32'],
    floatData: [4, 'float', 'repeated'],
    int32Data: [5, 'int32', 'repeated'],
    int64Data: [7, 'int64', 'repeated'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double', 'repeated'],
    externalData: [13, 'Pair', 'repeated'],
    dataLocation: [14, 'int32'],
  },
  ValueInfo: { name: [1, 'string'], type: [2, 'Type'] },
  Type: { tensorType: [1, 'TensorType'] },
  TensorType: { elemType: [1, 'int32'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension', 'repeated'] },
  Dimension: { dimValue: [1, 'int64'], dimParam: [2, 'string'] },
} as const

export const onnx = messages(table)
type Table = typeof table
export type ModelProto = Decoded<Table, 'Model'>
export type GraphProto = Decoded<Table, 'Graph'>
export type NodeProto = Decoded<Table, 'Node'>
export type AttributeProto = Decoded<Table, 'Attribute'>
export type TensorProto = Decoded<Table, 'Tensor'>
export type ValueInfoProto = Decoded<Table, 'ValueInfo'>
export type NewNode = Encodable<Table, 'Node'>
export type NewAttribute = Encodable<Table, 'Attribute'>
export type NewValueInfo = Encodable<Table, 'ValueInfo'>

/** TensorProto.DataType, those that are read or written. */
export const dataTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, bfloat16: 16 } as const
/** AttributeProto.AttributeType. */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const

/** Operator sets that files are written for, each with the version of the file format that came with it (https://onnx.ai/onnx/repo-docs/Versioning.html). */
export const irVersions: Readonly<Record<number, number>> = { 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13 }
/** The newest of these that ONNX Runtime 1.30 has official support for: it refuses higher ones, and says so. */
export const OPSET = 26
/** The oldest: before ONNX 1.16 (2024) GroupNormalization was another operator. */
export const OLDEST_OPSET = 21
