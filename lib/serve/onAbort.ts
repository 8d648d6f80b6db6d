/** What is to be called when a signal aborts, by signal: as long as there is something. */
const watched = new WeakMap<AbortSignal, { readonly stops: Set<() => void>; readonly listener: () => void }>()

/**
 * Calls `stop` when the signal aborts, until the function is called that this gives. However many wait for one signal, it has one listener: Node warns of more
 * than ten as of a leak, and at the signal of a whole program as many wait as it has requests. The listener goes with the last of them.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  const { stops, listener } = watched.get(signal) ?? watch(signal)
  stops.add(stop)
  return () => {
    if (!stops.delete(stop) || stops.size > 0) return
    signal.removeEventListener('abort', listener)
    watched.delete(signal)
  }
}

function watch(signal: AbortSignal) {
  const stops = new Set<() => void>()
  const listener = () => {
    for (const stop of stops) stop()
  }
  const watching = { stops, listener }
  watched.set(signal, watching)
  signal.addEventListener('abort', listener)
  return watching
}
