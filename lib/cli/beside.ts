import { ConvlaneError } from '../errors'
import type { Callback } from '../train/events'

/**
 * Writes beside a training must not cost its result: after the first that fails, on a full disk, say, this is told, and the training goes on without them. What fails
 * before the first step ends it as ever.
 * @param what begins the line that tells
 */
export function beside(what: string, watcher: Callback, say: (line: string) => void): Callback {
  let hasFailed = false
  const sparing =
    <E>(tell: ((event: E) => void | Promise<void>) | undefined) =>
    async (event: E): Promise<void> => {
      if (hasFailed) return
      try {
        await tell?.call(watcher, event)
      } catch (error) {
        if (!(error instanceof ConvlaneError && error.code === 'FILE_ERROR')) throw error
        hasFailed = true
        say(`${what}: ${error.message}: nothing more is written there`)
      }
    }
  return {
    onTrainBegin: (start) => watcher.onTrainBegin?.(start),
    onStep: sparing(watcher.onStep),
    onEpoch: sparing(watcher.onEpoch),
    onTrainEnd: sparing(watcher.onTrainEnd),
    onTrainError: sparing(watcher.onTrainError),
  }
}
