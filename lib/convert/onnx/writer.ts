import type { OpNode } from '../../graph/node'
import type { Value } from '../../graph/value'
import type { Tensor } from '../../tensor'
import { firstOrder, inverse, isInOrder, permutedPieces } from './arrange'
import { attributeTypes, dataTypes, type NewAttribute, type NewNode } from './schema'

/** Where the channels of a tensor of the file are: behind, as here, or before the axes of the image. Tensors of two axes or fewer have one form. */
export type Form = 'last' | 'first'

/** A constant of the file. */
export interface Initializer {
  readonly dims: readonly number[]
  readonly type: number
  readonly byteLength: number
  /** Its bytes, put in order when they are asked for: the event loop waits for one piece, not for all weights. */
  readonly pieces: () => Iterable<Uint8Array>
}

export type AttributeMap = Readonly<Record<string, NewAttribute>>
export const int = (value: number): NewAttribute => ({ i: BigInt(value), type: attributeTypes.int })
export const ints = (values: readonly number[]): NewAttribute => ({ ints: values.map(BigInt), type: attributeTypes.ints })
export const float = (value: number): NewAttribute => ({ f: value, type: attributeTypes.float })
export const strings = (values: readonly string[]): NewAttribute => ({
  strings: values.map((value) => Buffer.from(value)),
  type: attributeTypes.strings,
})
export const text = (value: string): NewAttribute => ({ s: Buffer.from(value), type: attributeTypes.string })

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)
function* bytesOfEach(pieces: Iterable<Float32Array>, zeros: number): Generator<Uint8Array> {
  for (const piece of pieces) yield bytesOf(piece)
  if (zeros > 0) yield new Uint8Array(4 * zeros)
}

/** A graph of the file while it is written: nodes, constants, and under which names, and in which forms, it has the values of a graph of ours. */
export class Writer {
  readonly nodes: NewNode[] = []
  readonly initializers = new Map<string, Initializer>()
  readonly #forms = new Map<Value, Partial<Record<Form, string>>>()
  /** Of values and constants. */
  readonly #taken = new Set<string>()
  readonly #nodeNames = new Set<string>()
  readonly #shared = new Map<string, string>()
  /** Of the layer that is written. */
  label = ''
  /** Whether axes were put in another order than that of one of the forms. */
  isPermuted = false

  constructor(
    private readonly weights: Readonly<Record<string, Tensor>>,
    readonly opset: number,
    /** One of the network's. */
    private readonly input: string,
    reserved: readonly string[],
  ) {
    for (const name of reserved) this.#taken.add(name)
  }

