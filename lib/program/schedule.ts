import type { Value } from '../graph/value'
import { isComputed, roomFor, rootOf, rootsRead, type Task } from './task'

/**
 * Orders tasks so that memory is freed early: of those that can run, the one that makes the live memory grow least (or shrink most) comes next, the
 * earlier one where several are alike. So a weight gradient, which may free its input, comes before the input gradient, which needs room. The
 * order given is kept where this one would need no less. Depends on the tasks alone, so that results are the same on every machine.
 */
export function schedule(tasks: readonly Task[], kept: readonly Value[], placed: ReadonlySet<Value>, capacity: number): Task[] {
  const sizes = new Sizes(tasks, kept, placed, capacity)
  const given = withFillsLate(tasks)
  const greedy = withFillsLate(greedyOrder(tasks, sizes))
  return sizes.peak(greedy) < sizes.peak(given) ? greedy : given
}

/** What values weigh while they live, and how often they are still to be read. */
class Sizes {
  private readonly uses = new Map<Value, number>()
  private readonly forever: ReadonlySet<Value>

  constructor(
    tasks: readonly Task[],
    kept: readonly Value[],
    private readonly placed: ReadonlySet<Value>,
    private readonly capacity: number,
  ) {
    this.forever = new Set(kept.map(rootOf))
    for (const task of tasks) for (const root of rootsRead(task)) this.uses.set(root, (this.uses.get(root) ?? 0) + 1)
  }

  counts(): Map<Value, number> {
    return new Map(this.uses)
  }

  /** Values that have their place from the start cost nothing. */
  private room(root: Value): number {
    return isComputed(root) && !this.placed.has(root) ? roomFor(root, this.capacity) : 0
  }

  allocated(task: Task): number {
    return task.outputs.reduce((sum, output) => sum + (output ? this.room(output) : 0), 0)
  }

  /** What the task frees when it has run, `left` being the reads still to come, its own included. */
  freed(task: Task, left: ReadonlyMap<Value, number>): number {
    let sum = 0
    for (const root of rootsRead(task)) if (left.get(root) === 1 && !this.forever.has(root)) sum += this.room(root)
    for (const output of task.outputs) if (output && !left.has(output) && !this.forever.has(output)) sum += this.room(output)
    return sum
  }

  peak(order: readonly Task[]): number {
    const left = this.counts()
    let live = 0
    let peak = 0
    for (const task of order) {
      live += this.allocated(task)
      peak = Math.max(peak, live)
      live -= this.freed(task, left)
      take(task, left)
    }
    return peak
  }
}

function take(task: Task, left: Map<Value, number>): void {
  for (const root of rootsRead(task)) left.set(root, left.get(root)! - 1)
}

function greedyOrder(tasks: readonly Task[], sizes: Sizes): Task[] {
  const producer = new Map(tasks.flatMap((task) => task.outputs.flatMap((output) => (output ? [[output, task] as const] : []))))
  const readers = new Map<Value, Task[]>()
  const followers = new Map<Task, Task[]>()
  const waiting = new Map<Task, number>()
  for (const task of tasks) {
    const roots = rootsRead(task)
    const before = new Set([...roots].flatMap((root) => producer.get(root) ?? []))
    waiting.set(task, before.size)
    for (const root of roots) listed(readers, root).push(task)
    for (const earlier of before) listed(followers, earlier).push(task)
  }

  const left = sizes.counts()
  // A fill waits for its reader: it comes at no cost here and is moved next to it afterwards.
  const growthOf = (task: Task) => (isFill(task) ? Number.NEGATIVE_INFINITY : sizes.allocated(task) - sizes.freed(task, left))
  const ready = new Ready(new Map(tasks.map((task, index) => [task, index])))
  for (const task of tasks) if (waiting.get(task) === 0) ready.put(task, growthOf(task))
  const order: Task[] = []
  for (let best = ready.take(); best; best = ready.take()) {
    order.push(best)
    take(best, left)
    for (const follower of followers.get(best) ?? []) {
      waiting.set(follower, waiting.get(follower)! - 1)
      if (waiting.get(follower) === 0) ready.put(follower, growthOf(follower))
    }
    // Only what has become the last to read something frees more than before.
    for (const root of rootsRead(best))
      if (left.get(root) === 1) for (const task of readers.get(root)!) if (ready.has(task)) ready.put(task, growthOf(task))
  }
  return order
}

function listed<K>(lists: Map<K, Task[]>, key: K): Task[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

interface Candidate {
  readonly task: Task
  readonly growth: number
  readonly position: number
}

/** Tasks that can run, the one that makes memory grow least first, the earlier one where several are alike: a heap, with what is out of date left in it until it comes up. */
class Ready {
  readonly #heap: Candidate[] = []
  readonly #current = new Map<Task, Candidate>()

  constructor(private readonly positions: ReadonlyMap<Task, number>) {}

  has(task: Task): boolean {
    return this.#current.has(task)
  }

  /** Puts a task in, or one that is there to another place. */
  put(task: Task, growth: number): void {
    if (this.#current.get(task)?.growth === growth) return
    const candidate = { task, growth, position: this.positions.get(task)! }
    this.#current.set(task, candidate)
    const heap = this.#heap
    let at = heap.push(candidate) - 1
    for (let above = (at - 1) >> 1; at > 0 && isBefore(candidate, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = candidate
  }

  take(): Task | undefined {
    for (let first = this.#pop(); first; first = this.#pop()) {
      if (this.#current.get(first.task) !== first) continue
      this.#current.delete(first.task)
      return first.task
    }
    return undefined
  }

  #pop(): Candidate | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    let at = 0
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

const isBefore = (a: Candidate, b: Candidate): boolean => a.growth < b.growth || (a.growth === b.growth && a.position < b.position)

function isFill(task: Task): boolean {
  return task.inputs.length === 0
}

/** Moves tasks that read nothing to just before the first that reads them, or to the end. */
function withFillsLate(tasks: readonly Task[]): Task[] {
  const fills = new Map(tasks.filter(isFill).map((task) => [task.outputs[0]!, task]))
  const order: Task[] = []
  for (const task of tasks) {
    if (isFill(task)) continue
    for (const root of rootsRead(task)) {
      const fill = fills.get(root)
      if (fill && fills.delete(root)) order.push(fill)
    }
    order.push(task)
  }
  return [...order, ...fills.values()]
}
