import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { ConvlaneError } from '../../errors'
import { irVersions, type NewNode, type NewValueInfo, onnx } from './schema'
import type { Initializer } from './writer'

/** Most bytes of a protocol buffer. */
const MOST = 2 ** 31 - 1
/** Fields whose messages are put together here, so that weights go to the disk from where they are. */
const GRAPH = 7
const INITIALIZER = 5
const RAW_DATA = 9

/** Key of the file's metadata that holds the names of the classes, as JSON. */
export const CLASS_NAMES = 'classNames'
/** How bytes become the numbers that inputs take, `{ [input]: { scale, offset } }`, as JSON. */
export const NORMALIZE = 'normalize'
/** How inputs and outputs lie: `nchw` or `nhwc`. */
export const LAYOUT = 'layout'

/** What a file is made of. */
export interface FileParts {
  readonly opset: number
  readonly nodes: readonly NewNode[]
  readonly initializers: ReadonlyMap<string, Initializer>
  readonly inputs: readonly NewValueInfo[]
  readonly outputs: readonly NewValueInfo[]
  readonly metadata: Readonly<Record<string, string>>
}

/** The bytes of a file, piece by piece: what the library encodes, and the data of the constants, made when they are asked for. @throws UNSUPPORTED for more than 2 GiB */
export function filePieces({ opset, nodes, initializers, inputs, outputs, metadata }: FileParts): Iterable<Uint8Array> {
  const network = onnx.encode('Graph', { name: 'convlane', node: nodes, input: inputs, output: outputs })
  const constants = Array.from(initializers, ([name, { dims, type, byteLength, pieces }]) => {
    const tensor = onnx.encode('Tensor', { dims: dims.map(BigInt), dataType: type, name })
    const raw = prefix(RAW_DATA, byteLength)
    const head = [prefix(INITIALIZER, tensor.length + raw.length + byteLength), tensor, raw]
    return { head, pieces, length: head.reduce((sum, part) => sum + part.length, byteLength) }
  })
  const length = constants.reduce((sum, constant) => sum + constant.length, network.length)
  const head = onnx.encode('Model', {
    irVersion: BigInt(irVersions[opset]!),
    producerName: 'convlane',
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    metadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  })
  const all = head.length + 6 + length
  if (all > MOST) {
    const message = `exportOnnx: the model takes ${all} bytes, an ONNX file has at most ${MOST}`
    throw new ConvlaneError('UNSUPPORTED', message, { expected: MOST, received: all })
  }
  return inOrder([head, prefix(GRAPH, length), network], constants)
}

function* inOrder(start: readonly Uint8Array[], constants: readonly Constant[]): Generator<Uint8Array> {
  yield* start
  for (const { head, pieces } of constants) {
    yield* head
    yield* pieces()
  }
}

interface Constant {
  readonly head: readonly Uint8Array[]
  readonly pieces: Initializer['pieces']
}

function prefix(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish()
}
