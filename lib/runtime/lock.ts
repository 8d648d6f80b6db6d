/** Readers and writers over what several steps of asynchronous work use: many read at once, one writes alone; served in the order they came. */
export class Lock {
  private readers = 0
  private writing = false
  private readonly waiting: { readonly write: boolean; readonly enter: () => void }[] = []

  async acquire(write: boolean): Promise<void> {
    if (this.waiting.length === 0 && this.isFree(write)) this.enter(write)
    else await new Promise<void>((enter) => this.waiting.push({ write, enter }))
  }

  release(write: boolean): void {
    if (write) this.writing = false
    else this.readers--
    while (this.waiting.length > 0 && this.isFree(this.waiting[0]!.write)) {
      const next = this.waiting.shift()!
      this.enter(next.write)
      next.enter()
    }
  }

  /** Runs `work` inside the lock. */
  async hold<T>(write: boolean, work: () => T): Promise<T> {
    await this.acquire(write)
    try {
      return work()
    } finally {
      this.release(write)
    }
  }

  private isFree(write: boolean): boolean {
    return !this.writing && !(write && this.readers > 0)
  }

  private enter(write: boolean): void {
    if (write) this.writing = true
    else this.readers++
  }
}
