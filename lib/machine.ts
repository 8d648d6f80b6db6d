import { ConvlaneError } from './errors'
import { loadNative } from './native'

/** The instruction set that the native core uses: the best of this machine, or what `CONVLANE_ISA` names. */
export function isa(): 'scalar' | 'avx2' | 'avx512' | 'neon' {
  return loadNative().isa()
}

/** What this machine can run, best first. */
export function isaAvailable(): readonly string[] {
  return loadNative().isaAvailable()
}

/**
 * Sets how many threads compute, for the whole process: an integer from 1 to 1024. Default: what `CONVLANE_THREADS` says, else 1 in a worker of a cluster,
 * else the CPUs that this process may use (affinity, and the quota of its container rounded up).
 * Results do not depend on it. Throws `INVALID_ARGUMENT`.
 */
export function setThreads(n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > 1024) {
    throw new ConvlaneError('INVALID_ARGUMENT', `setThreads: expected an integer from 1 to 1024, received ${String(n)}`, {
      expected: 'an integer from 1 to 1024',
      received: n,
    })
  }
  loadNative().setThreads(n)
}

/** How many threads compute, the calling one included. */
export function threads(): number {
  return loadNative().threads()
}
