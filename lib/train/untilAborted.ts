/** The items of an iterable until a signal, which ends it even while the next item is awaited. The iterable is closed, as `for await` would. */
export async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T, void> {
  if (!signal) {
    yield* items
    return
  }
  const iterator = items[Symbol.asyncIterator]()
  let open = true
  try {
    for (;;) {
      const next = await beforeAbort(iterator, signal)
      if (next === undefined) {
        // Not awaited: behind an item that never comes it would never come either.
        Promise.resolve(iterator.return?.()).catch(() => {})
        open = false
        return
      }
      if (next.done) {
        open = false
        return
      }
      yield next.value
    }
  } catch (error) {
    open = false
    throw error
  } finally {
    if (open) await iterator.return?.()
  }
}

/** The next item; nothing when the signal comes first. The listener goes with the item, so that a long iteration leaves none behind. */
async function beforeAbort<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T> | undefined> {
  let stop = () => {}
  try {
    return await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
      stop = () => resolve(undefined)
      signal.addEventListener('abort', stop)
      if (signal.aborted) stop()
      else iterator.next().then(resolve, reject)
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
