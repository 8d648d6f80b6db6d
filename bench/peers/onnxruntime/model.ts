/** An ONNX model of one convolution, in the bytes of its protocol buffer: a field is its number and wire type, then what it holds. */

const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))])
const number = (field: number, value: number): Uint8Array => Uint8Array.from([...varint(field * 8), ...varint(value)])

function bytes(field: number, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
}

const FLOAT = 1
const INTS = 7

/** AttributeProto: name, ints, type. */
const integers = (name: string, values: readonly number[]) =>
  bytes(5, bytes(1, name), ...values.map((value) => number(8, value)), number(20, INTS))
const integer = (name: string, value: number) => bytes(5, bytes(1, name), number(3, value), number(20, 2))

/** TensorProto: dims, type, name, raw data. */
const tensor = (name: string, dims: readonly number[], data: Float32Array) =>
  bytes(
    5,
    ...dims.map((size) => number(1, size)),
    number(2, FLOAT),
    bytes(8, name),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  )

/** ValueInfoProto of a float tensor. */
const value = (field: number, name: string, dims: readonly number[]) =>
  bytes(field, bytes(1, name), bytes(2, bytes(1, number(1, FLOAT), bytes(2, ...dims.map((size) => bytes(1, number(1, size)))))))

export interface Convolution {
  readonly x: readonly number[]
  readonly w: { readonly dims: readonly number[]; readonly data: Float32Array }
  readonly bias: Float32Array
  readonly y: readonly number[]
  readonly stride: number
  readonly pad: number
  readonly groups: number
}

/** `y = Conv(x, w, b)`, in NCHW and OIHW; w and b are constants, which onnxruntime may bring into another layout when it loads the model. */
export function convolutionModel({ x, w, bias, y, stride, pad, groups }: Convolution): Uint8Array {
  const node = bytes(
    1,
    ...['x', 'w', 'b'].map((name) => bytes(1, name)),
    bytes(2, 'y'),
    bytes(4, 'Conv'),
    integers('strides', [stride, stride]),
    integers('pads', [pad, pad, pad, pad]),
    integer('group', groups),
  )
  const initializers = [tensor('w', w.dims, w.data), tensor('b', [bias.length], bias)]
  const graph = bytes(7, node, bytes(2, 'convolution'), ...initializers, value(11, 'x', x), value(12, 'y', y))
  const irVersion = number(1, 8)
  const opset = bytes(8, number(2, 13))
  return Buffer.concat([irVersion, graph, opset])
}
