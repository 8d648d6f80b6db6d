import { ConvlaneError } from '../errors'
import { valueText } from '../shape'

/** What every user function takes. */
export interface OpOptions {
  /** Where a call with tensors runs. Default: `CONVLANE_RUNTIME`, else `'native'`. Of no effect on values of a graph. */
  readonly runtime?: 'native' | 'reference' | undefined
  /** Of the layer, for messages. Default: none. */
  readonly name?: string | undefined
}

/** Throws `INVALID_ARGUMENT` for options that aren't an object or have a name that isn't one of these. */
export function checkOptions(options: unknown, names: readonly string[], label: string): void {
  if (typeof options !== 'object' || options === null || Symbol.iterator in options) {
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: options must be an object, received ${valueText(options)}`, {
      received: options,
    })
  }
  const known = ['runtime', 'name', ...names]
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const message = `${label}: unknown option "${unknown}"; there are ${known.join(', ')}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: known, received: unknown })
}

/** Throws `INVALID_ARGUMENT` unless it is true or false; `undefined` is `fallback`. */
export function checkFlag(value: unknown, label: string, argument: string, fallback = false): boolean {
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${argument} must be true or false, received ${valueText(value)}`, {
    received: value,
  })
}
