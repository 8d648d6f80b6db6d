import { attributeTypes, dataTypes, type NewAttribute, type NewNode, onnx } from '../../lib/convert/onnx/schema'

type Sizes = readonly (number | string)[]
interface Constant {
  readonly dims: readonly number[]
  readonly data: ArrayBufferView
  readonly type: number
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

/** Float32 weights `0, 0.25, 0.5, …`, around 0, or those given. */
export function floats(dims: readonly number[], data?: readonly number[]): Constant {
  const count = dims.reduce((product, size) => product * size, 1)
  const numbers = data ?? Array.from({ length: count }, (_, index) => (((index * 7) % 11) - 5) / 4)
  return { dims, data: Float32Array.from(numbers), type: dataTypes.float32 }
}

/** A list of whole numbers. */
export const wholes = (...values: readonly number[]): Constant => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
  type: dataTypes.int64,
})

/** An attribute of the type that its value is of: whole numbers are ints. */
function attribute(value: unknown): NewAttribute {
  if (typeof value === 'string') return { s: Buffer.from(value), type: attributeTypes.string }
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { i: BigInt(value), type: attributeTypes.int } : { f: value, type: attributeTypes.float }
  }
  if (Array.isArray(value)) return { ints: value.map(BigInt), type: attributeTypes.ints }
  return value as NewAttribute
}

/** A node as `['Conv', ['x', 'w'], ['y'], { strides: [2, 2] }]`. */
export type NodeText = readonly [
  op: string,
  input: readonly string[],
  output: readonly string[],
  attributes?: Readonly<Record<string, unknown>>,
]

export function node([opType, input, output, attributes = {}]: NodeText): NewNode {
  const list = Object.entries(attributes).map(([name, value]) => ({ name, ...attribute(value) }))
  return { opType, input, output, name: `${opType} of ${output[0]}`, attribute: list }
}

/** An ONNX file, from what is in it: texts among sizes are open. */
export function onnxModel({
  nodes,
  inputs = {},
  outputs = ['y'],
  constants = {},
  opset = 17,
  elemType = dataTypes.float32,
}: {
  readonly nodes: readonly NodeText[]
  readonly inputs?: Readonly<Record<string, Sizes>>
  readonly outputs?: readonly string[]
  readonly constants?: Readonly<Record<string, Constant>>
  readonly opset?: number
  readonly elemType?: number
}): Uint8Array {
  const dimension = (size: number | string) => (typeof size === 'number' ? { dimValue: BigInt(size) } : { dimParam: size })
  return onnx.encode('Model', {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: {
      name: 'test',
      node: nodes.map(node),
      input: Object.entries(inputs).map(([name, sizes]) => ({
        name,
        type: { tensorType: { elemType, shape: { dim: sizes.map(dimension) } } },
      })),
      output: outputs.map((name) => ({ name })),
      initializer: Object.entries(constants).map(([name, { dims, data, type }]) => ({
        name,
        dims: dims.map(BigInt),
        dataType: type,
        rawData: bytesOf(data),
      })),
    },
  })
}
