type Target = Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor

/** How elements of one of NumPy's types are read. */
export interface NumpyType {
  readonly bytes: number
  /** What they become. */
  readonly target: Target
  /** The number at a byte. */
  read(view: DataView, at: number): number
  /** Whether a number is what it was once it is stored. */
  fits(value: number, stored: number): boolean
  /** All of them without a copy, where they lie as they should. */
  readonly view?: (bytes: Uint8Array) => Float32Array | Int32Array | Uint8Array | undefined
}

const exact = (value: number, stored: number) => value === stored
/** Rounded is well, infinite is not. */
const finite = (value: number, stored: number) => Number.isFinite(stored) || !Number.isFinite(value)

const readers: Readonly<Record<string, (isLittle: boolean) => Omit<NumpyType, 'bytes' | 'view'>>> = {
  b1: () => ({ target: Uint8Array, read: (view, at) => view.getUint8(at), fits: exact }),
  u1: () => ({ target: Uint8Array, read: (view, at) => view.getUint8(at), fits: exact }),
  i1: () => ({ target: Int32Array, read: (view, at) => view.getInt8(at), fits: exact }),
  u2: (isLittle) => ({ target: Int32Array, read: (view, at) => view.getUint16(at, isLittle), fits: exact }),
  i2: (isLittle) => ({ target: Int32Array, read: (view, at) => view.getInt16(at, isLittle), fits: exact }),
  u4: (isLittle) => ({ target: Int32Array, read: (view, at) => view.getUint32(at, isLittle), fits: exact }),
  i4: (isLittle) => ({ target: Int32Array, read: (view, at) => view.getInt32(at, isLittle), fits: exact }),
  u8: (isLittle) => ({ target: Int32Array, read: (view, at) => Number(view.getBigUint64(at, isLittle)), fits: exact }),
  i8: (isLittle) => ({ target: Int32Array, read: (view, at) => Number(view.getBigInt64(at, isLittle)), fits: exact }),
  f2: (isLittle) => ({ target: Float32Array, read: (view, at) => half(view.getUint16(at, isLittle)), fits: finite }),
  f4: (isLittle) => ({ target: Float32Array, read: (view, at) => view.getFloat32(at, isLittle), fits: finite }),
  f8: (isLittle) => ({ target: Float32Array, read: (view, at) => view.getFloat64(at, isLittle), fits: finite }),
}

/** The type of a name as `<f4`; nothing for what is no real number. */
export function numpyType(descr: string): NumpyType | undefined {
  const [, order, kind] = /^([<>|=])([a-z]\d)$/.exec(descr) ?? []
  if (kind === undefined || !Object.hasOwn(readers, kind)) return undefined
  const bytes = Number(kind[1])
  // A byte has no order. (`=`, that of the machine which wrote it, is told by no file; all that run this are little-endian.)
  const isLittle = order !== '>' || bytes === 1
  const type = { bytes, ...readers[kind]!(isLittle) }
  return isLittle && ['u1', 'b1', 'i4', 'f4'].includes(kind) ? { ...type, view: (content) => viewOf(content, type.target) } : type
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

function viewOf(bytes: Uint8Array, target: Target): Float32Array | Int32Array | Uint8Array | undefined {
  // Not a Buffer, which files are read as.
  if (target === Uint8Array) return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
  if (bytes.byteOffset % 4 !== 0) return undefined
  return new target(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / 4)
}
