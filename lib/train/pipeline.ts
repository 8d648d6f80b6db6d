/** Runs under way at a time: one computes while the inputs of the next are copied. */
const DEPTH = 2

/**
 * Starts work on each item while one before it is still under way, and hands results over in order. Reads no further ahead than that.
 * Whatever fails, everything started has ended when this does.
 * @param stopped asked before each item: true ends the loop
 * @param pause `due` is asked after each start: true lets everything end that was started, then `run` runs alone
 */
export async function pipeline<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  start: (item: T) => Promise<R>,
  done: (result: R, item: T) => void | Promise<void>,
  stopped: () => boolean,
  pause?: { due(): boolean; run(): Promise<void> },
): Promise<void> {
  const underWay: { item: T; result: Promise<R> }[] = []
  const settle = async () => {
    const { item, result } = underWay[0]!
    const value = await result
    underWay.shift()
    await done(value, item)
  }
  try {
    for await (const item of items) {
      if (stopped()) break
      const result = start(item)
      result.catch(() => {})
      underWay.push({ item, result })
      if (pause?.due()) {
        while (underWay.length > 0) await settle()
        await pause.run()
      }
      if (underWay.length === DEPTH) await settle()
      if (stopped()) break
    }
    while (underWay.length > 0) await settle()
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result))
  }
}
