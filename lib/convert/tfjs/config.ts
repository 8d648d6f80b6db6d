import { ConvlaneError } from '../../errors'
import { valueText } from '../../shape'

export type Json = Readonly<Record<string, unknown>>

/** The error for a file that breaks the format. */
export function damaged(message: string, received?: unknown): ConvlaneError {
  return new ConvlaneError('INVALID_FILE', message, { received })
}

/** The error for what the format has and convlane has not, or the other way round. */
export function unsupported(message: string, received?: unknown): ConvlaneError {
  return new ConvlaneError('UNSUPPORTED', message, { received })
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectOf(value: unknown, what: string): Json {
  if (isObject(value)) return value
  throw damaged(`${what} must be an object, received ${valueText(value)}`, value)
}

export function arrayOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw damaged(`${what} must be an array, received ${valueText(value)}`, value)
}

export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw damaged(`${what} must be a text, received ${valueText(value)}`, value)
}

/** Sizes: whole numbers from 0 on. */
export function sizesOf(value: unknown, what: string): readonly number[] {
  if (Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)) return value
  throw damaged(`${what} must be an array of whole numbers, received ${valueText(value)}`, value)
}

/** Whether two values of JSON are written alike. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What every layer may say and what changes nothing in what it computes: weights come from the file, so that how they began does not matter. */
const passing = new Set([
  'name',
  'trainable',
  'dtype',
  'batch_input_shape',
  'batch_shape',
  'input_dtype',
  'seed',
  'ragged',
  'sparse',
  'optional',
])

/** The options of one layer of a file. Those that nothing has asked for are refused at the end, so that none is overlooked. */
export class Config {
  readonly #asked = new Set<string>()

  constructor(
    /** The layer for messages: `Conv2D "stem"`. */
    readonly label: string,
    private readonly fields: Json,
  ) {}

  /** A field; `null` is `undefined`. */
  get(name: string): unknown {
    this.#asked.add(name)
    return this.fields[name] ?? undefined
  }

  /** A field that must be a true or false. */
  flag(name: string, otherwise: boolean): boolean {
    const value = this.get(name) ?? otherwise
    if (typeof value === 'boolean') return value
    throw damaged(`${this.label}: ${name} must be true or false, received ${valueText(value)}`, value)
  }

  number(name: string, otherwise: number): number {
    const value = this.get(name) ?? otherwise
    if (typeof value === 'number') return value
    throw damaged(`${this.label}: ${name} must be a number, received ${valueText(value)}`, value)
  }

  /** Refuses a field that is neither missing nor one of these. */
  only(name: string, ...allowed: readonly unknown[]): void {
    const value = this.get(name)
    if (value === undefined || allowed.some((one) => same(one, value))) return
    throw this.refusal(name, value)
  }

  refusal(name: string, value: unknown, why = 'is not supported'): ConvlaneError {
    return unsupported(`${this.label}: ${name} ${valueText(value)} ${why}`, value)
  }

  /** Refuses fields that nothing has asked for, but for those of initializers and for those that are null. */
  finish(): void {
    for (const [name, value] of Object.entries(this.fields)) {
      if (value === null || this.#asked.has(name) || passing.has(name) || name.endsWith('_initializer')) continue
      throw this.refusal(name, value)
    }
  }
}
