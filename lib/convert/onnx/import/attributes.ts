import { type AttributeProto, attributeTypes, type NodeProto } from '../schema'
import type { Constant } from './constant'
import type { Failure } from './failure'

/** Largest size, stride, padding or axis: what follows from larger ones is no network, and takes long to refuse. */
export const MOST = 2 ** 24

/** The attributes of a node, each of the type that its operator says. What was not asked for in the end is not understood. */
export class Attributes {
  readonly #byName = new Map<string, AttributeProto>()
  readonly #read = new Set<string>()

  /** @throws INVALID_FILE for a name twice */
  constructor(
    { attribute }: NodeProto,
    private readonly fail: Failure,
    private readonly tensorOf: (attribute: AttributeProto) => Constant,
  ) {
    for (const one of attribute) {
      if (this.#byName.has(one.name)) throw fail.damaged(`attribute ${one.name} appears twice`)
      this.#byName.set(one.name, one)
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  #find(name: string, type: keyof typeof attributeTypes): AttributeProto | undefined {
    this.#read.add(name)
    const found = this.#byName.get(name)
    if (found && found.type !== attributeTypes[type]) {
      throw this.fail.damaged(`attribute ${name} must be of type ${attributeTypes[type]} (${type}), received type ${found.type}`)
    }
    return found
  }

  /** A whole number, its size at most 2²⁴. */
  int(name: string, fallback: number): number {
    const found = this.#find(name, 'int')
    return found ? this.#whole(found.i, name) : fallback
  }

  /** @param clamps whether numbers beyond 2²⁴ stand for what is that large */
  ints(name: string, clamps = false): number[] | undefined {
    return this.#find(name, 'ints')?.ints.map((value) =>
      clamps ? Math.min(Math.max(Number(value), -MOST), MOST) : this.#whole(value, name),
    )
  }

  /** A number: the shortest decimal that is this float32 one, as what wrote it had it. */
  float(name: string, fallback: number): number {
    const found = this.#find(name, 'float')
    if (!found) return fallback
    if (!Number.isFinite(found.f)) throw this.fail.damaged(`attribute ${name} is ${found.f}`)
    return shortest(found.f)
  }

  floats(name: string): readonly number[] | undefined {
    return this.#find(name, 'floats')?.floats
  }

  text(name: string, fallback: string): string {
    const found = this.#find(name, 'string')
    return found ? Buffer.from(found.s).toString() : fallback
  }

  texts(name: string): string[] | undefined {
    return this.#find(name, 'strings')?.strings.map((bytes) => Buffer.from(bytes).toString())
  }

  tensor(name: string): Constant | undefined {
    const found = this.#find(name, 'tensor')
    return found && this.tensorOf(found)
  }

  /** One of the words that are understood. @throws UNSUPPORTED */
  choice<T extends string>(name: string, fallback: T, choices: readonly T[]): T {
    const value = this.text(name, fallback)
    if (choices.includes(value as T)) return value as T
    throw this.fail.unsupported(`attribute ${name} is "${value}", understood are ${choices.join(', ')}`)
  }

  /** A number that must be this one. @throws UNSUPPORTED */
  only(name: string, value: number): void {
    const given = this.int(name, value)
    if (given !== value) throw this.fail.unsupported(`attribute ${name} is ${given}, understood is ${value}`)
  }

  /** For what has no say in results. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name)
  }

  /** @throws UNSUPPORTED for an attribute that nobody asked for */
  checkAllRead(): void {
    for (const name of this.#byName.keys()) {
      if (!this.#read.has(name)) throw this.fail.unsupported(`attribute ${name} is not understood`)
    }
  }

  #whole(value: bigint, name: string): number {
    if (value >= -BigInt(MOST) && value <= BigInt(MOST)) return Number(value)
    throw this.fail.unsupported(`attribute ${name} is ${value}, beyond 2^24`)
  }
}

/** The shortest decimal that is the same float32 number. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits))
    if (Math.fround(decimal) === value) return decimal
  }
  return value
}
