import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { FieldDescriptorProto_Label, FileDescriptorProtoSchema, FieldDescriptorProto_Type as Kind } from '@bufbuild/protobuf/wkt'
import { ConvlaneError } from '../errors'

/** Scalar kinds, and what they are in JavaScript. */
interface Scalars {
  int32: number
  uint32: number
  int64: bigint
  uint64: bigint
  bool: boolean
  float: number
  double: number
  string: string
  bytes: Uint8Array
}

type Scalar = keyof Scalars

/** A field: its number in the file, a scalar kind or the name of a message of the same table, and whether there may be many. */
type FieldSpec = readonly [number: number, kind: string] | readonly [number: number, kind: string, many: 'repeated']
/** Messages by name, fields by name. Enums are `int32`; members of a `oneof` are fields like others; a map is a repeated message of `key` (1) and `value` (2). */
export type MessageTable = Readonly<Record<string, Readonly<Record<string, FieldSpec>>>>

/** What `decode` gives: lists are there always, messages where the file has them, scalars with protobuf's default (0, '', false, no bytes) where it hasn't. */
export type Decoded<T extends MessageTable, M extends keyof T> = {
  readonly [F in keyof T[M]]: T[M][F] extends readonly [number, infer K, 'repeated']
    ? readonly DecodedElement<T, K>[]
    : T[M][F][1] extends Scalar
      ? Scalars[T[M][F][1]]
      : DecodedElement<T, T[M][F][1]> | undefined
}
type DecodedElement<T extends MessageTable, K> = K extends Scalar ? Scalars[K] : K extends keyof T ? Decoded<T, K> : never

/** What `encode` takes: fields that are given are written, 0 and '' too. */
export type Encodable<T extends MessageTable, M extends keyof T> = {
  readonly [F in keyof T[M]]?: T[M][F] extends readonly [number, infer K, 'repeated']
    ? readonly EncodableElement<T, K>[]
    : EncodableElement<T, T[M][F][1]>
}
type EncodableElement<T extends MessageTable, K> = K extends Scalar ? Scalars[K] : K extends keyof T ? Encodable<T, K> : never

/** How deep messages may lie in one another. */
const MAX_DEPTH = 100
/** Most messages in a file: what each takes in memory is far more than the two bytes that it may take there. */
const MAX_MESSAGES = 2 ** 20
/** Most numbers in the lists of a file. */
const MAX_NUMBERS = 2 ** 25

/** Messages that are written down as a table. */
export interface Messages<T extends MessageTable> {
  /** The bytes of a message. Lists of numbers are packed. */
  encode<M extends keyof T & string>(message: M, value: Encodable<T, M>): Uint8Array<ArrayBuffer>
  /**
   * A message from its bytes; fields that the table has not are left out. `bytes` fields are views of what was given.
   * @param source what the bytes are, for errors: the name of a file
   * @throws INVALID_FILE for bytes that are no such message: truncated, lengths that lead outside, other wire types than the table's, more than 100 messages in one
   *   another, or so many that a small file would fill the memory
   */
  decode<M extends keyof T & string>(message: M, bytes: Uint8Array, source: string): Decoded<T, M>
}

/**
 * Encodes and decodes protocol buffers after a table, without generated code: `messages({ Point: { x: [1, 'float'], tags: [2, 'string', 'repeated'] } })`.
 * What is set is written and what is not is not, as in proto2, so that a 0 among alternatives (`oneof`) is seen.
 */
export function messages<const T extends MessageTable>(table: T): Messages<T> {
  let made: Map<string, DescMessage> | undefined
  const schema = (name: string) => {
    made ??= schemas(table)
    return made.get(name)!
  }
  return {
    encode: (name, value) => toBinary(schema(name), create(schema(name), value as never)),
    decode: (name, bytes, source) => {
      try {
        check(table, name, bytes)
        return fromBinary(schema(name), bytes, { readUnknownFields: false, recursionLimit: MAX_DEPTH }) as never
      } catch (cause) {
        if (!(cause instanceof Error)) throw cause
        throw new ConvlaneError('INVALID_FILE', `${source}: damaged: ${cause.message}`, { cause })
      }
    },
  }
}

