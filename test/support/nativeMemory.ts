import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { NativeMemory } from '../../binding'
import { loadNative } from '../../lib/native'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Bytes of native memory, of the whole process, once all that was dropped before, by other test files, too, is collected: what is counted after this changes by
 * nobody else's garbage.
 */
export async function settledMemory(): Promise<NativeMemory> {
  let last = ''
  for (let alike = 0; alike < 3; ) {
    gc()
    await turn()
    const now = JSON.stringify(loadNative().memory())
    alike = now === last ? alike + 1 : 0
    last = now
  }
  return JSON.parse(last)
}
