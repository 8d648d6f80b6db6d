import { ConvlaneError } from '../errors'
import { valueText } from '../shape'
import { nativeRuntime } from './native'
import { referenceRuntime } from './reference'
import type { Runtime } from './runtime'

/** Which runtime to use: the option, else `CONVLANE_RUNTIME`, else native. Throws `INVALID_ARGUMENT` for another name. */
export function runtimeName(option?: unknown): 'native' | 'reference' {
  const fromEnvironment = process.env.CONVLANE_RUNTIME || undefined
  const name = option ?? fromEnvironment ?? 'native'
  if (name === 'native' || name === 'reference') return name
  const what = option === undefined || option === null ? 'CONVLANE_RUNTIME' : 'runtime'
  throw new ConvlaneError('INVALID_ARGUMENT', `${what} must be 'native' or 'reference', received ${valueText(name)}`, { received: name })
}

/** The runtime of that name; the native addon is loaded only when it is chosen. */
export function selectRuntime(option?: 'native' | 'reference'): Runtime {
  return runtimeName(option) === 'native' ? nativeRuntime() : referenceRuntime()
}