const kinds: Readonly<Record<Scalar, Kind>> = {
  int32: Kind.INT32,
  uint32: Kind.UINT32,
  int64: Kind.INT64,
  uint64: Kind.UINT64,
  bool: Kind.BOOL,
  float: Kind.FLOAT,
  double: Kind.DOUBLE,
  string: Kind.STRING,
  bytes: Kind.BYTES,
}
const wireTypes: Readonly<Record<string, WireType>> = {
  int32: WireType.Varint,
  uint32: WireType.Varint,
  int64: WireType.Varint,
  uint64: WireType.Varint,
  bool: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
}

function schemas(table: MessageTable): Map<string, DescMessage> {
  const file = create(FileDescriptorProtoSchema, {
    name: 'convlane.proto',
    messageType: Object.entries(table).map(([name, fields]) => ({
      name,
      field: Object.entries(fields).map(([field, [number, kind, many]]) => {
        const scalar = kinds[kind as Scalar]
        return {
          name: field,
          number,
          label: many ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
          ...(scalar === undefined ? { type: Kind.MESSAGE, typeName: `.${kind}` } : { type: scalar }),
          ...(many && wireTypes[kind] !== undefined && { options: { packed: true } }),
        }
      }),
    })),
  })
  const registry = createFileRegistry(file, () => undefined)
  return new Map(Object.keys(table).map((name) => [name, registry.getMessage(name)!]))
}

type Field = readonly [name: string, kind: string, many: 'repeated' | undefined]

/**
 * Throws an Error for what the library would read as something else, or fill the memory with: it takes a field of another wire type, and a message that reaches
 * past the one around it, as they come.
 */
function check(table: MessageTable, root: string, bytes: Uint8Array): void {
  const byNumber = new Map(
    Object.entries(table).map(([name, fields]) => [
      name,
      new Map(Object.entries(fields).map(([field, [number, kind, many]]): [number, Field] => [number, [field, kind, many]])),
    ]),
  )
  const reader = new BinaryReader(bytes)
  let [count, numbers] = [0, 0]
  const inside = (name: string, end: number, depth: number) => {
    if (depth > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} messages in one another`)
    if (++count > MAX_MESSAGES) throw new Error(`more than ${MAX_MESSAGES} messages`)
    const fields = byNumber.get(name)!
    while (reader.pos < end) {
      const at = reader.pos
      const [number, wireType] = reader.tag()
      const [field, kind, many] = fields.get(number) ?? ['', '']
      const wanted = wireTypes[kind] ?? WireType.LengthDelimited
      const packed = many !== undefined && wireType === WireType.LengthDelimited
      if (kind !== '' && wireType !== wanted && !packed)
        throw new Error(`${name}.${field} at byte ${at} is of wire type ${wireType}, expected ${wanted}`)
      if (wireType === WireType.LengthDelimited) {
        const length = reader.uint32()
        const after = reader.pos + length
        if (after > end) throw new Error(`${name}${field && `.${field}`} at byte ${at} has ${length} bytes, ${end - reader.pos} are left`)
        if (table[kind]) inside(kind, after, depth + 1)
        else if (kind in wireTypes) numbers += countPacked(kind, bytes, reader.pos, after)
        reader.pos = after
      } else {
        reader.skip(wireType, number)
      }
      if (many && !packed) numbers++
      if (numbers > MAX_NUMBERS) throw new Error(`more than ${MAX_NUMBERS} numbers in lists`)
    }
    if (reader.pos > end) throw new Error(`${name} ends within a field`)
  }
  inside(root, bytes.length, 1)
}

/** How many numbers a packed list has. Throws an Error where the last one is cut off. */
function countPacked(kind: string, bytes: Uint8Array, start: number, end: number): number {
  const size = wireTypes[kind] === WireType.Bit32 ? 4 : wireTypes[kind] === WireType.Bit64 ? 8 : 1
  if (size > 1 && (end - start) % size !== 0)
    throw new Error(`a list of ${end - start} bytes at byte ${start}, expected a multiple of ${size}`)
  if (size > 1) return (end - start) / size
  if (end > start && bytes[end - 1]! > 0x7f) throw new Error(`a list that ends within a number at byte ${end - 1}`)
  let count = 0
  for (let at = start; at < end; at++) if (bytes[at]! < 0x80) count++
  return count
}
