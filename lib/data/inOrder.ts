/**
 * Starts work on up to `atOnce` items at a time, and gives the results in the order of the items. What was started has ended when the iteration has, however that
 * ends; the first failure in that order is the one that is thrown.
 */
export async function* inOrder<T, R>(items: Iterable<T>, work: (item: T) => Promise<R>, atOnce: number): AsyncGenerator<R, void> {
  const underWay: Promise<R>[] = []
  try {
    for (const item of items) {
      const started = work(item)
      started.catch(() => {})
      underWay.push(started)
      if (underWay.length >= atOnce) yield await underWay.shift()!
    }
    while (underWay.length > 0) yield await underWay.shift()!
  } finally {
    await Promise.allSettled(underWay)
  }
}
