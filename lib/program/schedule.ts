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
  const readers = new Map<Task, Task[]>()
  const waiting = new Map<Task, number>()
  for (const task of tasks) {
    const before = new Set([...rootsRead(task)].flatMap((root) => producer.get(root) ?? []))
    waiting.set(task, before.size)
    for (const earlier of before) readers.set(earlier, [...(readers.get(earlier) ?? []), task])
  }

  const position = new Map(tasks.map((task, index) => [task, index]))
  const left = sizes.counts()
  const ready = new Set(tasks.filter((task) => waiting.get(task) === 0))
  const order: Task[] = []
  while (ready.size > 0) {
    let best: Task | undefined
    let bestGrowth = 0
    for (const task of ready) {
      // A fill waits for its reader: it comes at no cost here and is moved next to it afterwards.
      const growth = isFill(task) ? Number.NEGATIVE_INFINITY : sizes.allocated(task) - sizes.freed(task, left)
      if (best && (growth > bestGrowth || (growth === bestGrowth && position.get(task)! > position.get(best)!))) continue
      best = task
      bestGrowth = growth
    }
    ready.delete(best!)
    order.push(best!)
    take(best!, left)
    for (const reader of readers.get(best!) ?? []) {
      waiting.set(reader, waiting.get(reader)! - 1)
      if (waiting.get(reader) === 0) ready.add(reader)
    }
  }
  return order
}

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
