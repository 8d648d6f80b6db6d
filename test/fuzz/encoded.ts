/**
 * Inputs of the fuzzer as JSON, so that one that crashes the process can be read afterwards and be kept. What JSON has no word for is an object with `$`:
 * see `specials`.
 */
export type Encoded = null | boolean | number | string | readonly Encoded[] | { readonly [key: string]: Encoded }

/** What an accessor of an input throws: the addon has to let it through. */
export class Thrown extends Error {}

const typed = Object.assign(
  Object.create(null) as object,
  { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array, Int16Array } as const,
)
const BYTE = 0xa5
/** Bytes before and behind each typed array that belong to its buffer and nobody may write. */
const ZONE = 256

/** What an input's values were made of: buffers to look at when the call is over. */
export interface Decoded {
  readonly value: unknown
  /** Whether the zones around the typed arrays are as they were. Those that were detached have none. */
  intact(): boolean
}

interface Context {
  readonly buffers: { buffer: ArrayBuffer; start: number; end: number }[]
  seed: number
}

const whole = (value: Encoded | undefined, most: number, otherwise: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : otherwise

/** Bytes that are usual floats, or usual integers, and now and then the least usual. */
function fill(view: InstanceType<(typeof typed)[keyof typeof typed]>, context: Context): void {
  const odd =
    view instanceof Float32Array || view instanceof Float64Array ? [Number.NaN, 1e38, -Infinity, 1e-45] : [-1, 2 ** 31 - 1, -(2 ** 31), 255]
  for (let i = 0; i < view.length; i++) {
    context.seed = (Math.imul(context.seed, 1664525) + 1013904223) >>> 0
    const draw = context.seed / 2 ** 32
    view[i] = context.seed % 997 === 0 ? odd[context.seed & 3]! : view instanceof Float32Array ? draw * 2 - 1 : Math.floor(draw * 4)
  }
}

/** Node 20 has what the types of its language level don't name. */
const resizable = (bytes: number) =>
  new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(bytes, { maxByteLength: 2 * bytes })

function typedArray(input: { readonly [key: string]: Encoded }, context: Context): unknown {
  const Type = typed[input.type as keyof typeof typed] ?? Float32Array
  const length = whole(input.length, 1 << 20, 1)
  const start = ZONE + Type.BYTES_PER_ELEMENT * whole(input.offset, 64, 0)
  const bytes = start + length * Type.BYTES_PER_ELEMENT + ZONE
  if (input.memory === 'shared') return new Type(new SharedArrayBuffer(bytes) as unknown as ArrayBuffer, start, length)
  if (input.memory === 'resizable') return new Type(resizable(bytes), start, length)
  const buffer = new ArrayBuffer(bytes)
  new Uint8Array(buffer).fill(BYTE)
  const view = new Type(buffer, start, length)
  fill(view, context)
  if (input.memory === 'detached') structuredClone(buffer, { transfer: [buffer] })
  else context.buffers.push({ buffer, start, end: start + view.byteLength })
  return view
}

function cyclic(): unknown[] {
  const array: unknown[] = []
  array.push(array)
  return array
}

function throwing(): object {
  const refuse = (): never => {
    throw new Thrown('on purpose')
  }
  return new Proxy({}, { get: refuse, ownKeys: refuse, has: refuse, getOwnPropertyDescriptor: refuse })
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** Values by their name behind `$`. `typed` has `type`, `length`, `offset` and `memory`; `number` has `text`. */
const specials: Record<string, (input: { readonly [key: string]: Encoded }, context: Context) => unknown> = {
  __proto__: null as never,
  number: ({ text }) => Number(text),
  undefined: () => undefined,
  bigint: () => 10n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  throwing,
  revoked,
  cyclic,
  sparse: () => Object.assign([], { length: 2 ** 32 - 1 }),
  long: () => new Array(100_000).fill(1),
  arrayLike: () => ({ length: 3, 0: 1, 1: 2, 2: 3 }),
  object: () => ({ valueOf: () => 3 }),
  buffer: () => new ArrayBuffer(64),
  view: () => new DataView(new ArrayBuffer(64)),
  promise: () => Promise.resolve(1),
  text: () => 'x'.repeat(100_000),
  surrogate: () => '\ud800\0\u2028',
  typed: typedArray,
}
/** Specials that are accessors of what holds them. */
const accessors: Record<string, (input: { readonly [key: string]: Encoded }, context: Context) => () => unknown> = {
  __proto__: null as never,
  throws: () => () => {
    throw new Thrown('on purpose')
  },
  alternating: ({ a, b }, context) => {
    const values = [decodeValue(a ?? 1, context), decodeValue(b ?? 2, context)]
    let reads = 0
    return () => values[reads++ % 2]
  },
  detaching: ({ a }, context) => {
    const value = decodeValue(a ?? 1, context)
    return () => {
      for (const { buffer } of context.buffers) if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] })
      return value
    }
  },
}
export const specialNames: readonly string[] = Object.keys(specials).filter((name) => !['number', 'typed'].includes(name))
export const accessorNames: readonly string[] = Object.keys(accessors)

const isObject = (input: Encoded): input is { readonly [key: string]: Encoded } =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

function decodeValue(input: Encoded, context: Context): unknown {
  if (typeof input !== 'object' || input === null) return input
  if (isObject(input) && typeof input.$ === 'string') {
    const make = specials[input.$]
    return make?.(input, context) // an accessor that no object holds is undefined
  }
  const to: object = Array.isArray(input) ? [] : {}
  for (const [key, value] of Object.entries(input)) {
    const get = isObject(value) && typeof value.$ === 'string' ? accessors[value.$]?.(value, context) : undefined
    Object.defineProperty(to, key, {
      configurable: true,
      enumerable: true,
      ...(get ? { get } : { writable: true, value: decodeValue(value, context) }),
    })
  }
  return to
}

/** The values that an input stands for. */
export function decode(input: Encoded, seed = 1): Decoded {
  const context: Context = { buffers: [], seed }
  const value = decodeValue(input, context)
  return {
    value,
    intact: () =>
      context.buffers.every(({ buffer, start, end }) => {
        if (buffer.byteLength === 0) return true
        const bytes = new Uint8Array(buffer)
        return bytes.subarray(0, start).every((byte) => byte === BYTE) && bytes.subarray(end).every((byte) => byte === BYTE)
      }),
  }
}

/** What stands in the list, each read once; a value of its own where it is none, or where reading fails. */
export function argumentsOf(value: unknown): unknown[] {
  try {
    return Array.isArray(value) ? [...value.slice(0, 8)] : [value]
  } catch {
    return []
  }
}
