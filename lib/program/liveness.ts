import type { Value } from '../graph/value'
import type { Block } from './arena'
import { isComputed, roomFor, rootOf, rootsRead, type Task } from './task'
import type { GradientGroup } from './updates'

/** Where a root lies: a block, and how far into it. */
export interface Place {
  readonly block: Block
  readonly offset: number
}

/**
 * Gives each root that these tasks compute a block of arena with its first and last step. A root of `kept` is in use to the end, as are the gradients, which lie
 * within one block per group. With `inPlace`, an elementwise result takes over the block of an input that dies there.
 */
export function findBlocks(
  tasks: readonly Task[],
  kept: readonly Value[],
  groups: readonly GradientGroup[],
  options: { readonly capacity: number; readonly inPlace: boolean },
): { places: Map<Value, Place>; groupBlocks: Map<GradientGroup, Block> } {
  const last = new Map<Value, number>()
  tasks.forEach((task, index) => {
    for (const output of task.outputs) if (output) last.set(output, index)
    for (const root of rootsRead(task)) last.set(root, index)
  })
  for (const value of kept) last.set(rootOf(value), tasks.length)

  const places = new Map<Value, Place>()
  const groupBlocks = new Map<GradientGroup, Block>()
  for (const group of groups) {
    const block = { elements: group.elements, first: tasks.length, last: tasks.length }
    groupBlocks.set(group, block)
    for (const { root, offset } of group.members) places.set(root, { block, offset })
  }

  tasks.forEach((task, index) => {
    for (const output of task.outputs) {
      if (!output) continue
      const gradient = places.get(output)
      if (gradient) {
        gradient.block.first = Math.min(gradient.block.first, index)
        continue
      }
      const heir = options.inPlace && task.op.inPlace ? dyingTwin(task, index, output) : undefined
      if (heir) heir.block.last = last.get(output)!
      places.set(
        output,
        heir ?? { block: { elements: roomFor(output, options.capacity), first: index, last: last.get(output)! }, offset: 0 },
      )
    }
  })
  return { places, groupBlocks }

  /** The place of an input that this task is the last to read and that is as large as the output. */
  function dyingTwin(task: Task, index: number, output: Value): Place | undefined {
    for (const root of rootsRead(task)) {
      if (!isComputed(root) || last.get(root) !== index || root.dtype !== output.dtype) continue
      const place = places.get(root)
      if (!place) continue
      const batchedAlike = (root.shape[0] === null) === (output.shape[0] === null)
      if (batchedAlike && place.block.last === index && exactElements(root) === exactElements(output)) return place
    }
    return undefined
  }
}

/** Elements of one sample where there is a batch, else of all. */
function exactElements(value: Value): number {
  return value.shape.reduce<number>((product, size) => product * (size ?? 1), 1)
}
