import { ConvlaneError } from './errors'
import { valueText } from './shape'

/** The error for an option or argument that is not what it should be. */
export function invalid(label: string, argument: string, expected: string, received: unknown): ConvlaneError {
  const message = `${label}: ${argument} must be ${expected}, received ${valueText(received)}`
  return new ConvlaneError('INVALID_ARGUMENT', message, { expected, received })
}

/** Refuses options that are no object, arrays and maps among them, whose entries are no options, and keys that mean nothing. Throws INVALID_ARGUMENT. */
export function checkOptions(label: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Symbol.iterator in options) throw invalid(label, 'options', 'an object', options)
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const message =
      known.length > 0 ? `unknown option "${key}", the options are ${known.join(', ')}` : `unknown option "${key}", there are none`
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: ${message}`, { expected: known, received: key })
  }
}

export function checkBoolean(value: unknown, label: string, argument: string): boolean {
  if (typeof value !== 'boolean') throw invalid(label, argument, 'true or false', value)
  return value
}

/** Throws INVALID_ARGUMENT. */
export function checkPath(value: unknown, label: string, argument: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(label, argument, 'a path', value)
  return value
}

/** A name of a layer or an input; `/` parts it from the names of its parameters. Throws INVALID_ARGUMENT. */
export function checkName(value: unknown, label: string): string {
  if (typeof value !== 'string' || value === '' || value.includes('/')) {
    throw invalid(label, 'name', 'a string without "/", not empty', value)
  }
  return value
}
