import cluster from 'node:cluster'
import { dirname } from 'node:path'
import type { Binding } from '../binding'
import { findAddon, type Loaded } from './loader/find'

let loaded: Loaded | undefined

/** The native addon, loaded at the first call. Throws what `findAddon` throws; the next call tries again. */
export function loadNative(): Binding {
  return load().addon as Binding
}

/** The file that `loadNative` loads. */
export function nativeFile(): string {
  return load().file
}

function load(): Loaded {
  if (!loaded) {
    loaded = findAddon(dirname(__dirname)) // the package's root, from lib/ and from dist/ alike
    shareMachine(loaded.addon as Binding)
  }
  return loaded
}

/** The workers of a cluster are as many as CPUs as a rule: each computes with one thread, unless `CONVLANE_THREADS` or `setThreads` says otherwise. */
function shareMachine(binding: Binding): void {
  if (cluster.isWorker && !process.env.CONVLANE_THREADS) binding.setThreads(1)
}