  /** A name that no value has: the one wanted, or with a number behind. */
  unique(wanted: string): string {
    return unusedOf(this.#taken, wanted)
  }

  /**
   * Adds a node of which one output is read, the first or that of this number, and gives the name of that. The first one of a layer has the layer's name, if it is not
   * there to transpose. An empty input is one that is left out.
   */
  node(opType: string, input: readonly string[], attributes: AttributeMap = {}, output = 0): string {
    const isFirst = opType !== 'Transpose' && !this.#nodeNames.has(this.label)
    const name = unusedOf(this.#nodeNames, isFirst ? this.label : `${this.label}/${opType.toLowerCase()}`)
    const made = this.unique(name)
    const attribute = Object.entries(attributes).map(([key, value]) => ({ name: key, ...value }))
    while (input.at(-1) === '') input = input.slice(0, -1)
    this.nodes.push({ input, output: [...new Array<string>(output).fill(''), made], name, opType, attribute })
    return made
  }

  /** What of the file holds this value in this form; transposed where it has it in the other form alone. */
  get(value: Value, form: Form): string {
    const forms = this.#formsOf(value)
    const found = forms[form]
    if (found !== undefined) return found
    const order = firstOrder(value.shape.length)
    const perm = form === 'first' ? order : inverse(order)
    const made = this.node('Transpose', [forms[form === 'first' ? 'last' : 'first']!], { perm: ints(perm) })
    this.set(value, form, made)
    return made
  }

  has(value: Value, form: Form): boolean {
    return this.#formsOf(value)[form] !== undefined
  }

  /** A form that costs nothing. */
  formOf(value: Value): Form {
    return this.has(value, 'first') ? 'first' : 'last'
  }

  /** Whether nothing needs to be computed for it any more. */
  isKnown(value: Value): boolean {
    return this.#forms.has(value) || parameterOf(value) !== undefined
  }

  set(value: Value, form: Form, name: string): void {
    const forms = this.#forms.get(value) ?? {}
    this.#forms.set(value, value.shape.length < 3 ? { first: name, last: name } : { ...forms, [form]: name })
  }

  #formsOf(value: Value): Partial<Record<Form, string>> {
    const known = this.#forms.get(value)
    if (known) return known
    this.set(value, 'last', this.parameter(value))
    return this.#forms.get(value)!
  }

  /**
   * A parameter as a constant, with its axes in another order; of a value that is computed from parameters, the value with its axes in that order.
   * @param shape of the parameter before that, where not its own
   * @param zeros that many behind it on the last axis; of parameters that have the size 1 on all others
   */
  parameter(
    value: Value,
    order: readonly number[] = value.shape.map((_, axis) => axis),
    shape: readonly number[] = value.shape as number[],
    zeros = 0,
  ): string {
    const source = parameterOf(value)
    if (!source) {
      const plain = this.get(value, 'last')
      const isOwn = shape.length === value.shape.length && shape.every((size, axis) => size === value.shape[axis])
      const shaped = isOwn ? plain : this.node('Reshape', [plain, this.shape(shape, -1)])
      return isInOrder(order) ? shaped : this.node('Transpose', [shaped], { perm: ints(order) })
    }
    const key = JSON.stringify([source, order, shape, zeros])
    const before = this.#shared.get(key)
    if (before !== undefined) return before
    const name = this.unique(source)
    const data = this.weights[source]!.data as Float32Array
    this.initializers.set(name, {
      dims: order.map((axis, index) => shape[axis]! + (index === order.length - 1 ? zeros : 0)),
      type: dataTypes.float32,
      byteLength: data.byteLength + 4 * zeros,
      pieces: () => bytesOfEach(permutedPieces(data, shape, order), zeros),
    })
    this.#shared.set(key, name)
    return name
  }

  /** A constant of float32 numbers. */
  floats(values: readonly number[] | Float32Array, dims: readonly number[] = [values.length]): string {
    return this.#constant('constant', Float32Array.from(values), dims, dataTypes.float32)
  }

  /** One float32 number. */
  number(value: number): string {
    return this.floats([value], [])
  }

  /** A list of whole numbers. */
  integers(values: readonly number[]): string {
    return this.#constant('constant', BigInt64Array.from(values, BigInt), [values.length], dataTypes.int64)
  }

  /** A shape with this number for the batch: -1 for Reshape, 1 for Expand. */
  shape(shape: readonly (number | null)[], batch: number): string {
    return this.integers(shape.map((size) => size ?? batch))
  }

  /** A shape that begins with the size of the batch, which an input tells. */
  batched(shape: readonly (number | null)[]): string {
    const batch = this.node('Shape', [this.input], { start: int(0), end: int(1) })
    return shape.length === 1 ? batch : this.node('Concat', [batch, this.integers(shape.slice(1) as number[])], { axis: int(0) })
  }

  #constant(kind: string, data: Float32Array | BigInt64Array, dims: readonly number[], type: number): string {
    const key = JSON.stringify([type, dims, Array.from(data, String)])
    const before = this.#shared.get(key)
    if (before !== undefined) return before
    const name = this.unique(`${this.label}/${kind}`)
    this.initializers.set(name, { dims, type, byteLength: data.byteLength, pieces: () => [bytesOf(data)] })
    this.#shared.set(key, name)
    return name
  }
}

function unusedOf(names: Set<string>, wanted: string): string {
  let name = wanted
  for (let number = 1; names.has(name); number++) name = `${wanted}_${number}`
  names.add(name)
  return name
}

/** The parameter that a value is, or is under another shape; none where it is computed. */
export function parameterOf(value: Value): string | undefined {
  for (let at = value; ; ) {
    if ('kind' in at.origin) return at.origin.kind === 'state' ? at.origin.name : undefined
    const { op, inputs }: OpNode = at.origin.node
    if (op.name !== 'reshape') return undefined
    at = inputs[0]!
  }
}
